"""Figures of the statement as plain values for plotly.js: nothing is drawn here.

Texts in two languages stand as {"zh": …, "en": …}; the page takes one of them when it draws. Plotly
reads a little HTML in labels, so texts from data are escaped by `label`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import polars as pl

from cqia.reporting import both, grids, verdicts
from cqia.reporting.both import Both
from cqia.reporting.material import Material
from cqia.reporting.verdicts import BETTER, UNDECIDED, WORSE, Verdict
from cqia.tables import plain

Figure = dict[str, Any]
Said: TypeAlias = dict[str, str] | str
"""A label as plotly gets it: one text, or one a language."""

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6BB1", "#7F7F7F")
"""Okabe and Ito's colours, told apart by colour-blind readers."""
DASHES = ("solid", "dash", "dot", "dashdot")
_COLOURS = {BETTER: "#2b7bba", WORSE: "#d95f0e", UNDECIDED: "#8a93a0"}
_SYMBOLS = {BETTER: "triangle-up", WORSE: "triangle-down", UNDECIDED: "circle-open"}
LONGEST = 18
"""Characters of a name beside an axis; the whole stands in the tables."""


def label(text: str, longest: int = LONGEST) -> str:
    """A text from data that plotly shows as it is, in one line."""
    flat = " ".join(plain(text).split())
    flat = flat if len(flat) <= longest else flat[: longest - 1] + "…"
    return flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def say(text: Both, longest: int = LONGEST) -> dict[str, str] | str:
    """A text in both languages for plotly."""
    zh, en = label(text.zh, longest), label(text.en, longest)
    return zh if zh == en else {"zh": zh, "en": en}


def forest(material: Material, base: str, benchmark: str, groups: Sequence[str]) -> Figure | None:
    """Differences to the untuned base with their simultaneous intervals, a line a row."""
    scale = verdicts.scale(material, benchmark)
    known = verdicts.verdicts(material.cells.filter(base=base, benchmark=benchmark))
    ticks: list[Any] = []
    points: list[tuple[int, Verdict]] = []
    for group in groups:
        mine = {one.row["subset"]: one for one in known if one.row["group"] == group}
        if len(groups) > 1:
            ticks.append(_bold(both.group(group)))
        for name in material.subsets:
            if name in mine and mine[name].says in _COLOURS:
                points.append((len(ticks), mine[name]))
                ticks.append(label(name))
    if not points:
        return None
    data = [_dots(points, says, scale) for says in (BETTER, WORSE, UNDECIDED)]
    lower = material.cells.filter(benchmark=benchmark)["direction"].eq("lower").any()
    way = Both("← 更好", "← better") if lower else Both("更好 →", "better →")
    title = Both("差异", "difference") + (f" ({scale.unit}) " if scale.unit else " ")
    return {
        "data": [one for one in data if one["x"]],
        "layout": {
            "height": 110 + 26 * len(ticks),
            "showlegend": False,
            "xaxis": {"title": {"text": say(title + way, 60)}, "zeroline": True},
            "yaxis": {
                "tickvals": list(range(len(ticks))),
                "ticktext": ticks,
                "range": [len(ticks) - 0.4, -0.6],
                "zeroline": False,
            },
        },
    }


def _bold(text: Both) -> dict[str, str]:
    return {"zh": f"<b>{label(text.zh)}</b>", "en": f"<b>{label(text.en)}</b>"}


def _dots(points: list[tuple[int, Verdict]], says: str, scale: verdicts.Scale) -> Figure:
    mine = [(place, one.row) for place, one in points if one.says == says]
    factor = scale.factor
    texts = [
        f"{label(row['subset'], 60)}<br>{scale.signed(row['difference'])} "
        f"[{scale.signed(row['simultaneous_low'])}, {scale.signed(row['simultaneous_high'])}]"
        f"<br>n={row['read']}"
        for _, row in mine
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [row["difference"] * factor for _, row in mine],
        "y": [place for place, _ in mine],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [(row["simultaneous_high"] - row["difference"]) * factor for _, row in mine],
            "arrayminus": [(row["difference"] - row["simultaneous_low"]) * factor
                           for _, row in mine],
            "color": _COLOURS[says],
            "thickness": 1.6,
        },
        "marker": {"size": 9, "color": _COLOURS[says], "symbol": _SYMBOLS[says]},
        "hovertext": texts,
        "hoverinfo": "text",
    }  # fmt: skip


def seeds(material: Material, base: str, benchmark: str) -> Figure | None:
    """Every seed's mean by itself: how far training again moves a row."""
    frame = material.outcomes
    if frame is None:
        return None
    mine = frame.filter(base=base, benchmark=benchmark, state="read")
    means = mine.group_by("subset", "seed").agg(mean=pl.col("score").mean()).sort("seed")
    if means.is_empty() or means.group_by("subset").len()["len"].max() == 1:
        return None
    scale = verdicts.scale(material, benchmark)
    names = [name for name in material.subsets if name in means["subset"]]
    data = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": (means.filter(subset=name)["mean"] * scale.factor).to_list(),
            "y": [number] * len(means.filter(subset=name)),
            "hovertext": [f"seed {one}" for one in means.filter(subset=name)["seed"]],
            "hoverinfo": "text+x",
            "marker": {"size": 10, "opacity": 0.75, "symbol": "diamond",
                       "color": PALETTE[number % len(PALETTE)]},
        }
        for number, name in enumerate(names)
    ]  # fmt: skip
    layout = {
        "height": 100 + 26 * len(names),
        "showlegend": False,
        "xaxis": {"title": {"text": label(scale.unit, 40)}},
        "yaxis": {
            "tickvals": list(range(len(names))),
            "ticktext": [say(both.subset(one)) for one in names],
            "range": [len(names) - 0.4, -0.6],
            "zeroline": False,
        },
    }
    return {"data": data, "layout": layout}


