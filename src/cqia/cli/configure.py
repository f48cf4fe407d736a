"""cqia configure: the dataset for another trainer."""

from __future__ import annotations

from pathlib import Path

import click

from cqia.cli import show


@click.command(
    epilog="Example:  cqia configure llama-factory --base yi-6b --method lora --work work/demo"
)
@click.argument("trainer")
@show.work_option
@click.option("--base", "name", required=True, help="A base model by name, folder or hub id.")
@click.option(
    "--dataset",
    type=click.Path(path_type=Path, file_okay=False),
    help="What assemble --to messages wrote.  [default: WORK/dataset/messages]",
)
@click.option("--method", default="full", show_default=True, help="full, lora or qlora.")
@click.option("--epochs", default=3, show_default=True, help="Passes over the records.")
@click.option("--learning-rate", default=2e-5, show_default=True, help="The highest one.")
@click.option("--batch", default=8, show_default=True, help="Records a step, over all GPUs.")
@click.option("--accumulation", default=1, show_default=True, help="In so many portions.")
@click.option("--max-tokens", default=2_048, show_default=True, help="Longer records are left out.")
@click.option("--packing", is_flag=True, help="Several records share a row.")
@click.option("--gpus", type=click.IntRange(1), default=1, show_default=True, help="Processes.")
@click.option(
    "--accelerate",
    default="one-gpu",
    show_default=True,
    help="fsdp or zero3 to share a model over GPUs; one-gpu; cpu.",
)
@click.option("--seed", default=0, show_default=True, help="Of the order and the adapters.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write.  [default: WORK/trainers/TRAINER]",
)
def command(
    trainer: str,
    work: Path,
    name: str,
    dataset: Path | None,
    method: str,
    epochs: int,
    learning_rate: float,
    batch: int,
    accumulation: int,
    max_tokens: int,
    packing: bool,
    gpus: int,
    accelerate: str,
    seed: int,
    out: Path | None,
) -> None:
    """Write the dataset and a configuration for TRAINER: llama-factory, ms-swift or axolotl.

    The folder stands alone: carry it to where the trainer is installed, and run its run.sh. Where
    the base is a folder on this machine, records that are longer than --max-tokens are left out and
    counted; these trainers would cut or drop them with no more than a line in a log.
    """
    from cqia.training import bases, foreign
    from cqia.training.tuning import Tuning

    bases.preset(accelerate)
    tuning = Tuning(
        method=method,  # type: ignore[arg-type]
        epochs=epochs,
        learning_rate=learning_rate,
        batch=batch,
        accumulation=accumulation,
        max_tokens=max_tokens,
        packing=packing,
        gradient_checkpointing=accelerate in ("fsdp", "zero3"),
        accelerate=accelerate,
    )
    place = out or work / "trainers" / trainer
    facts = foreign.write(
        trainer,
        place,
        dataset=dataset or work / "dataset" / "messages",
        base=bases.named(name),
        tuning=tuning,
        seed=seed,
        gpus=gpus,
    )
    counts = facts["records"]
    show.line(
        f"records    {counts['kept']:,} of {counts['read']:,}; {counts['dropped']:,} too long"
    )
    show.line(f"counted by {counts['tokens_counted_by']}")
    show.line(f"licence    {facts['licence']}")
    show.line(f"run        {place / 'run.sh'}", "green")
