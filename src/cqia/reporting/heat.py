"""The heat map source x ability, as a table of coloured cells.

A table and not a picture: it can be read aloud, printed and copied, and every cell leads to its
number. The scale is symmetric and of each benchmark's own, since points and bits don't compare.
Blue is better and orange is worse whatever the benchmark's direction; what can't be told apart from
the base is hatched grey, so that no colour says more than its interval.
"""

from __future__ import annotations

from cqia.reporting import both, grids, verdicts
from cqia.reporting.both import Both
from cqia.reporting.html import MARK, spans, table
from cqia.reporting.material import Material
from cqia.reporting.verdicts import NOTHING, UNDECIDED, Verdict

LEVELS = 5
"""Shades on each side."""


def heat(material: Material, base: str) -> str:
    """The heat map of one base."""
    known = {
        (one.row["subset"], one.row["benchmark"], one.row["group"]): one
        for one in verdicts.verdicts(material.cells.filter(base=base))
    }
    columns = [
        (name, group)
        for name in material.benchmarks
        for group in sorted(grids.groups(material, name), key=bool)
        if group != "macro" and any((s, name, group) in known for s in material.subsets)
    ]
    most = {
        name: max((abs(v.gain or 0) for k, v in known.items() if k[1] == name), default=0)
        for name in material.benchmarks
    }
    head = "<th></th>" + "".join(
        f'<th scope="col">{_head(*one, scripted=one[0] in material.scripted)}</th>'
        for one in columns
    )
    rows = "".join(
        f'<tr><th scope="row">{spans(both.subset(name))}</th>'
        + "".join(_cell(material, known.get((name, *one)), most[one[0]]) for one in columns)
        + "</tr>\n"
        for name in material.subsets
        if name
    )
    number = material.bases.index(base)
    title = Both(f"来源 × 能力：与未微调基座的差异，基座 {base}",
                 f"Source × ability: difference to the untuned base, base {base}")  # fmt: skip
    return table(f"heat-{number}", title, head, rows, (_legend(),)).replace(
        'class="table"', 'class="table heat"', 1
    )


def _head(benchmark: str, group: str, *, scripted: bool) -> str:
    name = both.group(group) if group else Both("全部", "all")
    note = f"<small>{spans(both.SCRIPTED)}</small>" if scripted else ""
    return f"<small>{spans(both.same(benchmark))}</small>{spans(name)}{note}"


def _cell(material: Material, one: Verdict | None, most: float) -> str:
    if one is None or one.says == NOTHING:
        return '<td class="none">–</td>'
    scale = verdicts.scale(material, one.row["benchmark"])
    shade = "" if one.says == UNDECIDED else f" s{level(one.gain or 0, most)}"
    return (
        f'<td class="{one.says}{shade}"><a href="#{one.anchor}">{MARK[one.says]} '
        f"{scale.signed(one.row['difference'])}</a></td>"
    )


def level(gain: float, most: float) -> int:
    """The shade of a gain, 1 to LEVELS, the same for as much better and as much worse."""
    share = abs(gain) / most if most else 0
    return max(1, min(LEVELS, round(share * LEVELS)))


def _legend() -> Both:
    return Both(
        "▲ 蓝色：更好；▼ 橙色：更差；≈ 灰色斜纹：同时区间含 0，分不出高下。"
        "颜色深浅按每个评测各自的最大差异，正负对称。",
        "▲ blue: better; ▼ orange: worse; ≈ hatched grey: the simultaneous interval holds 0, not "
        "told apart. Shades are scaled to each benchmark's largest difference, the same both ways.",
    )