def losses(material: Material, base: str) -> Figure | None:
    """Training losses, a line a cell; seeds of a row differ in their dashes."""
    data = []
    names = [one for one in material.subsets if one]
    for cell in material.statement.get("cells", []):
        path = material.work / str(cell.get("folder") or "-") / "loss.parquet"
        if cell.get("base") != base or not path.is_file():
            continue
        frame = pl.read_parquet(path, columns=["step", "loss"]).drop_nulls()
        frame = frame.gather_every(max(1, len(frame) // 200))
        name, seed = str(cell["subset"]), cell["seed"]
        colour = names.index(name) if name in names else 0
        order = material.statement.get("seeds", [seed])
        dash = DASHES[order.index(seed) % len(DASHES) if seed in order else 0]
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": label(f"{name} · {seed}", 30),
                "x": frame["step"].to_list(),
                "y": [round(one, 4) for one in frame["loss"]],
                "line": {"color": PALETTE[colour % len(PALETTE)], "dash": dash, "width": 1.5},
            }
        )
    if not data:
        return None
    layout = {
        "height": 460 + 18 * len(data) // 3,
        "xaxis": {"title": {"text": say(Both("步", "step"))}},
        "yaxis": {"title": {"text": say(Both("损失", "loss"))}},
        "legend": {"orientation": "h", "y": -0.2},
        "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
    }
    return {"data": data, "layout": layout}


def pairwise(material: Material, base: str, benchmark: str) -> Figure | None:
    """Figure 4: wins, ties and losses as stacked bars, a bar a row."""
    counts = duels(material, base, benchmark)
    if counts.is_empty():
        return None
    names = [
        say(both.subset(row["subset"]) + (f" · {row['group']}" if row["group"] else ""), 28)
        for row in counts.iter_rows(named=True)
    ]
    words = {
        "win": (Both("胜", "win"), "#2b7bba"),
        "tie": (Both("平", "tie"), "#b8bec8"),
        "lose": (Both("负", "lose"), "#d95f0e"),
    }
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": say(word),
            "y": list(range(len(names))),
            "x": (counts[key] / counts["n"] * 100).to_list(),
            "text": [f"{n}" for n in counts[key]],
            "hoverinfo": "text+name",
            "hovertext": [f"{a} / {n}" for a, n in zip(counts[key], counts["n"], strict=True)],
            "marker": {"color": colour},
        }
        for key, (word, colour) in words.items()
    ]
    layout = {
        "barmode": "stack",
        "height": 130 + 32 * len(names),
        "xaxis": {"title": {"text": "%"}, "range": [0, 100]},
        "yaxis": {"tickvals": list(range(len(names))), "ticktext": names, "autorange": "reversed"},
        "legend": {"orientation": "h", "y": 1.1},
    }
    return {"data": data, "layout": layout}


def duels(material: Material, base: str, benchmark: str) -> pl.DataFrame:
    """Of each row and rival: n, wins (score 1), ties (between) and losses (score 0)."""
    empty = pl.DataFrame(
        schema={"subset": pl.String, "group": pl.String, "n": pl.UInt32, "win": pl.UInt32,
                "tie": pl.UInt32, "lose": pl.UInt32}
    )  # fmt: skip
    frame = material.outcomes
    if frame is None or not is_pairwise(material, benchmark):
        return empty
    mine = frame.filter(base=base, benchmark=benchmark, state="read")
    score = pl.col("score")
    return mine.group_by("subset", "group", maintain_order=True).agg(
        n=pl.len(),
        win=(score == 1).sum(),
        tie=((score > 0) & (score < 1)).sum(),
        lose=(score == 0).sum(),
    )


def is_pairwise(material: Material, benchmark: str) -> bool:
    """Whether a benchmark sets replies against a rival's."""
    facts = material.facts_of("benchmarks", benchmark)
    said = f"{benchmark} {facts.get('mode', '')} {facts.get('benchmark', '')}".lower()
    return "pairwise" in said or bool(material.evaluations.get(benchmark, {}).get("rival"))


def shown_groups(material: Material, benchmark: str) -> list[str]:
    """The groups of a benchmark that are abilities, not averages."""
    return [one for one in grids.groups(material, benchmark) if one not in ("", "macro")]


def rings(parts: Iterable[tuple[Said, int, list[tuple[Said, int]]]], *, height: int) -> Figure:
    """Two rings: every part with its number, and around it its own parts with theirs."""
    ids: list[str] = []
    labels: list[Said] = []
    parents: list[str] = []
    values: list[int] = []
    for number, (name, n, inner) in enumerate(parts):
        ids += [f"{number}", *(f"{number}/{place}" for place in range(len(inner)))]
        labels += [name, *(outer for outer, _ in inner)]
        parents += ["", *(f"{number}" for _ in inner)]
        values += [n, *(m for _, m in inner)]
    trace = {
        "type": "sunburst",
        "ids": ids,
        "labels": labels,
        "parents": parents,
        "values": values,
        "branchvalues": "total",
        "hoverinfo": "label+value+percent entry",
        "insidetextorientation": "radial",
    }
    layout = {
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 10, "b": 10},
        "sunburstcolorway": list(PALETTE),
    }
    return {"data": [trace], "layout": layout}
