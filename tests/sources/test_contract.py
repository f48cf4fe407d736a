import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cqia import paper
from cqia.cleaners.base import Cleaner
from cqia.raw.plan import Task, plan, read
from cqia.sources.base import Source
from cqia.sources.catalogue import SOURCES
from cqia.vocabulary import MAJOR, MINOR
from tests.sources.curated import Curated

GOLDEN = Path(__file__).parent / "golden"
SAMPLES = Path(__file__).parents[2] / "samples"
TWICE = {"ruozhiba-7310000018"}
"""A thread that stands in two of the sample files, as crawls overlap."""

each_source = pytest.mark.parametrize("source", SOURCES.values(), ids=lambda source: source.name)
Sample = Callable[[str], Curated]


@each_source
def test_every_sample_meets_its_golden_fate(
    source: Source, fates: Callable[[str], dict[str, str]]
) -> None:
    golden = json.loads((GOLDEN / f"{source.name}.json").read_text())
    assert fates(source.name) == golden


@each_source
def test_no_raw_item_vanishes(source: Source, sample: Sample) -> None:
    made = sample(source.name)
    seen = pl.concat([made.records.select("file", "row"), made.bad.select("file", "row")])
    assert made.items.join(seen, on=["file", "row"], how="anti").is_empty()


@each_source
def test_what_is_read_is_kept_or_dropped(source: Source, sample: Sample) -> None:
    made = sample(source.name)
    both = [*made.outcome.kept["id"], *made.outcome.dropped["id"]]
    assert sorted(both) == sorted(made.records["id"])


@each_source
def test_at_least_thirty_samples_and_a_defect_each_way(source: Source, sample: Sample) -> None:
    made = sample(source.name)
    assert len(made.records) + len(made.bad) >= 30
    assert made.outcome.dropped["rule"].n_unique() >= 3


@each_source
def test_ids_are_unique_but_for_overlapping_crawls(source: Source, sample: Sample) -> None:
    ids = sample(source.name).records["id"]
    assert set(ids.filter(ids.is_duplicated())) <= TWICE


@each_source
def test_origin_and_licence_are_stated(source: Source) -> None:
    assert source.origin.strip()
    assert source.licence.strip()
    assert source.type in paper.TYPES
    assert source.title.strip()
    listed = {row.source: row.type for row in (*paper.TABLE_1, paper.RUOZHIBA)}
    assert listed.get(source.name, source.type) == source.type


@each_source
def test_labels_are_words_of_the_release(source: Source, sample: Sample) -> None:
    records = sample(source.name).outcome.kept
    assert set(records["task_major"].explode(empty_as_null=True)) <= set(MAJOR)
    assert set(records["task_minor"].explode(empty_as_null=True)) <= set(MINOR)
    assert set(records["answer_from"]) <= {"human", "llm", "expert"}


@each_source
def test_templates_are_filled(source: Source, sample: Sample) -> None:
    records = sample(source.name).records
    assert all(template.strip() for template in source.templates)
    assert not records["instruction"].str.contains(r"\{[a-z_]+\}").any()
    assert records["instruction"].str.strip_chars().str.len_chars().min() != 0


@each_source
def test_reading_twice_reads_the_same(source: Source) -> None:
    forms = {form.kind: form for form in source.forms}
    files = sorted(str(path) for path in (SAMPLES / source.name).iterdir())
    for piece, seen in ((one, task.seen) for task in plan(files, forms) for one in task.pieces):
        form = forms[piece.kind]
        for batch in read(Task((piece,), seen), form.schema):
            assert form.read(batch.items).equals(form.read(batch.items))


@each_source
def test_one_row_alone_is_read_as_among_others(source: Source) -> None:
    """A batch may be cut anywhere: a row's record must not depend on its neighbours."""
    forms = {form.kind: form for form in source.forms}
    files = sorted(str(path) for path in (SAMPLES / source.name).iterdir())
    for piece, seen in ((one, task.seen) for task in plan(files, forms) for one in task.pieces):
        form = forms[piece.kind]
        for batch in read(Task((piece,), seen), form.schema):
            whole = form.read(batch.items).sort("row", maintain_order=True)
            alone = pl.concat(form.read(one) for one in batch.items.iter_slices(1))
            assert alone.sort("row", maintain_order=True).equals(whole)


@each_source
def test_an_empty_frame_is_read(source: Source, sample: Sample) -> None:
    kinds: dict[str, dict[str, type[pl.DataType]]] = {
        "csv": {},
        "parquet": {},
        "html": {"html": pl.String},
        "mediawiki": {"title": pl.String, "text": pl.String, "page": pl.Int64},
        "text": {"text": pl.String},
    }
    for form in source.forms:
        empty = pl.DataFrame(schema={"file": pl.String, "row": pl.Int64})
        fields = form.schema.to_schema() if form.schema else kinds[form.kind]
        for name, dtype in fields.items():
            empty = empty.with_columns(pl.lit(None, dtype).alias(name))
        assert form.read(empty).is_empty()


@each_source
def test_the_repr_of_a_recipe_names_every_step_once(source: Source) -> None:
    shown = [repr(step) for step in source.steps]
    assert len(set(shown)) == len(shown)
    assert any(isinstance(step, Cleaner) for step in source.steps)
