"""cqia train: fine-tune a base model on the assembled dataset."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import orjson
import polars as pl

from cqia import store
from cqia.cli import show
from cqia.errors import UserError, unknown

if TYPE_CHECKING:
    from cqia.training.tuning import Tuning

F = TypeVar("F", bound=Callable[..., Any])
LAUNCHED = "CQIA_LAUNCHED"
"""Set in the processes that accelerate starts, so that they don't start it again."""


def dataset_options(command: F) -> F:
    """--base and --source: what is trained, on which records."""
    for option in (
        click.option("--source", "sources", multiple=True,
                     help="Only this source; may be repeated."),
        click.option("--base", "base_name", required=True,
                     help="A model's folder, or a name: proxy-3m, smollm2-135m, yi-6b, …"),
    ):  # fmt: skip
        command = option(command)
    return command


def dataset(work: Path, sources: Sequence[str]) -> pl.DataFrame:
    """The train split of the assembled dataset.

    Raises:
        UserError: nothing was assembled, or nothing of a source.
    """
    from cqia.exporters.chosen import opened
    from cqia.subsets import records_of

    known = [facts["source"] for facts in opened(work).sources]
    for name in sources:
        if name not in known:
            raise unknown("source", name, known, where=f"{work}: the dataset")
    return records_of(work, "train", sources)


@click.command(
    epilog="Example:  cqia train --work work/demo --base work/demo/base/proxy-tiny"
    " --source ruozhiba --max-tokens 256 --tune learning_rate=1e-3"
)
@show.work_option
@dataset_options
@click.option("--method", type=click.Choice(["full", "lora", "qlora"]), default="full",
              show_default=True,
              help="All weights, adapters, or adapters on a base in 4 bits (GPU).")  # fmt: skip
@click.option("--epochs", type=click.IntRange(1), default=3, show_default=True,
              help="How often each record is learnt.")  # fmt: skip
@click.option("--max-tokens", type=click.IntRange(2), default=2_048, show_default=True,
              help="Longer records are dropped and counted; none is ever cut.")  # fmt: skip
@click.option("--tune", "tunes", multiple=True, metavar="NAME=VALUE",
              help="Any other number of the tuning; may be repeated.")  # fmt: skip
@click.option("--amount", type=click.IntRange(1), help="Draw so much of the records by --seed.")
@click.option("--unit", type=click.Choice(["records", "tokens"]), default="records",
              show_default=True, help="Of --amount: records, or tokens of answers.")  # fmt: skip
@click.option("--repeat", is_flag=True,
              help="Go through the records again where they are less than --amount.")  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Of draw, order, adapters.")
@click.option("--accelerate", default="", metavar="PRESET",
              help="Start several processes: fsdp, zero3, one-gpu or cpu.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only print the command that --accelerate starts.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the result.  [default: WORK/train/SOURCES]")  # fmt: skip
@show.format_option
def command(
    work: Path,
    base_name: str,
    sources: tuple[str, ...],
    method: str,
    epochs: int,
    max_tokens: int,
    tunes: tuple[str, ...],
    amount: int | None,
    unit: str,
    repeat: bool,
    seed: int,
    accelerate: str,
    dry_run: bool,
    out: Path | None,
    format_: str,
) -> None:
    """Fine-tune a base model on the train split of the assembled dataset.

    Only answers are learnt, with their end marks. Every record's fate stands in preflight.parquet,
    every step's loss in loss.parquet. A run that was stopped goes on by the same command, and on a
    CPU ends with the same weights. Needs the extra: pip install 'cqia[train]'.
    """
    chosen = {"method": method, "epochs": epochs, "max_tokens": max_tokens}
    tuning = tuned(tunes, chosen | {"accelerate": accelerate})
    if accelerate and not os.environ.get(LAUNCHED):
        _launch(accelerate, only_print=dry_run)
        return
    if int(os.environ.get("RANK", "0")):
        _run(work, base_name, sources, tuning, amount, unit, repeat, seed, out)
        return
    with store.lock(work):
        facts, place, drawn = _run(
            work, base_name, sources, tuning, amount, unit, repeat, seed, out
        )
    names = ("read", "kept", "steps", "answer_tokens", "trained_tokens", "parameters",
             "trained_parameters")  # fmt: skip
    rows = [(one.replace("_", " "), f"{facts[one]:,}") for one in names]
    rows[2:2] = [(f"dropped: {rule}", f"{n:,}") for rule, n in facts["dropped"].items()]
    rows += [
        ("first loss", f"{facts['first_loss']:.3f}"),
        ("last loss", f"{facts['last_loss']:.3f}"),
    ]
    if drawn:
        rows[:0] = drawn
    show.table(pl.DataFrame(rows, schema=["what", "amount"], orient="row"), format_)
    if format_ == "table":
        show.line(f"{'adapters' if facts['adapter'] else 'model':10} {place / 'model'}", "green")


