"""Search and filter over all records of a working folder, kept and dropped, while people wait.

    work/review/index/NUMBER/records.arrow   id, source, rule, texts, read through the page cache
    work/review/index/NUMBER/lists.npz       `cqia.reviewing.bigrams`

The index is made once and again only when a source is curated anew; what dedup and assemble said
is laid over it when it is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from cqia import ledger, store
from cqia.record import TEXT
from cqia.reviewing.bigrams import BREAK, Lists, build, slots
from cqia.reviewing.fates import AFTER, KEPT, STAGES, stages_of

PART = 50_000
"""Records of a part of the index: as many as are read, hashed and written at a time."""
LOOK = 1_000
"""So many candidates of a text are looked into; of more, the number is an upper bound."""
PASSED = "passed:"
"""Before a stage's name: what neither it nor a stage before it turned away."""
COLUMNS = ("id", "source", "rule", "value", *TEXT, "task")

Rows = npt.NDArray[np.int64]
Values = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is looked for; empty and None: anything.

    rule: kept, dropped, passed:STAGE, or a rule's name. low, high: characters of all three texts.
    measure: a filter's or a judge's name, with its bounds.
    """

    text: str = ""
    source: str = ""
    rule: str = ""
    task: str = ""
    low: float | None = None
    high: float | None = None
    measure: str = ""
    least: float | None = None
    most: float | None = None


class Found(NamedTuple):
    """A page of what was found.

    total: how many there are. exact: False where `total` is only an upper bound. rows: the page.
    after: where the next page begins; None at the end.
    """

    total: int
    exact: bool
    rows: list[dict[str, Any]]
    after: int | None


@dataclass(slots=True)
class Search:
    """An open index."""

    work: Path
    mark: str
    texts: list[pl.DataFrame]
    lists: list[Lists]
    facts: pl.DataFrame
    """id, source, rule, task, length of every record, in the order of the index."""
    stages: dict[str, str]
    """The stage of every rule that turned a record away."""
    columns: dict[str, Values] = field(default_factory=dict)

    def find(self, query: Query, *, after: int = 0, limit: int = 30) -> Found:
        """The records that a query finds, in the order read, from the row `after` on."""
        mask = self._mask(query)
        text = query.text.strip().lower()
        if not text:
            rows = np.flatnonzero(mask)
            page = rows[np.searchsorted(rows, after) :][: limit + 1]
            return self._page(len(rows), True, page, limit)
        rows = self._candidates(text, mask)
        if len(rows) <= LOOK:
            rows = np.concatenate([*self._holding(rows, text), np.empty(0, np.int64)])
            page = rows[np.searchsorted(rows, after) :][: limit + 1]
            return self._page(len(rows), True, page, limit)
        ahead = rows[np.searchsorted(rows, after) :]
        found: list[Rows] = [np.empty(0, np.int64)]
        start, size = 0, 2 * limit
        while start < len(ahead) and sum(map(len, found)) <= limit:
            found += self._holding(ahead[start : start + size], text)
            start, size = start + size, 2 * size
        return self._page(len(rows), False, np.concatenate(found)[: limit + 1], limit)

    def record(self, id: str) -> dict[str, Any] | None:
        """A record's texts, its source and the rule of its fate."""
        row = self.facts["id"].index_of(id)
        if row is None:
            return None
        return self._page(1, True, np.array([row]), 1).rows[0]

    def names(self, column: str) -> list[str]:
        """What a query's source, rule or task can be."""
        kind = self.facts[column].dtype
        assert isinstance(kind, pl.Enum)
        return [one for one in kind.categories.to_list() if one]

    def rows(self, query: Query) -> Rows:
        """The rows of everything that a query finds; its text is not asked for."""
        return np.flatnonzero(self._mask(query))

    def values(self, measure: str) -> npt.NDArray[np.float64]:
        """A measure of every record, NaN where it was not measured."""
        key = f"measure {measure}"
        if key not in self.columns:
            told = [
                table
                for name in ledger.curated(self.work)
                if measure in (table := ledger.scan(self.work, name, "measures")).collect_schema()
            ]
            parts = [
                one.select("id", value=pl.col(measure).cast(pl.Float64)).collect() for one in told
            ]
            self.lay(key, pl.concat(parts) if parts else pl.DataFrame(schema=VALUES))
        return self.columns[key].astype(np.float64, copy=False)

    def lay(self, key: str, table: pl.DataFrame) -> None:
        """Keep a column of numbers (id, value) in the index's order."""
        joined = self.facts.select("id").join(
            table.unique("id", keep="first"), on="id", how="left", maintain_order="left"
        )
        self.columns[key] = joined["value"].fill_null(float("nan")).to_numpy()

    def _mask(self, query: Query) -> Mask:
        mask = np.ones(len(self.facts), np.bool_)
        for name in ("source", "task"):
            if wanted := getattr(query, name):
                mask &= self._is(name, wanted)
        if query.rule == "dropped":
            mask &= ~self._is("rule", KEPT)
        elif query.rule.startswith(PASSED):
            before = STAGES[: STAGES.index(query.rule.removeprefix(PASSED)) + 1]
            for rule, stage in self.stages.items():
                if stage in before:
                    mask &= ~self._is("rule", rule)
        elif query.rule:
            mask &= self._is("rule", query.rule)
        _within(mask, self.columns["length"], query.low, query.high)
        if query.measure and (query.least is not None or query.most is not None):
            _within(mask, self.values(query.measure), query.least, query.most)
        return mask

    def _is(self, name: str, wanted: str) -> Mask:
        codes = self.columns[name]
        kind = self.facts[name].dtype
        assert isinstance(kind, pl.Enum)
        place = kind.categories.index_of(wanted)
        return np.asarray(codes == (-1 if place is None else place))

    def _candidates(self, text: str, mask: Mask) -> Rows:
        """The rows that may hold a text."""
        wanted = slots(text)
        found, first = [], 0
        for table, lists in zip(self.texts, self.lists, strict=True):
            near = sorted(
                (lists.rows[lists.starts[one] : lists.starts[one + 1]] for one in wanted), key=len
            )
            mine = mask[first : first + len(table)].copy()
            for one in near[:8]:
                held = np.zeros(len(table), np.bool_)
                held[one] = True
                mine &= held
            found.append(np.flatnonzero(mine) + first)
            first += len(table)
        return np.concatenate([*found, np.empty(0, np.int64)])

    def _holding(self, rows: Rows, text: str) -> Iterator[Rows]:
        """Those of the rows whose texts hold a text."""
        for first, table, mine in self._split(rows):
            held = table[mine - first].select(
                pl.any_horizontal(
                    pl.col(name).str.to_lowercase().str.contains(text, literal=True)
                    for name in TEXT
                )
            )
            yield mine[held.to_series().to_numpy()]

    def _split(self, rows: Rows) -> Iterator[tuple[int, pl.DataFrame, Rows]]:
        first = 0
        for table in self.texts:
            ends = np.searchsorted(rows, [first, first + len(table)])
            if ends[0] < ends[1]:
                yield first, table, rows[ends[0] : ends[1]]
            first += len(table)

    def _page(self, total: int, exact: bool, rows: Rows, limit: int) -> Found:
        more = len(rows) > limit
        parts = [table[mine - first] for first, table, mine in self._split(rows[:limit])]
        page = pl.concat(parts).to_dicts() if parts else []
        told = self.facts[rows[:limit]].select(pl.col("rule").cast(pl.String), "length").to_dicts()
        page = [{**one, **more_} for one, more_ in zip(page, told, strict=True)]
        return Found(total, exact, page, int(rows[limit]) if more else None)


