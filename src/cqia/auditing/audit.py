"""Audit: the rules of a release over finished instruction datasets, and what they find, by place.

    audit(["zhihu.jsonl", "mine.json"], folder=Path("work/audit"))

reads each file once and writes, into the folder, `findings.parquet` and `findings.jsonl` (a row a
find, `cqia.auditing.finding`), and the tables `summary` and `files` as Markdown, CSV and JSON. With
`fix` it reads the files again and writes repaired copies (`cqia.auditing.mend`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import polars as pl

from cqia import store
from cqia.auditing import forms, records
from cqia.auditing.across import EXCHANGES, Across
from cqia.auditing.answers import ANSWER_RULES, AnswerRule, answer_hits
from cqia.auditing.finding import SEVERITIES, Finding, excerpt, table
from cqia.auditing.mend import mend
from cqia.auditing.rules import TEXT_RULES, TextRule
from cqia.contamination import Benchmark, search
from cqia.errors import unknown
from cqia.tables import FORMATS, render
from cqia.text.near import NearIndex
from cqia.workers import Progress

OTHER_KINDS: dict[str, tuple[str, str]] = {
    "unreadable": ("error", "no JSON object, broken off, or not UTF-8"),
    "keys": ("error", "not the release's nine keys in their order"),
    "type": ("error", "a field holds a value of another type"),
    "turns": ("error", "turns that are not question and answer in turn, or of an unknown speaker"),
    "empty": ("error", "an instruction, an answer or a turn that says nothing"),
    "label": ("note", "a label that the release does not have"),
    "licence_gap": ("note", "records that say neither whose their text is nor where it is from"),
    "exact_duplicate": (
        "error",
        "a record that stands before, but for width, case and punctuation",
    ),
    "near_duplicate": ("warning", "an answer nearly the same as one before"),
    "same_question": ("note", "a question that stands before, with another answer"),
    "same_work": ("note", "the same told of one work 《X》 in two files"),
    "contamination": ("warning", "a benchmark's item stands in the record"),
}
"""Kinds that are no rule over one text: severity, and what it is."""


def kinds() -> dict[str, tuple[str, str, bool]]:
    """Every kind of finding: severity, what it is, whether `--fix` mends it."""
    found = {rule.kind: (rule.severity, rule.about, rule.mend is not None) for rule in TEXT_RULES}
    found |= {rule.kind: (rule.severity, rule.about, False) for rule in ANSWER_RULES}
    mended = ("exact_duplicate", "unreadable")
    return found | {k: (*said, k in mended) for k, said in OTHER_KINDS.items()}


class Audited(NamedTuple):
    """What an audit found. `files`: a row a file. `summary`: a row a kind of finding."""

    findings: pl.DataFrame
    summary: pl.DataFrame
    files: pl.DataFrame
    fixed: dict[str, int]
    """Kind -> texts or records changed; empty without `fix`."""


@dataclass(slots=True)
class _File:
    name: str
    form: str = ""
    records: int = 0
    unreadable: int = 0
    without_rights: int = 0
    findings: list[Finding] = field(default_factory=list)


def audit(
    paths: Sequence[str],
    *,
    folder: Path,
    ignore: Collection[str] = (),
    benchmarks: Sequence[Benchmark] = (),
    threshold: float = 0.7,
    fix: bool = False,
    progress: Progress | None = None,
) -> Audited:
    """Look at finished datasets.

    Args:
        paths: JSON in any layout or Parquet, plain, packed or zipped.
        folder: where everything is written.
        ignore: kinds of finding that are neither looked for nor mended; `personal` stands for
            `personal.email` and its kin.
        benchmarks: items that must not stand in the records.
        threshold: smallest Jaccard similarity of near-duplicate answers, 0-1.
        fix: also write repaired copies to `folder/fixed`, and `folder/changes.jsonl`.
        progress: told of every file.

    Raises:
        UserError: a file can't be read as such, or an unknown kind is ignored.
    """
    names = records.files(list(paths))
    off = _ignored(ignore)
    rules = tuple(rule for rule in TEXT_RULES if rule.kind not in off)
    asked = tuple(rule for rule in ANSWER_RULES if rule.kind not in off)
    folder.mkdir(parents=True, exist_ok=True)
    seen: list[_File] = []
    with store.scratch(folder) as scratch:
        index = NearIndex(scratch)
        across = Across(index, threshold=threshold)
        for done, name in enumerate(names):
            if progress:
                progress(done, len(names), name)
            seen.append(_look(name, rules, asked, across))
        alike = list(across.findings())
    found = [*chain.from_iterable(one.findings for one in seen), *alike]
    for benchmark in benchmarks:
        found += _contamination(benchmark, names)
    findings = table([one for one in found if one.kind not in off])
    findings = _in_order(findings, names)
    changed = mend(names, findings, rules, folder) if fix else {}
    result = Audited(findings, _summary(findings, seen), _files(findings, seen), changed)
    _write(result, folder)
    return result


def _ignored(given: Collection[str]) -> set[str]:
    known = kinds()
    off: set[str] = set()
    for one in given:
        same = {kind for kind in known if kind == one or kind.startswith(f"{one}.")}
        if not same:
            raise unknown("kind of finding", one, [*known, "personal", "sensitive"])
        off |= same
    return off


def _look(
    name: str, rules: tuple[TextRule, ...], asked: tuple[AnswerRule, ...], across: Across
) -> _File:
    file = _File(name)
    for batch in records.read(name):
        for line, reason, raw in batch.bad:
            said = f"{reason}: {excerpt(raw, 0, 0)}" if raw else reason
            file.findings.append(
                Finding(name, line, 0, "", "unreadable", "error", 1, said, "", True)
            )
        file.unreadable += len(batch.bad)
        if not batch.records:
            continue
        values = [one.value for one in batch.records]
        file.form = file.form or forms.detect(values[: forms.SAMPLE])
        file.records += len(values)
        file.without_rights += sum(not forms.rights(value) for value in values)
        exchanged = _exchanges(file.form, values)
        file.findings += _form_findings(file, batch.records)
        file.findings += _text_findings(name, batch.records, rules)
        file.findings += _answer_findings(name, batch.records, exchanged, asked)
        across.add(name, batch.records, exchanged)
    if file.without_rights and not _stated(Path(name)):
        said = f"{file.without_rights} of {file.records} records"
        file.findings.append(
            Finding(name, 0, 0, "", "licence_gap", "note", file.without_rights, said)
        )
    return file


def _stated(path: Path) -> bool:
    """Whether a licence, or a card that names one, lies beside the file or one folder up."""
    for folder in (path.parent, path.parent.parent):
        card = folder / "README.md"
        if card.is_file():
            head = card.read_text(encoding="utf-8", errors="replace")[:4000]
            if re.search(r"^license:", head, re.MULTILINE):
                return True
        if any(folder.glob("LICEN[CS]E*")):
            return True
    return False


def _exchanges(form: str, values: list[forms.Value]) -> pl.DataFrame:
    rows = [
        (owner, forms.shown(one.path), one.instruction, one.input, one.output)
        for owner, value in enumerate(values)
        for one in forms.exchanges(form, value)
    ]
    return pl.DataFrame(rows, schema=EXCHANGES, orient="row")


def _form_findings(file: _File, batch: list[records.Record]) -> Iterator[Finding]:
    for one in batch:
        for path, kind, what in forms.faults(file.form, one.value):
            where = (file.name, one.line, one.item, forms.shown(path))
            yield Finding(*where, kind, OTHER_KINDS[kind][0], 1, what)


def _text_findings(
    name: str, batch: list[records.Record], rules: tuple[TextRule, ...]
) -> Iterator[Finding]:
    texts = records.texts(batch)
    for rule in rules:
        for place in texts.text.str.contains(rule.guard).arg_true().to_list():
            text = texts.text[place]
            spans = rule.find(text)
            if spans:
                one = batch[texts.owner[place]]
                where = (name, one.line, one.item, forms.shown(texts.path[place]))
                shown, mended = excerpt(text, *spans[0]), rule.mend is not None
                yield Finding(*where, rule.kind, rule.severity, len(spans), shown, "", mended)


def _answer_findings(
    name: str,
    batch: list[records.Record],
    exchanged: pl.DataFrame,
    rules: tuple[AnswerRule, ...],
) -> Iterator[Finding]:
    known = {rule.kind: rule for rule in rules}
    for row, kind, _, at in answer_hits(exchanged, rules).iter_rows():
        rule = known[kind]
        owner, path, instruction, given, output = exchanged.row(row)
        text = output if rule.field == "output" else f"{instruction}\n{given}"
        where = (name, batch[owner].line, batch[owner].item, path)
        yield Finding(*where, kind, rule.severity, 1, excerpt(text, at, at + 1))


def _contamination(benchmark: Benchmark, names: Iterable[str]) -> Iterator[Finding]:
    def frames() -> Iterator[pl.DataFrame]:
        for name in names:
            form = ""
            for batch in records.read(name):
                values = [one.value for one in batch.records]
                form = form or (forms.detect(values[: forms.SAMPLE]) if values else "")
                rows = _exchanges(form, values)
                ids = [f"{name}\n{one.line}\n{one.item}" for one in batch.records]
                yield rows.select("instruction", "input", "output").with_columns(
                    row=pl.int_range(pl.len()).cast(pl.UInt32),
                    id=pl.Series(ids, dtype=pl.String).gather(rows["owner"]),
                )

    for hit in search(benchmark, frames()).hits.iter_rows(named=True):
        file, line, item = hit["id"].rsplit("\n", 2)
        said = f"{hit['share']:.0%} of it: {excerpt(hit['text'], 0, 0)}"
        where = (file, int(line), int(item), "")
        yield Finding(*where, "contamination", "warning", 1, said, hit["item"])


def _in_order(findings: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    place = pl.col("file").replace_strict({name: at for at, name in enumerate(names)})
    return findings.sort(place, "line", "item", "path", "kind", maintain_order=True)


def _summary(findings: pl.DataFrame, seen: list[_File]) -> pl.DataFrame:
    """A row a kind that was found: finds, records with one, their share of all records, files."""
    total = sum(one.records + one.unreadable for one in seen)
    place = pl.struct("file", "line", "item")
    gap = pl.col("kind") == "licence_gap"
    return (
        findings.group_by("severity", "kind")
        .agg(
            finds=pl.col("finds").sum(),
            records=pl.when(gap.first()).then(pl.col("finds").sum()).otherwise(place.n_unique()),
            files=pl.col("file").n_unique(),
            fixable=pl.col("fixable").any(),
        )
        .with_columns(share=pl.col("records") / max(total, 1))
        .sort("severity", "records", "kind", descending=[False, True, False])
        .select("severity", "kind", "finds", "records", "share", "files", "fixable")
    )


def _files(findings: pl.DataFrame, seen: list[_File]) -> pl.DataFrame:
    """A row a file: its form, what was read, and records with a finding of each severity."""
    rows = []
    for one in seen:
        mine = findings.filter((pl.col("file") == one.name) & (pl.col("line") > 0))
        counts = {
            f"with_{severity}": mine.filter(pl.col("severity") == severity)
            .select("line", "item")
            .n_unique()
            for severity in SEVERITIES
        }
        read = {"read": one.records + one.unreadable, "unreadable": one.unreadable}
        rows.append({"file": one.name, "form": one.form or "nothing", **read, **counts})
    return pl.DataFrame(rows)


def _write(result: Audited, folder: Path) -> None:
    store.write_frame(folder / "findings.parquet", result.findings)
    store.write_bytes(folder / "findings.jsonl", result.findings.write_ndjson().encode())
    for name, frame in (("summary", result.summary), ("files", result.files)):
        for kind in FORMATS:
            store.write_bytes(folder / f"{name}.{kind}", render(frame, kind).encode())
