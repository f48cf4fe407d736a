"""Answers before and after: the base's reply and a tuned row's, side by side.

The items are drawn by a hash of their names, not picked: nothing here is shown because it is good.
"""

from __future__ import annotations

import hashlib
from typing import Any

import polars as pl

from cqia.reporting import both, words
from cqia.reporting.both import Both, same
from cqia.reporting.html import spans, text
from cqia.reporting.material import Material

ITEMS = 2
"""Items of each row and benchmark."""
ROWS = 4
FOLD = 400
"""Characters from which on a reply is folded."""


def answers(material: Material) -> str:
    """A few items of every base's first rows."""
    body = ""
    for base in material.bases:
        for benchmark in material.benchmarks:
            body += _benchmark(material, base, benchmark)
    if not body:
        return ""
    note = Both("题目按名称的哈希抽取，不是挑选的。", "Items are drawn by a hash of their names.")
    return f'<p class="note">{spans(note)}</p>\n{body}'


def _benchmark(material: Material, base: str, benchmark: str) -> str:
    frame = material.outcomes
    if frame is None or "reply" not in frame.columns:
        return ""
    spoken = pl.col("reply").is_not_null() & ~pl.col("reply").str.contains(r"^\s*[\[{]")
    mine = frame.filter(spoken, pl.col("reply").str.len_chars() > 3, base=base,
                        benchmark=benchmark)  # fmt: skip
    before = {row["item"]: row for row in mine.filter(subset="").iter_rows(named=True)}
    body = ""
    for name in [one for one in material.subsets if one][:ROWS]:
        rows = mine.filter(subset=name).sort("seed").unique("item", keep="first")
        after = {row["item"]: row for row in rows.iter_rows(named=True)}
        for item in sorted(set(before) & set(after), key=_lot)[:ITEMS]:
            body += _item(before[item], after[item], name)
    if not body:
        return ""
    title = same(f"{base} · {benchmark}") + words.tag(material, benchmark)
    return f"<details><summary>{spans(title)}</summary>\n{body}</details>\n"


def _lot(item: str) -> str:
    return hashlib.sha256(item.encode()).hexdigest()


def _item(before: dict[str, Any], after: dict[str, Any], name: str) -> str:
    gold = before.get("gold")
    said = f"{spans(Both('标准答案', 'reference'))}：{_reply(str(gold))}" if gold else ""
    head = f"<h4>{text(before['item'])} · {text(before['group'])}</h4>"
    asked = before.get("question")
    head += f'<div class="asked">{_reply(str(asked))}</div>' if asked else ""
    return (
        f'{head}<div class="note">{said}</div><div class="pair">'
        f"{_side(both.UNTUNED, before)}{_side(same(name), after)}</div>\n"
    )


def _side(name: Both, row: dict[str, Any]) -> str:
    score = "" if row["score"] is None else f" · {row['score']:.3g}"
    return (
        f"<div><b>{spans(name)}</b><small>{text(row['state'])}{score} · seed {row['seed']}</small>"
        f'<div class="reply">{_reply(str(row["reply"]))}</div></div>'
    )


def _reply(said: str) -> str:
    """A text as it came; a long one behind its beginning."""
    if len(said) <= FOLD:
        return text(said)
    start = text(said[:120].replace("\n", " ")) + "…"
    return f"<details><summary>{start}</summary>{text(said)}</details>"
