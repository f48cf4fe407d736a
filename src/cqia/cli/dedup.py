"""cqia dedup: duplicates and contamination."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from cqia import store
from cqia.cli import show


@click.command(
    epilog="Example:  cqia dedup --threshold 0.8 --against ceval.jsonl --field question",
)
@show.work_option
@click.option("--threshold", default=0.7, show_default=True, help="Smallest Jaccard similarity.")
@click.option("--ngram", default=5, show_default=True, help="Characters in a shingle.")
@click.option("--permutations", default=252, show_default=True, help="MinHash functions.")
@click.option("--bands", default=42, show_default=True, help="Bands of the signature.")
@click.option(
    "--near",
    default="record",
    show_default=True,
    help="Text compared: record, prompt, output, or none.",
)
@click.option(
    "--prefer",
    multiple=True,
    default=("votes", "length"),
    show_default=True,
    help="What makes a record the better one; may be repeated.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    multiple=True,
    help="A benchmark file to look for in the records; may be repeated.",
)
@click.option(
    "--field",
    "fields",
    multiple=True,
    default=("question",),
    show_default=True,
    help="A field of the benchmark's items that holds text; may be repeated.",
)
@click.option("--drop", is_flag=True, help="Drop contaminated records instead of reporting them.")
@show.workers_option
@show.cluster_option
@show.format_option
def command(
    work: Path,
    threshold: float,
    ngram: int,
    permutations: int,
    bands: int,
    near: str,
    prefer: tuple[str, ...],
    against: tuple[Path, ...],
    fields: tuple[str, ...],
    drop: bool,
    workers: int,
    cluster: str | None,
    format_: str,
) -> None:
    """Find exact and near duplicates within and across all curated sources.

    Nothing is copied or deleted: the duplicates are named in the ledger, each with the record that
    stays in its place.
    """
    from cqia.contamination import Benchmark
    from cqia.stages.dedup import dedup

    benchmarks = [
        Benchmark(name=path.stem, files=(str(path),), fields=fields, drop=drop) for path in against
    ]
    with (
        store.lock(work),
        show.crew(workers, cluster, work) as crew,
        show.progress("dedup") as progress,
    ):
        facts = dedup(
            work=work,
            threshold=threshold,
            ngram=ngram,
            permutations=permutations,
            bands=bands,
            near=near,
            prefer=prefer,
            benchmarks=benchmarks,
            workers=crew,
            progress=progress,
        )
    rows = [("read", facts["read"]), *facts["rules"].items(), ("kept", facts["kept"])]
    rows += [(f"hits of {name}", one["hits"]) for name, one in facts["contamination"].items()]
    show.table(pl.DataFrame(rows, schema=["what", "records"], orient="row"), format_)
