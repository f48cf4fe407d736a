"""What holds for every cleaner: null stays null, twice is once, nothing raises, nothing hangs."""

from __future__ import annotations

import importlib
import pkgutil

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cqia.cleaners
from cqia.cleaners.base import Cleaner
from cqia.cleaners.catalogue import CLEANERS
from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.white_space import WhiteSpace

UNITS: list[Cleaner] = [unit() for unit in CLEANERS.values()] + [WhiteSpace(unspace_han=True)]

ODD = [
    "<p>", "</p>", "<b>", "</b>", "<br>", "<div class='x'>", "</div>", "<li>", "<ul>", "</ul>", "<td>",
    "<table><tr>", "<pre><code>", "</code></pre>", "<code>", "</code>", "<!--", "-->", "<script>",
    "&lt;", "&gt;", "&amp;", "&nbsp;", "&#96;", "&#60;", "&#x26;", "lt;", "amp;", "b&gt;", "/b", "`", "``",
    "```", "\n```\n", "```python\n", "\\", "标签", "\n", "\r", "\t", " ", "  ", "\u3000", "\u00a0", "\0",
    "\x07lpha", "\x08eta", "\x0crac", "\x0bec", "\times", "\rho", "\u200b", "\u200d", "\u200c", "👩",
    "❤\ufe0f", "\ufeff", "\ue000", "\ufffd", "\u2028", "می", "漢", "乾", "薴", "著", "Ａ", "１", "（", "）",
    "，", "。", "“", "”", "甲乙丙丁戊己庚辛", "一二三四五六七八九十甲乙丙丁戊己庚辛壬癸子丑寅卯", "A．", "（1）",
    "谢邀", "谢邀。", "转载请注明出处", "作者：甲", "链接：https://a.b/c", "来源：乙", "扫码关注", "公众号",
    "[", "]", "[doge]", "doge", "(", "[笑哭R]", "R]", "QQ", "QQ群：", "微信号", "微信：", "加V", "12345678",
    "13800138000", "010-62345678", "-", ".", "@", "a@b.cn", "abc_12345", "京A12345", "11010519491231002X",
    "6222021234567890128", "+86", "86", "x", "=", "/",
]  # fmt: skip
texts = st.text(max_size=30) | st.lists(st.sampled_from(ODD), max_size=12).map("".join)


def cleaned(unit: Cleaner, texts: list[str | None]) -> list[str | None]:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return frame.select(unit.clean(pl.col("text"))).to_series().to_list()


def test_every_module_is_in_the_catalogue() -> None:
    found: dict[str, type[Cleaner]] = {}
    for module in pkgutil.iter_modules(cqia.cleaners.__path__):
        for name, value in vars(importlib.import_module(f"cqia.cleaners.{module.name}")).items():
            if isinstance(value, type) and issubclass(value, Cleaner) and value is not Cleaner:
                found[name] = value
    assert found == CLEANERS


@pytest.mark.parametrize("unit", UNITS, ids=repr)
@given(st.lists(texts | st.none(), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_twice_is_once(unit: Cleaner, rows: list[str | None]) -> None:
    once = cleaned(unit, rows)
    assert cleaned(unit, once) == once
    assert [row is None for row in once] == [row is None for row in rows]


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_counts_are_integers_of_the_rows_before(unit: Cleaner) -> None:
    frame = pl.DataFrame({"text": ["".join(ODD), "", None, "普通的文字。"]})
    counts = unit.counts(pl.col("text"))
    if counts is None:
        return
    found = frame.select(counts).to_series().struct.unnest()
    assert all(kind.is_integer() for kind in found.dtypes)
    assert all(row == 0 for row in found.tail(3).sum_horizontal()) if found.width else True


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_empty_and_sliced_columns(unit: Cleaner) -> None:
    assert cleaned(unit, []) == []
    assert cleaned(unit, [None]) == [None]
    frame = pl.DataFrame({"text": ["谢邀。[doge]漢 字１３８", None, "好"]}).slice(1)
    assert frame.select(unit.clean(pl.col("text"))).to_series().to_list() == [None, "好"]


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_the_column_that_is_cleaned_stays_as_it_was(unit: Cleaner) -> None:
    frame = pl.DataFrame({"text": ["".join(ODD)]})
    before = frame["text"].to_list()
    both = frame.with_columns(unit.clean(pl.col("text")).alias("clean"))
    assert both["text"].to_list() == before == frame["text"].to_list()


HOSTILE = {
    "one character": "a" * 1_000_000,
    "digits": "1380013800 " * 90_000,
    "long number": "1" * 1_000_000,
    "open brackets": "<" * 1_000_000,
    "open tags": "<p <b " * 160_000,
    "deep tags": "<div>" * 200_000,
    "closed deep tags": "<b>" * 10_000 + "甲" + "</b>" * 10_000,
    "unclosed": "<p title='甲" * 80_000,
    "ampersands": "&amp;" * 200_000,
    "backticks": "`" * 500_000 + "a`" * 200_000,
    "fences": "```a\n" * 200_000,
    "spaces": "甲" + " " * 900_000 + "乙",
    "lines": "\n" * 900_000,
    "thanks": "谢邀。" * 110_000,
    "stickers": "[doge" * 100_000 + "]" * 100_000,
    "at signs": "a@" * 500_000,
    "dots": "a.b-" * 250_000,
    "controls": "\x00\x07\x08" * 300_000,
    "joiners": "\u200d" * 300_000,
    "words": "微信QQ京A" * 60_000,
    "quotes": "“（" * 160_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_megabyte_that_means_harm(text: str) -> None:
    for unit in [*UNITS, HtmlToText(mode="html")]:
        assert cleaned(unit, [text])[0] is not None
