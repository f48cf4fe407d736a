from pathlib import Path
from typing import NamedTuple

import polars as pl

from cqia.raw.plan import Task, plan, read
from cqia.recipe import Outcome, apply
from cqia.sources.base import Source
from cqia.stages.curate import records_of

SAMPLES = Path(__file__).parents[2] / "samples"


class Curated(NamedTuple):
    items: pl.DataFrame
    records: pl.DataFrame
    bad: pl.DataFrame
    outcome: Outcome


def curated(source: Source) -> Curated:
    """The source's samples, read and cleaned and filtered in memory."""
    forms = {form.kind: form for form in source.forms}
    files = sorted(str(path) for path in (SAMPLES / source.name).iterdir())
    items, records, bad = [], [], []
    for piece, seen in ((one, task.seen) for task in plan(files, forms) for one in task.pieces):
        form = forms[piece.kind]
        for batch in read(Task((piece,), seen), form.schema):
            good, faults = records_of(batch, source, form)
            items.append(batch.items.select("file", "row"))
            records.append(good)
            bad.append(faults)
    made = pl.concat(records)
    return Curated(pl.concat(items), made, pl.concat(bad), apply(made, source.steps))
