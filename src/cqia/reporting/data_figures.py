"""Figures of the dataset: task types (Figure 2), lengths (Figure 3), and the funnel."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl

from cqia.reporting.both import Both
from cqia.reporting.figures import PALETTE, Figure, Said, label, rings, say
from cqia.reporting.material import Material

BINS = 48
NODES = 10
"""Sources or rules that have a node of their own; the rest share one."""


def tasks(material: Material) -> Figure | None:
    """Figure 2: major and minor task types in two rings; a record counts once."""
    if material.records is None or material.records.is_empty():
        return None
    untold = Both("未标注", "not told")
    counts = material.records.group_by("major", "minor").len()
    counts = counts.sort("len", "major", "minor", descending=[True, False, False])
    majors = counts.group_by("major").agg(pl.col("len").sum())
    majors = majors.sort("len", "major", descending=[True, False])
    parts: list[tuple[Said, int, list[tuple[Said, int]]]] = [
        (
            label(major) if major else say(untold),
            n,
            [(label(minor), m) for _, minor, m in counts.filter(major=major).iter_rows() if minor],
        )
        for major, n in majors.iter_rows()
    ]
    return rings(parts, height=520)


PARTS = (("prompt", Both("指令（含输入）", "instruction and input")),
         ("output", Both("回答", "answer")))  # fmt: skip


def lengths(material: Material) -> Figure | None:
    """Figure 3: how long instructions and answers are, on a log axis."""
    records = material.records
    return None if records is None else histogram(records, Both("字数", "characters"))


def histogram(records: pl.DataFrame, unit: Both) -> Figure | None:
    """Lengths of instruction (`prompt`) and answer (`output`) on a log axis."""
    if records.is_empty():
        return None
    columns = [records[name].to_numpy().clip(1) for name, _ in PARTS]
    edges = np.geomspace(1, max(10, *(int(one.max()) for one in columns)) + 1, BINS + 1)
    middles = [round(float(one), 2) for one in np.sqrt(edges[:-1] * edges[1:])]
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "line": {"shape": "hvh", "width": 2, "color": PALETTE[number]},
            "fill": "tozeroy",
            "name": say(name, 40),
            "x": middles,
            "y": np.histogram(column, bins=edges)[0].tolist(),
        }
        for number, ((_, name), column) in enumerate(zip(PARTS, columns, strict=True))
    ]
    layout = {
        "height": 380,
        "xaxis": {"type": "log", "dtick": 1, "title": {"text": say(unit)}},
        "yaxis": {"title": {"text": say(Both("条数", "records"))}, "rangemode": "tozero"},
        "legend": {"orientation": "h", "y": 1.12},
    }
    return {"data": data, "layout": layout}


def funnel(material: Material) -> Figure | None:
    """Where every record went: sources, rules, duplicates, the draw, the dataset."""
    table = material.tables.get("funnel")
    if table is None or table.is_empty():
        return None
    read = table.filter(stage="read", rule="records")
    names: list[dict[str, str] | str] = []
    links: list[tuple[int, int, int, str]] = []

    def node(text: Both) -> int:
        names.append(say(text, 34))
        return len(names) - 1

    pool = node(Both("读入", "read") + f" {read['left'].sum():,}")
    amounts = dict(zip(read["source"].to_list(), read["left"].to_list(), strict=True))
    for name, n in _top(amounts).items():
        links.append((node(name + f" {n:,}"), pool, n, PALETTE[0]))
    left = int(read["left"].sum())
    for stage, after in _STAGES:
        gone = table.filter(pl.col("dropped").fill_null(0) > 0, stage=stage)
        if gone.is_empty():
            continue
        totals: Counter[str] = Counter()
        for rule, n in gone.select("rule", "dropped").iter_rows():
            totals[str(rule)] += int(n)
        for name, n in _top(dict(totals)).items():
            links.append((pool, node(name + f" {n:,}"), n, PALETTE[5]))
        left -= sum(totals.values())
        kept = node(after + f" {left:,}")
        links.append((pool, kept, left, PALETTE[2]))
        pool = kept
    return {"data": [_sankey(names, links)], "layout": {"height": 560}}


_STAGES = (
    ("curate", Both("规则留下", "kept by rules")),
    ("dedup", Both("去重后", "after dedup")),
    ("assemble", Both("选入数据集", "chosen")),
)


def _top(amounts: dict[str, int]) -> dict[Both, int]:
    """The largest by name, the others together."""
    order = sorted(amounts.items(), key=lambda one: (-one[1], one[0]))
    found = {Both(name, name): n for name, n in order[:NODES] if n}
    rest = sum(n for _, n in order[NODES:])
    return {**found, Both("其余", "others"): rest} if rest else found


def _sankey(names: list[dict[str, str] | str], links: list[tuple[int, int, int, str]]) -> Figure:
    shades = [f"rgba({int(c[1:3], 16)},{int(c[3:5], 16)},{int(c[5:], 16)},.35)" for *_, c in links]
    return {
        "type": "sankey",
        "node": {"label": names, "pad": 12, "thickness": 12, "color": "#8a93a0"},
        "link": {
            "source": [a for a, *_ in links],
            "target": [b for _, b, *_ in links],
            "value": [n for _, _, n, _ in links],
            "color": shades,
        },
    }
