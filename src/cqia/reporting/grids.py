"""Tables of results as grids: a row a subset, a column an ability, no cell a bare number."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from cqia.reporting import both, verdicts, words
from cqia.reporting.both import NOT_PUBLISHED, Both, same
from cqia.reporting.material import Material
from cqia.reporting.verdicts import Scale, Verdict

SAFETY_BENCH = (
    ("GPT-4", 89.7),
    ("智谱清言 ChatGLM2", 86.8),
    ("ErnieBot", 79.0),
    ("internlm-chat-7B", 78.8),
    ("gpt-3.5-turbo", 78.2),
    ("Baichuan2-chat-13B", 78.0),
    ("text-davinci-003", 77.2),
    ("Qwen", 76.9),
    ("Llama2-Chinese-chat-13B", 66.4),
)
"""SafetyBench's own published averages on its Chinese subset: rows of reference only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number of a table with all that belongs to it."""

    verdict: Verdict
    scale: Scale
    folders: tuple[str, ...]
    kin: bool

    @property
    def value(self) -> str:
        """The mean as it is shown."""
        return self.scale.number(self.verdict.row["mean"])

    @property
    def interval(self) -> str:
        """The mean's interval, or an empty text."""
        row = self.verdict.row
        if row["low"] is None or row["high"] is None:
            return ""
        return f"[{self.scale.number(row['low'])}, {self.scale.number(row['high'])}]"

    @property
    def counts(self) -> str:
        """How many items were read, and how many could not be."""
        row = self.verdict.row
        text = f"n={row['read'] or 0}"
        for name in ("unreadable", "failed"):
            text += f" {name}={row[name]}" if row[name] else ""
        return text

    @property
    def text(self) -> str:
        """The cell in one line, for Markdown, CSV and LaTeX."""
        if not self.value:
            return f"- ({self.counts})"
        rank = self.verdict.row["rank"]
        place = f" #{rank}" if rank is not None else ""
        return f"{self.value} {self.interval} ({self.counts}){place}{' kin' if self.kin else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row: its name, its note (a control, a size) and its cells."""

    name: Both
    note: Both
    cells: tuple[Cell | Both, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table of the report."""

    key: str
    title: Both
    notes: tuple[Both, ...] = ()
    columns: tuple[Both, ...] = ()
    rows: tuple[Row, ...] = field(default=())


def results(
    material: Material,
    key: str,
    title: Both,
    *,
    base: str,
    columns: list[tuple[str, str]],
    notes: tuple[Both, ...] = (),
    extra: tuple[Row, ...] = (),
) -> Grid:
    """A base's rows over columns of benchmark and group; the untuned base comes first."""
    known = {
        (row["subset"], row["benchmark"], row["group"]): row
        for row in material.cells.filter(base=base).iter_rows(named=True)
    }
    scales = {name: verdicts.scale(material, name) for name, _ in columns}
    kin = kinsfolk(material)
    names = [name for name in material.subsets if any((name, *c) in known for c in columns)]
    rows = []
    for name in names:
        cells: list[Cell | Both] = []
        for column in columns:
            found = known.get((name, *column))
            if found is None:
                cells.append(Both("没有跑", "not run"))
                continue
            folders = tuple(material.folders(base, name, column[0]))
            cell = Cell(
                verdict=verdicts.verdict(found), scale=scales[column[0]], folders=folders,
                kin=(name, column[0]) in kin,
            )  # fmt: skip
            cells.append(cell)
        rows.append(Row(name=both.subset(name), note=note(material, name), cells=tuple(cells)))
    many = len({benchmark for benchmark, _ in columns}) > 1
    units = {one.unit for one in scales.values()}
    if len(units) == 1 and not many:
        title += "".join(f" ({unit})" for unit in units if unit)
        units = set()
    if not many:
        title += words.tag(material, columns[0][0])
    heads = tuple(
        head(*one, scales[one[0]].unit if units else "", many=many)
        + (words.tag(material, one[0]) if many else same(""))
        + some(material, base, *one)
        for one in columns
    )
    return Grid(key=key, title=title, notes=notes, columns=heads, rows=(*rows, *extra))


def head(benchmark: str, group: str, unit: str, *, many: bool) -> Both:
    """A column's name, with its unit where columns differ in it."""
    name = same(benchmark) if many and not group else both.group(group)
    if many and group:
        name = same(f"{benchmark} ") + name
    return name + f" ({unit})" if unit else name


def some(material: Material, base: str, benchmark: str, group: str) -> Both:
    """Of how many groups a mean of groups is, where it is not of all of them."""
    cells = material.cells.filter(base=base, benchmark=benchmark, group=group)
    for few, every in cells.select("groups", "all_groups").drop_nulls().head(1).iter_rows():
        if few < every:
            return Both(f"（{every} 类中的 {few} 类）", f" ({few} of {every} groups)")
    return same("")


def note(material: Material, name: str) -> Both:
    """What stands under a row's name: size, author of the answers, and whether it is a control."""
    facts = material.facts_of("subsets", name)
    texts = []
    if facts.get("control"):
        texts.append(Both("对照：", "control: ") + str(facts["control"]))
    if facts.get("records") is not None:
        texts.append(Both(f"{facts['records']} 条", f"{facts['records']} records"))
    if facts.get("writer_family"):
        texts.append(Both("作者：", "by ") + str(facts["writer_family"]))
    if facts.get("short"):
        texts.append(Both("预算未满", "below budget"))
    return Both(" · ".join(t.zh for t in texts), " · ".join(t.en for t in texts))


def kinsfolk(material: Material) -> set[tuple[str, str]]:
    """Subset and benchmark where the answers' author and the judge are of one family."""
    frame = material.outcomes
    if frame is None or not {"writer_family", "judge_family"} <= set(frame.columns):
        return set()
    same_family = (pl.col("judge_family") != "") & (
        pl.col("judge_family") == pl.col("writer_family")
    )
    return set(frame.filter(same_family).select("subset", "benchmark").unique().iter_rows())


def groups(material: Material, benchmark: str) -> list[str]:
    """A benchmark's groups, in the order of columns, its averages last."""
    found = material.cells.filter(benchmark=benchmark)["group"].unique().to_list()
    return sorted(found, key=both.place)


def paper_tables(material: Material) -> list[Grid]:
    """Tables 2 to 5 in the paper's form, a base each, and what their columns sum up."""
    main, safety, others = parts(material)
    found = []
    for number, base in enumerate(material.bases):
        where = Both(f"，基座 {base}", f", base {base}")
        if main:
            label = f"{min(number, 1) + 2}{chr(96 + number) if 1 < number < 27 else ''}"
            title = Both(f"表 {label}：{main}", f"Table {label}: {main}") + where
            found.append(
                results(
                    material, f"table-2-{number}", title, base=base,
                    columns=[(main, group) for group in groups(material, main)],
                    notes=(_judged(material, main), RANKS, _theirs()),
                )
            )  # fmt: skip
        for place, name in enumerate(safety):
            title = Both(f"表 4：{name}", f"Table 4: {name}") + where
            columns = [(name, group) for group in groups(material, name) if group != "macro"]
            found.append(
                results(
                    material, f"table-4-{number}-{place}", title, base=base, columns=columns,
                    notes=(RANKS, _theirs()), extra=references(columns),
                )
            )  # fmt: skip
        if others:
            title = Both("表 5：其他评测", "Table 5: further benchmarks") + where
            columns = [(name, "") for name in others]
            found.append(
                results(
                    material, f"table-5-{number}", title, base=base, columns=columns,
                    notes=(RANKS, _theirs()),
                )
            )  # fmt: skip
    return [one for one in found if one.rows]


def details(material: Material) -> list[Grid]:
    """The groups of Table 5's benchmarks, a table each."""
    found = []
    for number, base in enumerate(material.bases):
        for place, name in enumerate(parts(material)[2]):
            columns = [(name, group) for group in groups(material, name) if group]
            title = Both(f"{name} 各项，基座 {base}", f"{name} by group, base {base}")
            key = f"detail-{number}-{place}"
            if columns:
                found.append(
                    results(material, key, title, base=base, columns=columns, notes=(RANKS,))
                )
    return [one for one in found if one.rows]


RANKS = Both(
    "#：名次，名次相同的行分不出高下；▲▼≈ 是与未微调基座的比较；n 是读出的题数。",
    "#: rank, shared by rows that can't be told apart; ▲▼≈: against the base; n: items read.",
)


def parts(material: Material) -> tuple[str, list[str], list[str]]:
    """Which benchmark stands for Tables 2 and 3, which for Table 4, which for Table 5.

    Belle-Eval with a judge is the paper's; without one, the benchmark with the most groups that
    is not SafetyBench takes its place, and the table's note says so.
    """
    names = material.benchmarks
    safety = [name for name in names if _key(name).startswith("safetybench")]
    rest = [name for name in names if name not in safety]
    judged = [name for name in rest if material.facts_of("benchmarks", name).get("judge")]
    belle = [name for name in judged if "belle" in _key(name)] or judged
    count = {name: len(groups(material, name)) for name in rest}
    main = belle[0] if belle else max(rest, key=lambda name: count[name], default="")
    return main, safety, [name for name in rest if name != main]


def _key(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())


def _judged(material: Material, name: str) -> Both:
    judge = material.facts_of("benchmarks", name).get("judge")
    if judge:
        return Both("评审模型：", "judge: ") + str(judge)
    return Both(
        "没有评审模型参与：这个评测代替论文的 Belle-Eval 评分。",
        "No judge took part: this benchmark stands in for the paper's judged Belle-Eval.",
    )


def _theirs() -> Both:
    return Both("论文自己的数字：", "the paper's own numbers: ") + NOT_PUBLISHED


def references(columns: list[tuple[str, str]]) -> tuple[Row, ...]:
    """SafetyBench's own published averages as rows; it has no other numbers here."""
    note = Both("SafetyBench 公布", "published by SafetyBench")
    return tuple(
        Row(
            name=same(name),
            note=note,
            cells=tuple(NOT_PUBLISHED if group else same(f"{mean}") for _, group in columns),
        )
        for name, mean in SAFETY_BENCH
    )
