"""Figures of the described dataset beside those of a report: verbs, lengths a source, maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from cqia.reporting.both import Both, same
from cqia.reporting.data_figures import PARTS
from cqia.reporting.figures import PALETTE, Figure, Said, label, rings, say

VERBS = 20
OBJECTS = 4
"""The paper's two rings: the commonest verbs and, of each, its commonest objects."""
COLUMNS = 24
"""Columns of a map; the rest share one."""
_BLUES = [[0, "rgba(0,114,178,0)"], [1, "rgba(0,114,178,.85)"]]


def verbs(pairs: pl.DataFrame) -> Figure | None:
    """Root verbs and their objects in two rings."""
    told = pairs.filter(pl.col("noun") != "")
    if told.is_empty():
        return None
    counts = told.group_by("verb", "noun").len().sort("len", "noun", descending=[True, False])
    best = counts.group_by("verb").agg(pl.col("len").sum())
    best = best.sort("len", "verb", descending=[True, False]).head(VERBS)
    parts: list[tuple[Said, int, list[tuple[Said, int]]]] = []
    for verb, _ in best.iter_rows():
        inner = counts.filter(verb=verb).head(OBJECTS).select("noun", "len")
        objects: list[tuple[Said, int]] = [(label(noun), int(n)) for noun, n in inner.iter_rows()]
        parts.append((label(verb), sum(n for _, n in objects), objects))
    return rings(parts, height=620)


def boxes(lengths: pl.DataFrame, titles: dict[str, str], unit: Both) -> Figure | None:
    """Lengths a source: median, quartiles, and the 5th and 95th percentile, on a log axis."""
    if lengths.is_empty():
        return None
    counts = dict(lengths.group_by("source").len().iter_rows())
    order = [name for name in titles if name in counts]
    names: list[Any] = [say(same(titles[one]) + f" n={counts[one]:,}", 28) for one in order]
    names.append(say(Both("合计", "total") + f" n={len(lengths):,}", 28))
    frames = [lengths.filter(source=one) for one in order] + [lengths]
    data = []
    for number, (column, name) in enumerate(PARTS):
        found = [
            [max(1.0, frame[column].quantile(q / 100, "linear") or 1) for q in (5, 25, 50, 75, 95)]
            for frame in frames
        ]
        fences = {
            key: [round(one[place], 2) for one in found]
            for place, key in enumerate(("lowerfence", "q1", "median", "q3", "upperfence"))
        }
        data.append(
            {
                "type": "box",
                "orientation": "h",
                "name": say(name, 40),
                "y": list(range(len(names))),
                **fences,
                "line": {"color": PALETTE[number], "width": 1.4},
            }
        )
    layout = {
        "boxmode": "group",
        "height": 120 + 40 * len(names),
        "xaxis": {"type": "log", "dtick": 1, "title": {"text": say(unit)}},
        "yaxis": {
            "tickvals": list(range(len(names))),
            "ticktext": names,
            "autorange": "reversed",
            "zeroline": False,
        },
        "legend": {"orientation": "h", "y": 1.08},
    }
    return {"data": data, "layout": layout}


def spread(measures: pl.DataFrame, titles: dict[str, str]) -> Figure | None:
    """Mean distance between two records of a source, with its interval."""
    told = measures.drop_nulls("spread")
    place = {name: number for number, name in enumerate([*titles, "total"])}
    told = told.sort(pl.col("source").replace_strict(place, default=len(place)))
    if told.is_empty():
        return None
    names = [titles.get(one, one) for one in told["source"]]
    whole = Both("合计", "total")
    ticks = [
        say((whole if source == "total" else same(name)) + f" n={n:,}", 28)
        for source, name, n in zip(told["source"], names, told["spread_n"], strict=True)
    ]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": told["spread"].to_list(),
        "y": list(range(len(told))),
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": (told["spread_high"] - told["spread"]).to_list(),
            "arrayminus": (told["spread"] - told["spread_low"]).to_list(),
            "color": PALETTE[0],
            "thickness": 1.6,
        },
        "marker": {"size": 9, "color": PALETTE[0]},
        "hoverinfo": "x",
    }
    layout = {
        "height": 110 + 26 * len(told),
        "showlegend": False,
        "xaxis": {"title": {"text": say(Both("平均距离（0–1）", "mean distance (0–1)"), 40)}},
        "yaxis": {
            "tickvals": list(range(len(told))),
            "ticktext": ticks,
            "range": [len(told) - 0.4, -0.6],
            "zeroline": False,
        },
    }
    return {"data": [trace], "layout": layout}


