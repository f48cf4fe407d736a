"""Curate: raw files -> a source's records, cleaned and filtered, and the ledger of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from cqia import store
from cqia.errors import UserError
from cqia.places.far import Changed
from cqia.places.files import Seen, is_elsewhere, survey
from cqia.raw.faults import BAD, Batch, bad_rows
from cqia.raw.plan import Task, plan, read, retold, told
from cqia.recipe import apply
from cqia.record import DEFAULTS, SCHEMA, TEXT
from cqia.sources.base import Form, Source
from cqia.tally import settle
from cqia.workers import Progress, Workers, fitting, spread


def records_of(batch: Batch, source: Source, form: Form) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A batch's records with all columns and ids, and its bad table.

    Raises:
        RuntimeError: the source's reader lost an item (a bug in the source).
    """
    import polars_hash as plh

    if batch.items.is_empty():
        return pl.DataFrame(schema=SCHEMA), batch.bad
    made = form.read(batch.items)
    if "fault" not in made.columns:
        made = made.with_columns(fault=pl.lit(None, dtype=pl.String))
    if "key" not in made.columns:
        made = made.with_columns(key=pl.lit(None, dtype=pl.String))
    lost = batch.items.select("file", "row").join(made, on=["file", "row"], how="anti")
    if len(lost):
        file, row = lost.row(0)
        raise RuntimeError(
            f"source {source.name} lost {len(lost)} items, the first at {file}:{row}"
        )
    faulty = made.filter(pl.col("fault").is_not_null())
    shown = [name for name in TEXT if name in faulty.columns]
    raw = pl.concat_str(shown, separator=" ", ignore_nulls=True) if shown else pl.lit("")
    bad = faulty.select("file", "row", reason="fault", raw=raw.str.slice(0, 200))
    good = made.filter(pl.col("fault").is_null())
    content = pl.concat_str([pl.col(name).fill_null("") for name in shown], separator="\x1f")
    digest = plh.col("content").nchash.md5().str.slice(0, 16)
    plain = pl.col("key").str.contains(r"^[\w.:-]{1,60}$")
    hashed = pl.when(pl.col("key").is_null()).then(content).otherwise(pl.col("key"))
    good = good.with_columns(content=hashed).with_columns(
        id=pl.concat_str(
            pl.lit(source.name + "-"), pl.when(plain).then(pl.col("key")).otherwise(digest)
        ),
        source=pl.lit(source.name),
    )
    time = pl.int_range(1, pl.len() + 1).over("id")
    numbered = pl.concat_str("id", pl.lit("~"), time.cast(pl.String))
    good = good.with_columns(id=pl.when(time > 1).then(numbered).otherwise("id"))
    return _complete(good, source), pl.concat([batch.bad, bad])


