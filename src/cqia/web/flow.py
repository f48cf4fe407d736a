"""A Sankey diagram as SVG: sources on the left, what each stage turned away, and what is left.

Drawn by the server, so that it needs no script, and every band is an ordinary link.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

WIDTH, HEIGHT, NODE = 1000, 460, 10
GAP, LEAST = 20, 1.5
MOST = 10
"""Rules of a stage that are drawn one by one; the others are one node."""


class Flow(NamedTuple):
    """So many records of a source that ended so; stage: which turned them away, empty: none."""

    source: str
    rule: str
    stage: str
    n: int


class Node(NamedTuple):
    """A bar with its name, and where it leads."""

    name: str
    kind: str
    n: int
    x: float
    y: float
    height: float
    link: str


class Band(NamedTuple):
    """A stream between two bars: an SVG path, its width, and where it leads."""

    path: str
    width: float
    kind: str
    title: str
    link: str


class Picture(NamedTuple):
    """What the template draws."""

    width: float
    height: float
    heads: list[tuple[float, str]]
    nodes: list[Node]
    bands: list[Band]


class _Place:
    """Where the next band leaves or reaches a bar."""

    def __init__(self, y: float) -> None:
        self.out = self.into = y


def drawn(flows: Sequence[Flow], stages: Sequence[str]) -> Picture:
    """The picture of a run through these stages."""
    total = max(sum(one.n for one in flows), 1)
    columns = _columns(flows, stages)
    scale = HEIGHT / total
    step = (WIDTH - 260) / max(len(stages), 1)
    nodes: dict[tuple[int, str], Node] = {}
    tallest = 0.0
    for column, names in enumerate(columns):
        y = 30.0
        for name, (kind, count, link) in names.items():
            height = max(count * scale, LEAST)
            nodes[column, name] = Node(name, kind, count, 130 + column * step, y, height, link)
            y += max(height, 8) + GAP
        tallest = max(tallest, y)
    bands = _bands(flows, stages, nodes, scale, _few(flows))
    heads = [(130 + place * step, stage) for place, stage in enumerate(stages, start=1)]
    return Picture(WIDTH, tallest, heads, list(nodes.values()), bands)


def _few(flows: Sequence[Flow]) -> dict[tuple[str, str], str]:
    """(stage, rule) -> the name it is drawn under: its own, or `…`."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for one in flows:
        counts[one.stage, one.rule] += one.n
    found = {}
    for stage in {stage for stage, _ in counts}:
        mine = sorted((key for key in counts if key[0] == stage), key=lambda key: -counts[key])
        for place, key in enumerate(mine):
            many = len(mine) > MOST and place >= MOST - 1
            found[key] = "…" if many else key[1]
    return found


def _columns(flows: Sequence[Flow], stages: Sequence[str]) -> list[dict[str, tuple[str, int, str]]]:
    """For every column its bars in order: name -> kind, records, link."""
    names = _few(flows)
    first: dict[str, tuple[str, int, str]] = {}
    for source in dict.fromkeys(one.source for one in flows):
        count = sum(one.n for one in flows if one.source == source)
        first[source] = ("source", count, link(source=source))
    columns = [first]
    for place, stage in enumerate(stages):
        later = ("", *stages[place + 1 :])
        left = sum(one.n for one in flows if one.stage in later)
        column = {"kept": ("kept", left, link(rule=f"passed:{stage}"))}
        gone: dict[str, int] = defaultdict(int)
        for one in flows:
            if one.stage == stage:
                gone[names[stage, one.rule]] += one.n
        for name, count in sorted(gone.items(), key=lambda one: (one[0] == "…", -one[1])):
            column[name] = ("gone", count, link(rule="dropped" if name == "…" else name))
        columns.append(column)
    return columns


def _bands(
    flows: Sequence[Flow],
    stages: Sequence[str],
    nodes: dict[tuple[int, str], Node],
    scale: float,
    names: dict[tuple[str, str], str],
) -> list[Band]:
    places = {key: _Place(node.y) for key, node in nodes.items()}
    bands = []
    for column, stage in enumerate(stages):
        later = ("", *stages[column + 1 :])
        streams: dict[tuple[str, str], int] = defaultdict(int)
        for one in flows:
            begin = one.source if column == 0 else "kept"
            if one.stage == stage:
                streams[begin, names[stage, one.rule]] += one.n
            elif one.stage in later:
                streams[begin, "kept"] += one.n
        order = list(nodes)
        for (begin, end), count in sorted(
            streams.items(), key=lambda s: (order.index((column, s[0][0])),
                                            order.index((column + 1, s[0][1])))
        ):  # fmt: skip
            one_, two = nodes[column, begin], nodes[column + 1, end]
            width = max(count * scale, LEAST)
            start, stop = places[column, begin], places[column + 1, end]
            a, b = start.out + width / 2, stop.into + width / 2
            start.out += count * scale
            stop.into += count * scale
            x, z = one_.x + NODE, two.x
            middle = (x + z) / 2
            path = f"M{x:.1f},{a:.1f} C{middle:.1f},{a:.1f} {middle:.1f},{b:.1f} {z:.1f},{b:.1f}"
            rule = "" if end == "…" else f"passed:{stage}" if end == "kept" else end
            to = link(source=begin, rule=rule) if column == 0 else link(rule=rule or "dropped")
            kind = "kept" if end == "kept" else "gone"
            bands.append(Band(path, width, kind, f"{begin} → {end}: {count:,}", to))
    return bands


def link(**values: str) -> str:
    """Where the records of a band are."""
    return "/records?" + urlencode({name: value for name, value in values.items() if value})
