"""cqia pretrain: a proxy base model from the dataset's own texts."""

from __future__ import annotations

from pathlib import Path

import click
import polars as pl

from cqia import store
from cqia.cli import show


@click.command(epilog="Example:  cqia pretrain --work work/demo --shape proxy-tiny --tokens 20000")
@show.work_option
@click.option("--shape", "name", default="proxy-3m", show_default=True,
              help="proxy-tiny, proxy-3m, proxy-10m or proxy-20m.")  # fmt: skip
@click.option("--tokens", type=click.IntRange(1), help="Tokens that are seen; else --epochs.")
@click.option("--epochs", type=float, default=1.0, show_default=True, help="Passes over the texts.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of weights and order.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True,
              help="Threads of torch; small models are not faster with more.")  # fmt: skip
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the result.  [default: WORK/base/SHAPE]",
)
@show.format_option
def command(
    work: Path,
    name: str,
    tokens: int | None,
    epochs: float,
    seed: int,
    threads: int,
    out: Path | None,
    format_: str,
) -> None:
    """Make a small base model from the train split of the assembled dataset.

    A tokenizer is learnt from the texts, and a decoder of a few million parameters is pre-trained
    on them: a proxy, on which experiments run anywhere, and which is named so in every report. It
    learns what texts of a kind look like, not to follow instructions. A run that was stopped goes
    on by the same command. Needs the extra: pip install 'cqia[train]'.
    """
    from cqia.errors import unknown
    from cqia.exporters.chosen import opened
    from cqia.stages.pretrain import origins, pretrain, texts
    from cqia.training.proxy import SHAPES

    if name not in SHAPES:
        raise unknown("shape", name, SHAPES)
    place = out or work / "base" / name
    with store.lock(work), show.progress("pretrain") as progress:
        chosen = opened(work)
        facts = pretrain(
            folder=place,
            texts=texts(chosen),
            shape=SHAPES[name],
            tokens=tokens,
            epochs=epochs,
            seed=seed,
            threads=threads,
            origins=origins(chosen),
            progress=progress,
        )
    names = ("parameters", "vocabulary", "characters", "tokens_given", "tokens_seen", "steps")
    rows = [("texts", f"{facts['records']['kept']:,}")]
    rows += [(one.replace("_", " "), f"{facts[one]:,}") for one in names]
    rows.append(("loss at the end", f"{facts['loss']:.3f}"))
    show.table(pl.DataFrame(rows, schema=["what", "amount"], orient="row"), format_)
    if format_ == "table":
        show.line("PROXY: what it shows holds for a model of this size", "yellow")
        show.line(f"base       {place / 'model'}", "green")
