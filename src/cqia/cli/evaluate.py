"""cqia evaluate: a model's outcomes on a benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import polars as pl

from cqia import store
from cqia.cli import show
from cqia.errors import UserError

if TYPE_CHECKING:
    from cqia.benchmarks.base import Benchmark, Item
    from cqia.llm.models import Priced

ENDINGS = (".json", ".jsonl", ".csv", ".zip")


@click.command(epilog="Example:  cqia evaluate safetybench --model scripted --data-folder data")
@click.argument("name", metavar="BENCHMARK")
@click.option(
    "--model", required=True, help="A model of the models' TOML, a local folder, or scripted."
)
@click.option("--judge", help="The model that judges, where the benchmark needs one.")
@click.option("--against", help="The other model, for pairwise.")
@click.option(
    "--models",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("models.toml"),
    show_default=True,
    help="The TOML with the models, their addresses and prices.",
)
@click.option(
    "--data",
    multiple=True,
    type=click.Path(),
    help="A file of the benchmark; may be repeated. Without it: its folder in the data folder.",
)
@show.data_option("--data-folder")
@click.option(
    "--mode",
    type=click.Choice(["logprob", "generate"]),
    help="How a letter is had: weighed, or written and read.",
)
@click.option("--shots", type=click.Choice(["0", "5"]), help="Solved examples before a question.")
@click.option("--should-refuse", type=click.Choice(["yes", "no"]),
              help="For prompts that don't say whether they should be refused.")  # fmt: skip
@show.work_option
@click.option("--limit", type=click.IntRange(1), help="Only the first so many items.")
@click.option("--max-cost", type=float, help="Stop before this run costs more.")
@click.option("--dry-run", is_flag=True, help="Only say what it would take; nothing is sent.")
@click.option(
    "--submission",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write SafetyBench's submission file here.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("work/replies.sqlite"),
    show_default=True,
    help="The file of replies; what is in it is not asked for again.",
)
@show.format_option
def command(
    name: str,
    model: str,
    judge: str | None,
    against: str | None,
    models: Path,
    data: tuple[str, ...],
    data_folder: Path,
    mode: str | None,
    shots: str | None,
    should_refuse: str | None,
    work: Path,
    limit: int | None,
    max_cost: float | None,
    dry_run: bool,
    submission: Path | None,
    cache: Path,
    format_: str,
) -> None:
    """Ask a model the questions of BENCHMARK, and say how it did, with n and a 95 % interval.

    Every reply is kept in outcomes.parquet; one that can't be read is counted as such and is never
    a number. The same command goes on where it was. A mean alone says little: cqia compare sets
    models side by side on the same items.
    """
    from cqia.benchmarks.catalogue import benchmark
    from cqia.llm.models import affordable

    settings = {"mode": mode, "shots": int(shots) if shots else None}
    settings["should_refuse"] = should_refuse and should_refuse == "yes"
    if judge and name == "refusal":
        settings["reader"] = "judge"
    chosen = benchmark(name, settings)
    items = chosen.items(_named(data) or files_of(chosen, data_folder))[:limit]
    asked = {"model": _model(model, models)}
    if judge:
        asked["judge"] = _model(judge, models)
    if against:
        asked["rival"] = _model(against, models)
    prices = {who: affordable(one, max_cost) for who, one in asked.items()}
    if dry_run:
        _ahead(chosen, items, asked, prices, cache, format_)
        return
    folder = work / "evaluate" / f"{chosen.label}@{'-vs-'.join(_names(asked))}"
    facts = _run(folder, chosen, items, asked, prices, cache, max_cost, work)
    _tell(folder, chosen, facts, submission, format_)


def _named(data: tuple[str, ...]) -> list[str]:
    """The files that are named; a pattern of a place elsewhere stands for its files."""
    from cqia.places.files import matching

    return [name for one in data for name in matching(one)]


def files_of(chosen: Benchmark, data_folder: Path) -> list[str]:
    """The files in a benchmark's own folder.

    Raises:
        UserError: there are none; says how to have them.
    """
    if not chosen.folder:
        raise UserError(f"{chosen.name} reads your own files", mend="name them with --data")
    place = data_folder / chosen.folder
    found = [str(path) for path in sorted(place.rglob("*")) if path.suffix in ENDINGS]
    if not found:
        raise UserError(
            "no files of the benchmark here",
            where=str(place),
            mend=f"cqia fetch {chosen.name}, put them there by hand, or name them with --data",
        )
    return found


def _model(name: str, models: Path) -> Priced:
    """A model by name, or the local one in a folder."""
    from cqia.llm.budget import Price
    from cqia.llm.models import Priced, named

    folder = Path(name)
    if not folder.is_dir():
        return named(name, models)
    from cqia.llm.local import Local

    return Priced(Local(name=local_name(folder), folder=folder), Price())


def local_name(folder: Path) -> str:
    """A name for the weights in a folder: the cache must not take others for them.

    Raises:
        UserError: the folder holds no model.
    """
    import hashlib

    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    if not any(path.suffix in (".safetensors", ".gguf") for path in files):
        raise UserError(
            "no model here", where=str(folder), mend="name a folder with config.json and weights"
        )
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            total.update(path.name.encode() + hashlib.file_digest(stream, "sha256").digest())
    return f"{folder.resolve().name}-{total.hexdigest()[:8]}"


def _names(asked: dict[str, Priced]) -> list[str]:
    return [one.model.name for who, one in asked.items() if who != "judge"]


def _ahead(
    chosen: Benchmark,
    items: list[Item],
    asked: dict[str, Priced],
    prices: dict[str, Any],
    cache: Path,
    format_: str,
) -> None:
    from cqia.stages.evaluate import forecast

    more = {"judge_price": prices["judge"]} if "judge" in prices else {}
    ahead = forecast(benchmark=chosen, items=items, model=asked["model"].model, cache=cache,
                     price=prices["model"], **more)  # fmt: skip
    rows = [(key, str(value)) for key, value in ahead.items()]
    show.table(pl.DataFrame(rows, schema=["what", "amount"], orient="row"), format_)
    if format_ == "table" and any(one.price is None for one in asked.values()):
        show.line("a model's price is not known: cost_at_most says nothing", "yellow")


def _run(
    folder: Path,
    chosen: Benchmark,
    items: list[Item],
    asked: dict[str, Priced],
    prices: dict[str, Any],
    cache: Path,
    max_cost: float | None,
    work: Path,
) -> store.Facts:
    from cqia.stages.evaluate import FREE, evaluate

    judge, rival = asked.get("judge"), asked.get("rival")
    with store.lock(work), show.progress("evaluate") as progress:
        return evaluate(
            folder=folder,
            benchmark=chosen,
            items=items,
            model=asked["model"].model,
            judge=judge and judge.model,
            rival=rival and rival.model,
            price=prices["model"],
            judge_price=prices.get("judge", FREE),
            rival_price=prices.get("rival", FREE),
            cache=cache,
            most=max_cost,
            progress=progress,
        )


def _disagreements(outcomes: pl.DataFrame) -> None:
    """Replies in which another reader sees another letter, the first of them in full."""
    from cqia.benchmarks.choosing import disagreements

    found = disagreements(outcomes)
    if not len(found):
        return
    show.line(f"readers    the official extractor reads {len(found)} replies otherwise:")
    few = found.head(5).with_columns(pl.col("reply").str.head(60))
    show.table(few.drop("group"), "table")


def _tell(
    folder: Path, chosen: Benchmark, facts: store.Facts, submission: Path | None, format_: str
) -> None:
    from cqia.benchmarks.summary import summary

    outcomes = pl.read_parquet(folder / "outcomes.parquet")
    if submission:
        from cqia.benchmarks import safetybench

        found = safetybench.submission(outcomes)
        store.write_json(submission, {str(key): value for key, value in found.items()})
    show.table(summary(outcomes, chosen.metric), format_)
    if format_ != "table":
        return
    metric = chosen.metric
    show.line(f"metric     {metric.name}, {metric.unit}; {metric.direction} is better")
    for one in chosen.totals(outcomes):
        value = "–" if one.value is None else f"{one.value * metric.scale:.4g}"
        show.line(f"total      {one.name}: {value} (n = {one.n})")
    _disagreements(outcomes)
    if "scripted" in (facts["family"], facts["judge_family"], facts["rival_family"]):
        show.line("SCRIPTED: these outcomes are made up by a script and mean nothing", "yellow")
    if not facts["complete"]:
        show.line("not complete: the same command asks for what is missing", "yellow")
    show.line(f"outcomes   {folder / 'outcomes.parquet'}")
