"""Rules across records: copies, near-copies, one question with several answers, one work twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from cqia.auditing.finding import Finding, excerpt, place
from cqia.auditing.records import Record
from cqia.text.matching import exact_key, matching_view
from cqia.text.near import NearIndex, clusters
from cqia.text.shingles import jaccard

SHORTEST = 20
"""Characters of an answer below which likeness says nothing (this project's choice)."""

ALIKE = 0.3
"""Jaccard similarity of two answers about one work from which they tell the same (this project's
choice)."""

_WORK = re.compile("《([^《》]{1,40})》")
_START = 400
"""Characters of an answer that are kept for what is shown and for `same_work`."""

EXCHANGES = pl.Schema(
    {
        "owner": pl.Int64(),
        "path": pl.String(),
        "instruction": pl.String(),
        "input": pl.String(),
        "output": pl.String(),
    }
)
"""A row a question with its answer. owner: which record it is of; path: the answer's."""


class Across:
    """Collects the records of all files, then says which are alike.

    Of each record its file, line and keys are held in memory, of each answer its start; the texts
    are in scratch files.

    Args:
        index: an empty one; it stays the caller's to close.
        threshold: smallest Jaccard similarity of two answers' character 5-grams that counts, 0-1.
    """

    def __init__(self, index: NearIndex, *, threshold: float) -> None:
        self._threshold = threshold
        self._index = index
        self._count = 0
        self._records: list[pl.DataFrame] = []
        self._answers: list[pl.DataFrame] = []

    def add(self, file: str, records: Sequence[Record], exchanges: pl.DataFrame) -> None:
        """Add some records of a file, and their EXCHANGES with owners counted from the first."""
        asked = exchanges.select(pl.concat_str("instruction", "input", separator="\n")).to_series()
        prompt, output = matching_view(asked), matching_view(exchanges["output"])
        self._index.add(output.set(output.str.len_chars() < SHORTEST, ""))
        joined = (
            pl.DataFrame({"owner": exchanges["owner"], "prompt": prompt, "output": output})
            .group_by("owner", maintain_order=True)
            .agg(
                prompt=pl.col("prompt").str.join("\x1e"),
                output=pl.col("output").str.join("\x1e"),
                exchanges=pl.len(),
            )
        )
        keys = joined.select(
            "owner",
            record=exact_key(joined["prompt"], joined["output"]),
            prompt=exact_key(joined["prompt"]),
            single=(pl.col("exchanges") == 1) & (pl.col("prompt") != ""),
        )
        rows = [
            (at, file, one.line, one.item, place(file, one.line, one.item))
            for at, one in enumerate(records)
        ]
        names = ["owner", "file", "line", "item", "place"]
        frame = pl.DataFrame(rows, schema=names, orient="row")
        frame = frame.join(keys, on="owner", how="left", maintain_order="left")
        self._records.append(frame.drop("owner"))
        self._answers.append(
            exchanges.select(
                owner=pl.col("owner") + self._count,
                path="path",
                asked=pl.lit(asked).str.head(_START),
                start=pl.col("output").str.head(_START),
            )
        )
        self._count += len(records)

    def findings(self) -> Iterator[Finding]:
        """What is alike; of each group the first record read goes unmentioned."""
        if not self._count:
            return
        records = pl.concat(self._records).with_row_index("owner").cast({"owner": pl.Int64})
        answers = pl.concat(self._answers)
        twice = _after_the_first(records.filter(pl.col("record").is_not_null()), "record")
        gone = set(twice["owner"])
        starts = answers.unique("owner", keep="first", maintain_order=True)
        for row in _with(twice, starts, "start"):
            yield _finding(row, "", "exact_duplicate", "error", row["text"], fixable=True)
        yield from self._near(records, answers, gone)
        rest = records.filter(pl.col("single") & ~pl.col("owner").is_in(list(gone)))
        for row in _with(_after_the_first(rest, "prompt"), starts, "asked"):
            yield _finding(row, "", "same_question", "note", row["text"])
        yield from _same_work(records, starts)

    def _near(
        self, records: pl.DataFrame, answers: pl.DataFrame, gone: set[int]
    ) -> Iterator[Finding]:
        pairs = self._index.pairs(self._threshold)
        owner = answers["owner"]
        kept = ~owner.is_in(list(gone))
        ends = [pairs[end].cast(pl.UInt32) for end in ("a", "b")]
        apart = owner.gather(ends[0]) != owner.gather(ends[1])
        pairs = pairs.filter(kept.gather(ends[0]) & kept.gather(ends[1]) & apart)
        if pairs.is_empty():
            return
        both = pl.concat([pairs, pairs.rename({"a": "b", "b": "a"}).select(pairs.columns)])
        best = both.group_by("a").agg(pl.col("similarity").max())
        group = clusters(len(answers), pairs)
        linked = answers.with_row_index("a").with_columns(group=group)
        linked = linked.join(best, on="a", how="inner", maintain_order="left")
        places = records.select("owner", "file", "line", "item", "place")
        linked = linked.join(places, on="owner", how="left", maintain_order="left")
        linked = linked.with_columns(other=pl.col("place").first().over("group"))
        later = linked.filter(pl.col("a") != pl.col("a").first().over("group"))
        for row in later.iter_rows(named=True):
            said = f"{row['similarity']:.2f} like it: {excerpt(row['start'], 0, 0)}"
            yield _finding(row, row["path"], "near_duplicate", "warning", said)


def _after_the_first(records: pl.DataFrame, key: str) -> pl.DataFrame:
    """The records whose key stood before, with the place of the first that has it."""
    many = records.filter(pl.col(key).is_duplicated())
    many = many.with_columns(other=pl.col("place").first().over(key))
    return many.filter(pl.col("owner") != pl.col("owner").first().over(key))


def _with(records: pl.DataFrame, starts: pl.DataFrame, shown: str) -> Iterator[dict[str, Any]]:
    """The rows with `text`, the start of what they ask or answer."""
    texts = starts.select("owner", text=pl.col(shown).map_elements(_first, pl.String))
    both = records.join(texts, on="owner", how="left", maintain_order="left")
    yield from both.iter_rows(named=True)


def _first(text: str) -> str:
    return excerpt(text, 0, 0)


def _finding(
    row: dict[str, Any], path: str, kind: str, severity: str, said: str, *, fixable: bool = False
) -> Finding:
    where = (row["file"], row["line"], row["item"])
    return Finding(*where, path, kind, severity, 1, said, row["other"], fixable)


def _same_work(records: pl.DataFrame, starts: pl.DataFrame) -> Iterator[Finding]:
    """Records of two files that are about one work 《X》 and tell the same of it."""
    named = starts.with_columns(works=pl.col("asked").str.extract_all(_WORK.pattern))
    named = named.filter(pl.col("works").list.n_unique() == 1)
    named = named.with_columns(work=pl.col("works").list.first())
    places = records.select("owner", "file", "line", "item", "place")
    named = named.join(places, on="owner", how="left")
    several = named.filter(pl.col("file").n_unique().over("work") > 1).sort("owner")
    for group in several.partition_by("work", maintain_order=True):
        first = group.row(0, named=True)
        for row in group.iter_rows(named=True):
            if row["file"] != first["file"] and jaccard(row["start"], first["start"]) >= ALIKE:
                told = {**row, "other": first["place"]}
                yield _finding(told, "", "same_work", "note", row["work"])
