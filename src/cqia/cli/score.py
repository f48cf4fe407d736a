"""cqia score: what a judge says of the records, or a scorer that needs no key."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cqia import store
from cqia.cli import show

if TYPE_CHECKING:
    from cqia.llm.models import Priced
    from cqia.stages.measure import Measured
    from cqia.stages.score import Scored


@click.command(epilog="Example:  cqia score ngram --work work/demo")
@click.argument("judge")
@show.work_option
@functools.partial(show.model_options, required=False)
@show.batch_option
@click.option("--source", "sources", multiple=True, help="Only this source; may be repeated.")
@click.option("--repeats", default=1, show_default=True, help="How often each record is judged.")
@click.option("--limit", type=int, help="Only the first so many records of each source.")
@click.option("--window", type=click.IntRange(10), help="For perplexity and ifd: characters of the "
              "answer that are weighed, from its start.  [default: 120]")  # fmt: skip
@click.option(
    "--answers",
    "writers",
    multiple=True,
    metavar="MODEL",
    help="Judge what a model drafted (cqia answer) where a record has no answer; may be repeated.",
)
@show.cluster_option
@show.format_option
def command(
    judge: str,
    work: Path,
    name: str | None,
    models: Path,
    max_cost: float | None,
    dry_run: bool,
    cache: Path,
    batch: bool,
    sources: tuple[str, ...],
    repeats: int,
    limit: int | None,
    window: int | None,
    writers: tuple[str, ...],
    cluster: str | None,
    format_: str,
) -> None:
    """Score the kept records, as JUDGE says.

    \b
    A judge asks a model:     quality, instruction, task; needs --model
    measured, no model:       length, sentence_length, common, distinct, variety, ngram
    weighed by a small model: perplexity, ifd; without --model a base of WORK/base (cqia pretrain)

    Every reply is kept; one that can't be read is counted as such and is never a number. The same
    command goes on where it was and pays for nothing twice. The threshold is assemble's.
    """  # noqa: D301
    from cqia.errors import UserError, unknown
    from cqia.judges.catalogue import JUDGES
    from cqia.llm.models import affordable
    from cqia.scorers.catalogue import FREE, WEIGHED

    known = [*JUDGES, *FREE, *WEIGHED]
    if judge not in known:
        raise unknown("judge", judge, known)
    if cluster and judge not in FREE:
        raise UserError(f"{judge} asks a model, which is no work for a cluster",
                        mend="leave --cluster out; endpoints share it (see docs)")  # fmt: skip
    if batch and judge not in JUDGES:
        raise UserError(f"{judge} asks no endpoint", mend="leave --batch out")
    which: dict[str, Any] = {"sources": sources, "limit": limit, "writers": writers}
    found = None
    if judge in FREE:
        _without_model(judge, name, repeats, window, dry_run)
        from cqia.stages.measure import measure

        stage: Any = functools.partial(measure, work, FREE[judge], **which)
    else:
        found = _model(judge, name, models, work, needed=judge in JUDGES)
        price = affordable(found, max_cost)
        which |= {"cache": cache, "price": price}
        ahead, asking = _asking(judge, repeats, window)
        if dry_run:
            show.forecast(
                ahead(work, model=found.model, **which), format_, priced=found.price is not None
            )
            return
        if batch:
            from cqia.stages.score import questions

            asked = questions(work, JUDGES[judge], repeats=repeats, sources=sources, limit=limit,
                              writers=writers)  # fmt: skip
            show.batch(found, asked, cache=cache, most=max_cost, format_=format_)
            return
        stage = functools.partial(asking, work, model=found.model, most=max_cost, **which)
    with (
        store.lock(work),
        show.crew(1, cluster, work) as crew,
        show.progress("score") as progress,
    ):
        more = {"workers": crew} if cluster else {}
        done = stage(progress=progress, **more)
    _tell(work, judge, found, done, format_)


def _asking(judge: str, repeats: int, window: int | None) -> tuple[Any, Any]:
    """The functions that forecast and ask, for a judge or for a scorer."""
    import dataclasses

    from cqia.errors import UserError
    from cqia.judges.catalogue import JUDGES
    from cqia.scorers.catalogue import WEIGHED
    from cqia.stages import measure, score

    if judge in WEIGHED:
        if repeats != 1:
            raise UserError(f"{judge} is weighed once", mend="leave --repeats out")
        scorer = WEIGHED[judge]
        scorer = dataclasses.replace(scorer, window=window) if window else scorer
        given: Any = {"scorer": scorer}
        return functools.partial(measure.forecast, **given), functools.partial(
            measure.weigh, **given
        )
    if window:
        raise UserError(f"{judge} sees the whole answer", mend="leave --window out")
    given = {"judge": JUDGES[judge], "repeats": repeats}
    return functools.partial(score.forecast, **given), functools.partial(score.score, **given)


def _without_model(
    judge: str, name: str | None, repeats: int, window: int | None, dry_run: bool
) -> None:
    """Refuse what has no meaning for a scorer without a model."""
    from cqia.errors import UserError

    if name not in (None, "rules"):
        raise UserError(f"{judge} asks no model", mend="leave --model out")
    if repeats != 1 or window or dry_run:
        raise UserError(f"{judge} is measured once, of the whole text, and costs nothing",
                        mend="leave --repeats, --window and --dry-run out")  # fmt: skip


def _model(judge: str, name: str | None, models: Path, work: Path, *, needed: bool) -> Priced:
    """The model that is asked: a named one, one in a folder, or the working folder's own base."""
    from cqia.cli.evaluate import local_name
    from cqia.errors import UserError
    from cqia.llm.budget import Price
    from cqia.llm.models import Priced, named

    if name is not None and not Path(name).is_dir():
        return named(name, models)
    if name is None and needed:
        raise UserError(f"{judge} asks a model", mend="name it with --model; it may be scripted")
    bases = sorted((work / "base").glob("*/model"))
    if name is None and len(bases) != 1:
        known = ", ".join(map(str, bases))
        mend = f"name one with --model: {known}" if bases else f"run: cqia pretrain --work {work}"
        raise UserError(f"{judge} is asked of a small model, and {work}/base holds "
                        f"{len(bases) or 'none'}", mend=f"{mend}, or use --model")  # fmt: skip
    from cqia.llm.local import Local

    folder = Path(name) if name else bases[0]
    own = local_name(folder)
    if folder.name == "model":
        own = folder.resolve().parent.name + own.removeprefix("model")
    return Priced(Local(name=own, folder=folder), Price())


def _tell(
    work: Path, judge: str, found: Priced | None, done: Measured | Scored, format_: str
) -> None:
    """Print the states and means by source, what it took, and what to do next."""
    from cqia import scores
    from cqia.llm.models import affordable

    name = found.model.name if found else "rules"
    show.table(scores.agreement(work, judge, name), format_)
    if format_ != "table":
        return
    if found and found.model.family == "scripted":
        show.line("SCRIPTED: these scores are made up by a script and mean nothing", "yellow")
    if found:
        show.run(done.tally, affordable(found, None))
    if flagged := done.facts.get("mismatched"):
        show.line(f"mismatched {flagged} answers are less likely after their question than alone")
    if not done.facts["complete"]:
        show.line("not complete: the same command asks for what is missing", "yellow")
    show.line(f"scores     {scores.folder_of(work, judge, name)}")
    if found and "prompt" in done.facts:
        show.line(f"next       cqia assemble --min-score {judge}@{name}=8 --work {work}")
    else:
        amount = f"--amount N --score {judge}@{name}"
        show.line(f"next       cqia select --method top {amount} --work {work}")