def _run(
    work: Path,
    base_name: str,
    sources: tuple[str, ...],
    tuning: Tuning,
    amount: int | None,
    unit: str,
    repeat: bool,
    seed: int,
    out: Path | None,
) -> tuple[store.Facts, Path, list[tuple[str, str]]]:
    """Draw and train; the manifest, its folder, and what is to be said of the draw."""
    from cqia.stages.train import train
    from cqia.subsets import with_tokens
    from cqia.training.bases import named, ready
    from cqia.training.budget import draw

    records = dataset(work, sources)
    base = ready(named(base_name), work / "base")
    told: list[tuple[str, str]] = []
    if amount:
        if unit == "tokens":
            records = with_tokens(records, base)
        tokens = records["answer_tokens"] if unit == "tokens" else None
        drawn = draw(records, amount=amount, unit=unit, seed=seed, repeat=repeat, tokens=tokens)  # type: ignore[arg-type]
        records = drawn.records
        told = [(f"{unit} wanted", f"{amount:,}"), (f"{unit} drawn", f"{drawn.got:,}")]
        told += [("short of it", f"{drawn.short:,}")] if drawn.short else []
        told += [(f"records seen {times} times", f"{n:,}") for times, n in drawn.seen.items()]
    place = out or work / "train" / ("+".join(sources) or "all")
    with show.progress("train") as progress:
        facts = train(
            folder=place, records=records, base=base, tuning=tuning, seed=seed, progress=progress
        )
    return facts, place, told


def tuned(tunes: Sequence[str], chosen: dict[str, Any]) -> Tuning:
    """The tuning of `NAME=VALUE` settings and those of options.

    Raises:
        UserError: an unknown name, or a value that can't be meant.
    """
    from cqia.training.tuning import Tuning

    known = [one.name for one in fields(Tuning)]
    values = dict(chosen)
    for one in tunes:
        name, equals, value = one.partition("=")
        if not equals:
            raise UserError(f"{one!r} is no setting", where="--tune", mend="write it NAME=VALUE")
        if name not in known:
            raise unknown("setting", name, known, where="--tune")
        if name in chosen:
            mend = f"use the option --{name.replace('_', '-')}"
            raise UserError(f"{name} has an option of its own", where="--tune", mend=mend)
        values[name] = value.split(",") if name == "targets" else _plain(value)
    return Tuning(**values)


def _plain(value: str) -> object:
    """A number, true or false, or the word itself."""
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value


def _launch(preset: str, *, only_print: bool) -> None:
    """Start this same command in the processes of an accelerate preset.

    Raises:
        UserError: they failed; what they say stands above.
    """
    from cqia.training.bases import preset as preset_file

    line = [sys.executable, "-m", "accelerate.commands.launch", "--config_file",
            str(preset_file(preset)), "-m", "cqia.cli.main", *sys.argv[1:]]  # fmt: skip
    show.line(shlex.join(line))
    if only_print:
        return
    done = subprocess.run(line, env={**os.environ, LAUNCHED: "1"}, check=False)
    if done.returncode:
        raise UserError(f"accelerate ended with {done.returncode}", mend="see what it says above")
