"""Adverts and give-aways, in plain words and in disguise.

Posts on social sites sell, collect contacts and draw lots; writers who fear the site's own filter
break the telling words up (`品、牌`, `薇 信`) or write them with look-alikes (`➕v`).
"""

# ruff: noqa: RUF001, RUF002
from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import polars as pl

from cqia.filters.base import TextFilter
from cqia.filters.phrases import phrases, weight
from cqia.text.buffers import batched

GAP = (
    r"[ \t\u00a0\u3000\u200b-\u200d\ufe0f、·•.*＊_＿~～|｜/／\\+＋➕=\-—–^"
    r"\u2600-\u27bf\U0001f300-\U0001faff]"
)
"""What stands between the characters of a word that was broken up on purpose: blanks, 、 and dots,
strokes, emoji. Sentence marks are left out: honest text has them between any two words."""

LOOKALIKE = (
    r"➕\s?(?i:v|薇|微|威|溦|卫星)",
    r"(?:加|➕|\+|＋)\s?(?:我\s?)?(?i:vx|v信|wx|wei信|v|薇信?|溦信?|威信|徽信|卫星)"
    r"\s?[:：号]?\s?[A-Za-z][-\w]{5,19}",
    r"(?:薇|溦|徽|维)(?:信号|❤|♥)|(?i:v|wei)(?:信号?|❤|♥)",
    "[\u4e00-\u9fff](?i:t[.·]b|某宝)(?:搜|找|店|家|直接)",
)
"""Look-alikes that need no gap: `➕v`, `加vx abc123`, `薇信号`, `去t.b搜`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adverts(TextFilter):
    """The weight of the distinct advert and give-away phrases in the text.

    A phrase that hardly anyone but an advertiser writes (`加我微信`, `转发抽奖`) weighs 2, one that
    honest text about shops also has (`优惠券`, `满减`) weighs 1. The list, the weights and the
    bound are this project's choice: one light phrase is kept, two or a heavy one are not.
    """

    high: float | None = 1

    def measure(self) -> pl.Expr:
        return weight(pl.col(self.field), phrases("adverts"), phrases("adverts.allow"))


@cache
def _broken() -> re.Pattern[str]:
    """The listed words with gaps between all their characters."""
    words = sorted(phrases("disguised"), key=lambda word: (-len(word), word))
    return re.compile(
        "|".join(f"{GAP}{{1,3}}".join(map(re.escape, word)) for word in words), re.IGNORECASE
    )


def disguises(text: str) -> int:
    """How many disguised words a text has.

    A broken-up word doesn't count where its halves belong to its neighbours (食品、牌照): the
    allow-list holds such neighbourhoods, written without the gap.
    """
    count = sum(len(re.findall(form, text)) for form in LOOKALIKE)
    for match in _broken().finditer(text):
        near = re.sub(GAP, "", text[max(match.start() - 3, 0) : match.end() + 3])
        count += not any(allowed in near for allowed in phrases("disguised.allow"))
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class ObfuscatedAdverts(TextFilter):
    """Number of advert words in disguise: broken up by gaps, or written with look-alikes.

    The words as they are don't count: only what the writer hid. The list and the bound are this
    project's choice.
    """

    high: float | None = 0

    def measure(self) -> pl.Expr:
        return batched(pl.col(self.field), _count, pl.Int64)


def _count(text: pl.Series) -> pl.Series:
    """Disguised words a row: the pattern runs on the few rows that a vector guard lets through."""
    whole = text.str.replace_all(f"{GAP}+", "").str.contains_any(
        list(phrases("disguised")), ascii_case_insensitive=True
    )
    rows = (whole | text.str.contains("|".join(LOOKALIKE))).arg_true()
    counts = pl.Series(text.name, [0], dtype=pl.Int64).new_from_index(0, len(text))
    counts = counts.scatter(rows, [disguises(one) for one in text.gather(rows)])
    return counts.set(text.is_null(), None)