VALUES = {"id": pl.String, "value": pl.Float64}


def _within(mask: Mask, values: Values, low: float | None, high: float | None) -> None:
    """Keep what lies within the bounds; what has no value does not."""
    if low is not None:
        mask &= np.asarray(values >= low)
    if high is not None:
        mask &= np.asarray(values <= high)


def opened(work: Path) -> Search:
    """The index of a working folder, made when it is not there or of other records."""
    folder = work / "review" / "index"
    mark = fingerprint(work)
    if not store.finished(folder, mark):
        _make(work, folder, mark)
    parts = store.parts(folder)
    texts = [_mapped(part / "records.arrow") for part in parts]
    lists = [
        Lists(*(np.load(part / f"{name}.npy", mmap_mode="r") for name in Lists._fields))
        for part in parts
    ]
    facts = _facts(work, texts)
    found = Search(work, later(work), texts, lists, facts, stages_of(work, facts["rule"]))
    for name in ("source", "rule", "task"):
        found.columns[name] = facts[name].to_physical().to_numpy()
    found.columns["length"] = facts["length"].to_numpy()
    return found


def _mapped(path: Path) -> pl.DataFrame:
    """A table whose texts stay in the file until they are looked at."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        found = pl.from_arrow(pa.ipc.open_file(file).read_all(), rechunk=False)
    assert isinstance(found, pl.DataFrame)
    return found


def fingerprint(work: Path) -> str:
    """What the index depends on."""
    curated = {n: (store.manifest(work / "curate" / n) or {})["fingerprint"]
               for n in ledger.curated(work)}  # fmt: skip
    return store.fingerprint({"curate": curated, "program": store.program("reviewing/")})


def later(work: Path) -> str:
    """What an open index depends on: a change means that it has to be opened anew."""
    stages = [(store.manifest(work / one) or {}).get("fingerprint") for one in AFTER]
    return store.fingerprint({"index": fingerprint(work), "stages": stages})


def _facts(work: Path, texts: list[pl.DataFrame]) -> pl.DataFrame:
    """The small columns, with the rule of the last stage that turned a record away."""
    size = sum((pl.col(name).str.len_chars() for name in TEXT), start=pl.lit(0, pl.UInt32))
    empty = pl.DataFrame(schema={name: pl.String for name in COLUMNS})
    parts = [one.select("id", "source", "rule", "task", length=size) for one in texts]
    parts = parts or [empty.select("id", "source", "rule", "task", length=size)]
    frame = pl.concat(parts)
    for stage, file in AFTER.items():
        if store.manifest(work / stage):
            gone = pl.read_parquet(work / stage / file, columns=["id", "rule"])
            gone = gone.unique("id", keep="first").rename({"rule": "later"})
            frame = frame.join(gone, on="id", how="left", maintain_order="left")
            frame = frame.with_columns(rule=pl.coalesce("later", "rule")).drop("later")
    if store.manifest(work / "assemble"):
        back = pl.read_parquet(work / "assemble" / "chosen.parquet", columns=["id"])["id"]
        taken = pl.col("id").is_in(back.implode())
        frame = frame.with_columns(rule=pl.when(taken).then(pl.lit(KEPT)).otherwise("rule"))
    return frame.with_columns(
        pl.col(name).cast(pl.Enum(frame[name].unique().sort()))
        for name in ("source", "rule", "task")
    )


def _make(work: Path, folder: Path, mark: str) -> None:
    store.begin(folder, mark)
    number = 0
    for number, frame in enumerate(_gathered(work)):
        with store.part(folder, f"{number:05d}") as place:
            text = pl.concat_str(TEXT, separator=chr(BREAK)).str.to_lowercase()
            made = build(frame.select(text.alias("text"))["text"])
            frame.write_ipc(place / "records.arrow", compression="uncompressed")
            for name, column in zip(Lists._fields, made, strict=True):
                np.save(place / f"{name}.npy", np.asarray(column))
    store.seal(folder, mark, {"stage": "index", "parts": number + 1})


def _gathered(work: Path) -> Iterator[pl.DataFrame]:
    """All records, about `PART` at a time, in the order of sources and parts."""
    ahead: list[pl.DataFrame] = []
    for name in ledger.curated(work):
        for part in store.parts(work / "curate" / name):
            ahead += _records(part)
            while sum(map(len, ahead)) >= PART:
                whole = pl.concat(ahead)
                yield whole.head(PART).rechunk()
                ahead = [whole.slice(PART)]
    if any(map(len, ahead)):
        yield pl.concat(ahead).rechunk()


def _records(part: Path) -> Iterator[pl.DataFrame]:
    nothing = {"rule": pl.lit(KEPT), "value": pl.lit(None, pl.Float64)}
    for table, more in (("kept", nothing), ("dropped", {})):
        scan = pl.scan_parquet(part / f"{table}.parquet").with_columns(**more)
        task = pl.col("task_minor").list.first().fill_null("")
        yield (
            scan.with_columns(pl.col(TEXT).fill_null(""), pl.col("rule").fill_null(KEPT), task=task)
            .select(COLUMNS)
            .collect()
        )
