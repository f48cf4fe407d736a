"""The statement in words, made from verdicts only: no sentence says more than its interval does."""

from __future__ import annotations

from dataclasses import dataclass

from cqia.reporting import both, verdicts
from cqia.reporting.both import SCRIPTED, Both, same
from cqia.reporting.material import Material
from cqia.reporting.verdicts import BETTER, NOTHING, UNDECIDED, WORSE, Verdict

PROXY = Both("代理实验", "proxy experiment")
SAYS = {
    BETTER: Both("更好", "better"),
    WORSE: Both("更差", "worse"),
    UNDECIDED: Both("分不出高下", "not told apart"),
    NOTHING: Both("没有数字", "no number"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One thing said, and the cell that says it."""

    text: Both
    anchor: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """What is said of one row on one base."""

    base: str
    subset: str
    claims: dict[str, list[Claim]]


def ability(benchmark: str, group: str) -> Both:
    """A benchmark's group by its name; the whole benchmark by the benchmark's own."""
    if not group:
        return same(benchmark) + Both("（全部）", " (all)")
    return both.group(group) + Both(f"（{benchmark}）", f" ({benchmark})")


def paragraphs(material: Material) -> list[Paragraph]:
    """What every row makes every base better and worse at; macro averages repeat their groups."""
    found = []
    known = [v for v in verdicts.verdicts(material.cells) if v.row["group"] != "macro"]
    for base in material.bases:
        for subset in material.subsets:
            mine = [v for v in known if v.row["base"] == base and v.row["subset"] == subset]
            if mine:
                claims = {says: _claims(material, mine, says) for says in SAYS}
                found.append(Paragraph(base=base, subset=subset, claims=claims))
    return found


def _claims(material: Material, found: list[Verdict], says: str) -> list[Claim]:
    """The claims of one kind, the largest first."""
    mine = [one for one in found if one.says == says]
    mine.sort(key=lambda one: -abs(one.gain or 0))
    return [Claim(text=said(material, one), anchor=one.anchor, says=says) for one in mine]


def said(material: Material, one: Verdict) -> Both:
    """A verdict in words: where, by how much, over how many items and seeds."""
    row = one.row
    scale = verdicts.scale(material, row["benchmark"])
    text = ability(row["benchmark"], row["group"]) + tag(material, row["benchmark"])
    text += Both("：", ": ")
    if one.says == NOTHING:
        return text + Both("没有可比的数字", "no number to compare")
    lower = row["direction"] == "lower"
    low, high = scale.signed(row["simultaneous_low"]), scale.signed(row["simultaneous_high"])
    text += f"{scale.signed(row['difference'])} [{low}, {high}]"
    if scale.unit and scale is not verdicts.POINTS:
        text += f" {scale.unit}"
    if lower:
        text += Both("（越低越好）", " (lower is better)")
    n = row["n_paired"] if row["n_paired"] is not None else row["read"]
    text += f", n={n}"
    text += Both(f"，{row['seeds']} 个种子", f", {row['seeds']} seed{'s' * (row['seeds'] != 1)}")
    if one.says == UNDECIDED and row["detectable"] is not None:
        seen = scale.number(row["detectable"])
        text += Both(f"；能看出的最小差异 {seen}", f"; smallest difference it could show {seen}")
    return text


def reach(material: Material, base: str, subset: str) -> Both:
    """How small a difference a row could have shown over each whole benchmark."""
    texts = []
    for name in material.benchmarks:
        mine = material.cells.filter(base=base, subset=subset, benchmark=name, group="")
        for found in mine["detectable"].drop_nulls():
            texts.append(f"{name} {verdicts.scale(material, name).number(found)}")
    if not texts:
        return same("")
    listed = ", ".join(texts)
    return Both(
        f"（整个评测能看出的最小差异：{listed}）",
        f" (smallest difference a whole benchmark could show: {listed})",
    )


def summary(paragraph: Paragraph) -> Both:
    """A row's verdicts counted, in one line."""
    counts = {says: len(claims) for says, claims in paragraph.claims.items() if claims}
    return Both(
        "，".join(f"{n} 项{SAYS[says].zh}" for says, n in counts.items()),
        ", ".join(f"{n} {SAYS[says].en}" for says, n in counts.items()),
    )


def title(material: Material) -> Both:
    """The report's title: a proxy experiment is named so."""
    name = str(material.statement.get("name") or "")
    if not material.statement:
        return Both("数据集报告", "Dataset report")
    text = same(name) + Both("：哪个来源帮助哪种能力", ": which source helps which ability")
    return text + Both("（代理实验）", " (proxy experiment)") if material.proxy else text


def lead(material: Material) -> list[Both]:
    """What was compared with what, and what the numbers mean."""
    if material.cells.is_empty():
        return []
    tuned = len([one for one in material.subsets if one])
    cells = [one for one in material.statement.get("cells", []) if one.get("subset")]
    failed = sum(one.get("state") == "failed" for one in cells)
    n = (len(material.bases), tuned, len(material.benchmarks), len(cells))
    texts = [
        Both(
            f"{n[0]} 个基座、{n[1]} 个训练子集、{n[2]} 个评测；{n[3]} 次训练，{failed} 次失败。",
            f"Base models: {n[0]}; subsets: {n[1]}; benchmarks: {n[2]}; trainings: {n[3]}, "
            f"of which failed: {failed}.",
        ),
        Both(
            "差异都是与未微调的基座在同一批题目上的配对差异，方括号内是同时置信区间；"
            "只有区间不含 0 才说更好或更差。",
            "Differences are paired, on the same items, to the untuned base; brackets hold "
            "simultaneous intervals; better or worse is said only when the interval excludes 0.",
        ),
    ]
    if material.proxy:
        texts.insert(0, proxy_note(material))
    return texts


def tag(material: Material, benchmark: str) -> Both:
    """What stands behind the name of a benchmark that a scripted model took part in."""
    said = Both("（", " (") + SCRIPTED + Both("）", ")")
    return said if benchmark in material.scripted else same("")


def scripted_note(material: Material) -> list[Both]:
    """Which benchmarks' numbers come from a model that only plays one, if any do."""
    names = "、".join(name for name in material.benchmarks if name in material.scripted)
    zh = f"{names}：有只演样子的脚本模型参与，它的数字没有任何含义。"
    en = f"{names}: a scripted model took part, which only plays one; its number means nothing."
    return [Both(zh, en)] if names else []


def proxy_note(material: Material) -> Both:
    """What a proxy experiment is, and that it speaks for no large model."""
    names = "、".join(material.bases)
    return Both(
        f"这是代理实验：基座（{names}）是就地训练的小模型，下面的结论只对它们成立，"
        "不能当作对大模型的结论。",
        f"This is a proxy experiment: the bases ({names}) are small models pre-trained on the "
        "spot; what follows holds for them and is no claim about large models.",
    )