def _complete(good: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Fill the columns that the reader left out: the source's labels first, then the defaults."""
    fixed = {name: pl.lit(value, dtype=SCHEMA[name]) for name, value in source.labels.items()}
    given = {"licence": pl.lit(source.licence)} | fixed
    columns = []
    for name, dtype in SCHEMA.items():
        if name in good.columns:
            value = pl.col(name).cast(dtype)
            default = given.get(name, DEFAULTS.get(name))
            columns.append(value if default is None else value.fill_null(default))
        else:
            columns.append(given.get(name, DEFAULTS.get(name, pl.lit(""))).cast(dtype))
    return good.select(
        column.alias(name) for name, column in zip(SCHEMA, columns, strict=True)
    ).with_columns(pl.col(*TEXT).fill_null(""))


def curate(
    source: Source,
    files: Sequence[str],
    *,
    work: Path,
    columns: tuple[str, ...] = (),
    workers: Workers = 1,
    progress: Progress | None = None,
) -> store.Facts:
    """Curate one source's raw files into `work/curate/NAME`.

    Args:
        source: what to read and which recipe to apply.
        files: raw files: paths, or names and patterns of places elsewhere (`cqia.places`).
        work: the working folder.
        columns: column names of CSV files without a header.
        workers: processes, or a cluster; with processes a small job runs in this one all the same,
            since starting a process takes longer. A script that asks for several needs the usual
            `if __name__ == "__main__":`.
        progress: told of every finished task.

    Returns:
        The manifest: counts of items, bad, read, kept, dropped, and the recipe.

    Raises:
        UserError: a file can't be read as a whole. Single bad rows raise nothing: they are in the
            bad table and in the manifest's count.
    """
    if not files:
        raise UserError(f"no files for source {source.name}", mend="name at least one raw file")
    folder = work / "curate" / source.name
    hashes = store.Hashes(work)
    archives = survey(files)
    facts: dict[str, Any] = {
        "stage": "curate",
        "program": store.program(),
        "source": source.name,
        "family": source.family,
        "type": source.type,
        "title": source.title,
        "origin": source.origin,
        "licence": source.licence,
        "answers": source.answers,
        "inputs": {
            name: seen.mark if is_elsewhere(name) else hashes.of(name)
            for name, seen in archives.items()
        },
        "columns": list(columns),
        "steps": [repr(step) for step in source.steps],
        "reader": repr(
            [(form.kind, str(form.schema), _reader_name(form)) for form in source.forms]
        ),
        "labels": {key: str(value) for key, value in source.labels.items()},
        "templates": list(source.templates),
    }
    mark = store.fingerprint(facts)
    hashes.save()
    if done := store.finished(folder, mark):
        return done
    tasks = _tasks(folder, mark, archives, {form.kind for form in source.forms})
    workers = fitting(workers, sum(seen.size for seen in archives.values()))
    started = time.monotonic()
    jobs = [
        (source, task, number, str(folder), columns)
        for number, task in enumerate(tasks)
        if not (folder / f"{number:06d}.done").exists()
    ]
    for finished, what in spread(_run_task, jobs, workers):
        if progress:
            progress(len(tasks) - len(jobs) + finished, len(tasks), f"{source.name} {what}")
    counts = settle(folder, source.steps)
    if progress:
        progress(len(tasks), len(tasks), f"{source.name} {time.monotonic() - started:.1f}s")
    return store.seal(folder, mark, {**facts, **counts})


def _tasks(folder: Path, mark: str, archives: Mapping[str, Seen], kinds: set[str]) -> list[Task]:
    """The plan, and the folder made ready; what had to be read elsewhere for it is kept."""
    note = folder / "tasks.json"
    kept = store.read_json(note) if note.exists() else {}
    if kept.get("fingerprint") == mark:
        return retold(kept["tasks"])
    tasks = plan(archives, kinds)
    store.begin(folder, mark)
    if any(map(is_elsewhere, archives)):
        store.write_json(note, {"fingerprint": mark, "tasks": told(tasks)})
    return tasks


def _reader_name(form: Form) -> str:
    inner = getattr(form.read, "func", form.read)
    return f"{getattr(inner, '__module__', '')}.{getattr(inner, '__qualname__', '')}" + repr(
        getattr(form.read, "keywords", "")
    )


def _run_task(source: Source, task: Task, number: int, where: str, columns: tuple[str, ...]) -> str:
    """Read, clean and filter one task; what was read of a file that changed goes again."""
    folder = Path(where)
    try:
        _write_parts(source, task, number, folder, columns)
    except Changed:
        for part in folder.glob(f"{number:06d}-*"):
            shutil.rmtree(part)
        raise
    store.write_bytes(folder / f"{number:06d}.done", b"")
    return task.pieces[0].file


def _write_parts(
    source: Source, task: Task, number: int, folder: Path, columns: tuple[str, ...]
) -> None:
    """Write a part for each of a task's batches."""
    form = next(one for one in source.forms if one.kind == task.pieces[0].kind)
    for index, batch in enumerate(_batches(source, form, task, columns)):
        name = f"{number:06d}-{index:06d}"
        if (folder / name).exists():
            continue
        records, bad = records_of(batch, source, form)
        outcome = apply(records, source.steps)
        with store.part(folder, name) as path:
            for table, frame in outcome._asdict().items():
                store.write_frame(path / f"{table}.parquet", frame)
            store.write_frame(path / "bad.parquet", bad.select(*BAD))
            items = batch.items.select("file", "row").n_unique() + len(batch.bad)
            store.write_json(path / "counts.json", {"items": items, "read": len(records)})


def _batches(source: Source, form: Form, task: Task, columns: tuple[str, ...]) -> Iterator[Batch]:
    if form.kind == "json" and form.schema is None:
        raise RuntimeError(f"source {source.name}: a JSON form needs a schema")
    none = True
    for batch in read(task, form.schema, columns):
        none = False
        yield batch
    if none:  # files without an item leave a part, too, so that every source has one
        yield Batch(pl.DataFrame(schema={"file": pl.String, "row": pl.Int64}), bad_rows([]))
