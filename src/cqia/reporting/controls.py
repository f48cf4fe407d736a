"""Controls: rows that must not help, and whether they came out so.

A statement in which a shuffled source helps says something of its own making. A shuffled control
must be worse than the base somewhere and better nowhere; a swapped one must not beat the source it
was made from; a random draw has nothing it must do and is what sources are held against. The other
way round, a source must be best on held-out text of its own kind, or the experiment sees nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from cqia.reporting import both, verdicts
from cqia.reporting.both import Both, same
from cqia.reporting.material import Material
from cqia.reporting.verdicts import BETTER, WORSE, Verdict
from cqia.reporting.words import SAYS, ability

HELD, BROKEN, OPEN = "held", "broken", "open"
OUTCOMES = {
    HELD: Both("符合预期", "as it must"),
    BROKEN: Both("不符合预期", "NOT as it must"),
    OPEN: Both("无定论", "open"),
}
KINDS = {
    "shuffle": Both("字符打乱", "characters shuffled"),
    "swap": Both("答案互换", "answers swapped"),
    "random": Both("随机抽取", "random draw"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A control on one base, what it must do, and what it did."""

    base: str
    subset: str
    kind: str
    must: Both
    outcome: str
    found: Both


def kind_of(facts: dict[str, Any]) -> str:
    """Which control a subset is; empty: none."""
    told = str(facts.get("control") or "") or str(facts.get("kind") or "")
    return next((kind for kind in KINDS if told.startswith(kind)), "")


def controls(material: Material) -> list[Control]:
    """All controls of the statement."""
    found = []
    for base in material.bases:
        for name in material.subsets:
            kind = kind_of(material.facts_of("subsets", name)) if name else ""
            if kind == "shuffle":
                found.append(_shuffled(material, base, name))
            if kind == "swap":
                found.append(_swapped(material, base, name))
            if kind == "random":
                found.append(_random(material, base, name))
            if name and not kind:
                found += _own(material, base, name)
    return found


def _own(material: Material, base: str, name: str) -> list[Control]:
    """A row of one source, wherever a benchmark has a group of that source's name."""
    facts = material.facts_of("subsets", name)
    sources = facts.get("sources") or []
    mine = material.cells.filter(base=base, subset=name)
    if len(sources) != 1 or facts.get("kind", "subset") != "subset":
        return []
    return [
        _own_kind(material, verdicts.verdict(row))
        for row in mine.filter(group=sources[0]).iter_rows(named=True)
    ]


def _own_kind(material: Material, own: Verdict) -> Control:
    """Whether a row is better than the base, and than every row of other sources, at its own."""
    base, name, source = own.row["base"], own.row["subset"], own.row["group"]
    others = [
        other
        for other in material.subsets
        if other and source not in (material.facts_of("subsets", other).get("sources") or [source])
    ]
    place = ability(own.row["benchmark"], source)
    found = [
        says
        for other in others
        for one, says in _pairs(material, base, name, other)
        if one == place
    ]
    ahead, behind = found.count(BETTER), found.count(WORSE)
    best = own.says == BETTER and ahead == len(found)
    outcome = BROKEN if behind or own.says == WORSE else HELD if best and found else OPEN
    return Control(
        base=base, subset=name, kind="own", outcome=outcome,
        must=Both("必须在自己一类的留出文本上最好：", "must be best at its own kind, held out: ")
        + place,
        found=Both("与基座相比：", "against the base: ") + SAYS[own.says]
        + Both(f"；胜过 {len(found)} 个其他来源中的 {ahead} 个，不如 {behind} 个",
               f"; better than {ahead} of {len(found)} other sources, worse than {behind}"),
    )  # fmt: skip


def _verdicts(material: Material, base: str, name: str) -> dict[str, list[Both]]:
    """The abilities that a row is better, and worse, at."""
    mine = material.cells.filter(pl.col("group") != "macro", base=base, subset=name)
    known = verdicts.verdicts(mine)
    return {
        says: [ability(v.row["benchmark"], v.row["group"]) for v in known if v.says == says]
        for says in (BETTER, WORSE)
    }


def _shuffled(material: Material, base: str, name: str) -> Control:
    found = _verdicts(material, base, name)
    better, worse = found[BETTER], found[WORSE]
    outcome = BROKEN if better else HELD if worse else OPEN
    return Control(
        base=base, subset=name, kind="shuffle", outcome=outcome,
        must=Both("必须有害：至少一项更差，没有一项更好",
                  "must harm: worse at something, better at nothing"),
        found=Both(f"{len(worse)} 项更差，{len(better)} 项更好",
                   f"worse at {len(worse)}, better at {len(better)}") + _listed(better),
    )  # fmt: skip


def _swapped(material: Material, base: str, name: str) -> Control:
    must = Both("不得胜过原来的来源", "must not beat the source it was made from")
    original = _original(material, name)
    pairs = _pairs(material, base, name, original) if original else []
    beats = [one for one, says in pairs if says == BETTER]
    behind = [one for one, says in pairs if says == WORSE]
    if not pairs:
        found, outcome = Both("没有可比的原来源", "the original is not in the comparison"), OPEN
    else:
        outcome = BROKEN if beats else HELD
        found = Both(f"与 {original} 相比：{len(beats)} 项更好，{len(behind)} 项更差，"
                     f"{len(pairs) - len(beats) - len(behind)} 项分不出",
                     f"against {original}: better at {len(beats)}, worse at {len(behind)}, "
                     f"not told apart at {len(pairs) - len(beats) - len(behind)}")  # fmt: skip
        found += _listed(beats)
    return Control(base=base, subset=name, kind="swap", must=must, outcome=outcome, found=found)


def _random(material: Material, base: str, name: str) -> Control:
    ahead = []
    for other in material.subsets:
        if other and other != name and not kind_of(material.facts_of("subsets", other)):
            places = [one for one, says in _pairs(material, base, other, name) if says == BETTER]
            if places:
                ahead.append(same(other) + f" ({len(places)})")
    found = Both("胜过它的来源（项数）：", "sources that beat it (abilities): ")
    text = both.joined(ahead) if ahead else Both("没有", "none")
    must = Both("同等规模的基线：来源要与它比", "the baseline of equal size for every source")
    return Control(base=base, subset=name, kind="random", must=must, outcome="", found=found + text)


def _original(material: Material, name: str) -> str:
    """The row of the same sources to which nothing was done."""
    sources = material.facts_of("subsets", name).get("sources")
    for other in material.subsets:
        facts = material.facts_of("subsets", other) if other else {}
        if sources and facts.get("sources") == sources and not kind_of(facts):
            return other
    return ""


def _pairs(material: Material, base: str, mine: str, other: str) -> list[tuple[Both, str]]:
    """Ability and verdict of a row against another one, wherever both were compared."""
    if material.pairs is None or "verdict" not in material.pairs.columns:
        return []
    found = []
    turned = {BETTER: WORSE, WORSE: BETTER}
    frame = material.pairs.filter(pl.col("group") != "macro", base=base)
    for row in frame.iter_rows(named=True):
        says = str(row["verdict"])
        if row["difference"] is None:
            continue
        if (row["first"], row["second"]) == (mine, other):
            found.append((ability(row["benchmark"], row["group"]), says))
        if (row["first"], row["second"]) == (other, mine):
            found.append((ability(row["benchmark"], row["group"]), turned.get(says, says)))
    return found


def _listed(names: list[Both]) -> Both:
    if not names:
        return same("")
    return Both("：", ": ") + both.joined(names)