def grid(
    rows: list[tuple[str, str, float, str]],
    *,
    down: list[str],
    across: list[str],
    names: dict[str, Any],
    square: bool = False,
) -> Figure | None:
    """A map: (row, column, value that colours it, text in it); what is not there is blank."""
    if not rows:
        return None
    known = {(a, b): (value, said) for a, b, value, said in rows}
    values = [[known.get((a, b), (None, ""))[0] for b in across] for a in down]
    texts = [[known.get((a, b), (None, ""))[1] for b in across] for a in down]
    trace = {
        "type": "heatmap",
        "x": list(range(len(across))),
        "y": list(range(len(down))),
        "z": values,
        "text": texts,
        "texttemplate": "%{text}",
        "hoverinfo": "text",
        "colorscale": _BLUES,
        "zmin": 0,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
    }
    layout = {
        "height": 150 + 26 * len(down),
        "xaxis": {
            "tickvals": list(range(len(across))),
            "ticktext": [names.get(one, label(one)) for one in across],
            "tickangle": -45,
            "side": "top",
            "showgrid": False,
            "zeroline": False,
        },
        "yaxis": {
            "tickvals": list(range(len(down))),
            "ticktext": [names.get(one, label(one)) for one in down],
            "autorange": "reversed",
            "showgrid": False,
            "zeroline": False,
        },
    }
    if square:
        layout["width"] = 200 + 44 * len(across)
    return {"data": [trace], "layout": layout}


def domains(counts: pl.DataFrame, totals: dict[str, int], titles: dict[str, str]) -> Figure | None:
    """Which share of a source's records is of which domain; the text is the number."""
    sums = counts.group_by("domain").agg(pl.col("records").sum())
    order = sums.sort("records", "domain", descending=[True, False])["domain"].to_list()
    across = [one for one in order if one not in ("…", "")]
    across += [one for one in ("…", "") if one in order]
    down = [one for one in titles if totals.get(one)]
    rows = [
        (source, domain, n / totals[source], f"{n:,}")
        for source, domain, n in counts.select("source", "domain", "records").iter_rows()
        if totals.get(source)
    ]
    names = _named(titles, totals)
    names |= {"…": say(Both("其余", "others")), "": say(Both("未标注", "not told"))}
    return grid(rows, down=down, across=across, names=names)


def alike(counts: pl.DataFrame, titles: dict[str, str]) -> Figure | None:
    """Near-duplicate pairs within and between sources; colour by the logarithm."""
    both = pl.concat(
        [
            counts,
            counts.filter(pl.col("source") != pl.col("other")).select(
                source="other", other="source", pairs="pairs"
            ),
        ]
    )
    order = [one for one in titles if one in set(both["source"])]
    rows = [(a, b, float(np.log10(1 + n)), f"{n:,}") for a, b, n in both.iter_rows()]
    names = {one: label(titles[one]) for one in order}
    return grid(rows, down=order, across=order, names=names, square=True)


def defects(found: pl.DataFrame, titles: dict[str, str]) -> Figure | None:
    """The share of a source's records with a kind of finding; the text is the number."""
    totals = dict(found.select("source", "checked").unique().iter_rows())
    kinds = found.group_by("kind").agg(pl.col("records").sum())
    kinds = kinds.sort("records", "kind", descending=[True, False]).head(COLUMNS)
    across = kinds["kind"].to_list()
    down = [one for one in titles if totals.get(one)]
    rows = [
        (source, kind, share, f"{n:,}")
        for source, kind, n, share in found.select("source", "kind", "records", "share").iter_rows()
        if kind in across
    ]
    return grid(rows, down=down, across=across, names=_named(titles, totals))


def _named(titles: dict[str, str], totals: dict[str, int]) -> dict[str, Any]:
    return {one: say(same(titles[one]) + f" n={totals.get(one, 0):,}", 28) for one in titles}
