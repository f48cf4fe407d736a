"""Evaluate: a model's outcomes on a benchmark's items, one row an item, every reply kept.

    evaluate(folder=work / "evaluate" / "x", benchmark=SafetyBench(), items=items, model=model,
             cache=Path("replies.sqlite"))

writes `folder/outcomes.parquet` and a manifest. Nothing is guessed: a reply that can't be read is
`unreadable`, a request without a reply `failed` with its reason, one that the budget didn't reach
`unsent`, an item that can't be asked `unasked`. While there are failed or unsent ones the result is
not complete, and the same command asks for them again; what is in the cache is not asked again.

The cache knows a model by its name: two sets of weights must not share one.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache as cache_once
from pathlib import Path

import orjson
import polars as pl

from cqia import store
from cqia.benchmarks.base import Benchmark, Item, Render, Renders, plainly
from cqia.benchmarks.outcomes import row, schema, unasked
from cqia.errors import UserError
from cqia.llm.ask import ask, plan
from cqia.llm.budget import Budget, Price
from cqia.llm.cache import Cache
from cqia.llm.local import Local
from cqia.llm.protocol import Asking, Failure, Messages, Model, Outcome, Reply, Request
from cqia.scores import AGAIN
from cqia.training.chat import Chat, opened
from cqia.workers import Progress

BATCH = 2_000
"""Items that are asked about at a time."""
CODE = (
    "benchmarks/", "stages/evaluate.py", "text/choices.py", "judges/", "filters/refusals.py",
    "training/chat",
)  # fmt: skip
"""What outcomes depend on, beside the model; a change elsewhere makes nothing anew."""
FREE = Price()


@dataclass(slots=True)
class _Hands:
    """Who answers and what it may cost: the model, the rival and the judge, in one budget."""

    model: Model
    rival: Model | None
    judge: Model | None
    prices: dict[str, Price]
    most: float | None
    cache: Cache
    progress: Progress | None
    spent: float = 0.0

    def ask(self, who: str, model: Model, requests: Sequence[Asking]) -> list[Outcome]:
        left = None if self.most is None else self.most - self.spent
        budget = Budget(self.prices[who], left)
        found = ask(model, requests, cache=self.cache, budget=budget, progress=self.progress)
        self.spent += found.tally.cost
        return [_said(one) for one in found.outcomes]


def _said(outcome: Outcome) -> Outcome:
    """A model that says nothing has answered: that is graded, and asking again won't change it."""
    empty = isinstance(outcome, Failure) and outcome.reason == "empty"
    return Reply("", attempts=outcome.attempts) if empty else outcome


def evaluate(
    *,
    folder: Path,
    benchmark: Benchmark,
    items: Sequence[Item],
    model: Model,
    cache: Path,
    judge: Model | None = None,
    rival: Model | None = None,
    price: Price = FREE,
    judge_price: Price = FREE,
    rival_price: Price = FREE,
    most: float | None = None,
    progress: Progress | None = None,
) -> store.Facts:
    """Ask a model about items, have a judge read what must be judged, and keep the outcomes.

    Args:
        folder: where the outcomes go.
        benchmark: how items are asked and graded.
        items: the benchmark's items, or some of them.
        model: who is evaluated.
        cache: the file of replies.
        judge: who judges, for benchmarks that need it.
        rival: whose answers the model's are compared with, for pairwise benchmarks.
        price: what the model takes.
        judge_price: what the judge takes.
        rival_price: what the rival takes.
        most: the largest cost of this run, of all three together; the rest is `unsent`.
        progress: told of every end.

    Returns:
        The manifest; `complete` says whether every request had its reply. Beside it `spent`, what
        this run cost; it is absent where nothing was left to do.

    Raises:
        UserError: a judge or rival is missing, the prices can't be added up, or the model tells no
            log-probabilities.
    """
    prices = {"model": price, "judge": judge_price, "rival": rival_price}
    _check(benchmark, judge, rival, prices, most)
    facts = _facts(benchmark, items, model, judge, rival, prices)
    mark = store.fingerprint(facts)
    if (done := store.finished(folder, mark)) and done["complete"]:
        return done
    store.begin(folder, mark)
    began = time.monotonic()
    tables = []
    with Cache(cache) as replies:
        hands = _Hands(model, rival, judge, prices, most, replies, progress)
        for start in range(0, len(items), BATCH):
            tables.append(_table(benchmark, items[start : start + BATCH], hands))
    outcomes = pl.concat([pl.DataFrame(schema=schema(benchmark)), *tables])
    store.write_frame(folder / "outcomes.parquet", outcomes)
    states = dict(outcomes["state"].value_counts().sort("state").iter_rows())
    if sum(states.values()) != len(items):
        raise RuntimeError(f"{folder}: {states} are not {len(items)} items")
    said = {"n": len(items), "states": states}
    said["complete"] = outcomes.filter(AGAIN).is_empty()
    took = {"seconds": round(time.monotonic() - began, 3), "cost": hands.spent}
    store.write_json(folder / "timing.json", took)
    return {**store.seal(folder, mark, {**facts, **said}), "spent": hands.spent}


def _check(
    benchmark: Benchmark,
    judge: Model | None,
    rival: Model | None,
    prices: dict[str, Price],
    most: float | None,
) -> None:
    if benchmark.judges and judge is None:
        raise UserError(f"{benchmark.name} needs a judge", mend="name its model with --judge")
    if benchmark.rivals and rival is None:
        raise UserError(f"{benchmark.name} compares two models", mend="name one with --against")
    paid = {one.currency for one in prices.values() if one.prompt or one.reply}
    if most is not None and len(paid) > 1:
        raise UserError(
            f"prices in {' and '.join(sorted(paid))} can't be added up, so --max-cost can't hold",
            mend="give all prices in one currency",
        )


def _facts(
    benchmark: Benchmark,
    items: Sequence[Item],
    model: Model,
    judge: Model | None,
    rival: Model | None,
    prices: dict[str, Price],
) -> store.Facts:
    """What the outcomes depend on."""
    total = hashlib.sha256()
    for item in items:
        total.update(orjson.dumps(asdict(item)) + b"\n")
    return {
        "stage": "evaluate",
        "program": store.program(*CODE),
        "benchmark": benchmark.name,
        "version": benchmark.version,
        "setting": repr(benchmark),
        "metric": benchmark.metric.name,
        "unit": benchmark.metric.unit,
        "scale": benchmark.metric.scale,
        "direction": benchmark.metric.direction,
        "items": total.hexdigest()[:16],
        "model": model.name,
        "family": model.family,
        "judge": judge.name if judge else "",
        "judge_family": judge.family if judge else "",
        "rival": rival.name if rival else "",
        "rival_family": rival.family if rival else "",
        "prices": {name: asdict(price) for name, price in prices.items()},
    }


def render_of(model: Model) -> Render:
    """The model's own chat template; plain text where nobody knows one."""
    if isinstance(model, Renders):
        return model.render
    return _template(model) if isinstance(model, Local) and model.template else plainly


def _template(model: Local) -> Render:
    """The template that training writes with, so that nothing is measured in another one.

    The tokenizer's marks in a message are broken by a zero-width space, as `Local` does.
    """

    @cache_once
    def chat() -> Chat:
        own = model.adapter
        return opened(own if own and (own / "tokenizer_config.json").is_file() else model.folder)

    def render(messages: Messages) -> str:
        turns = []
        for role, text in messages:
            for mark in chat().special:
                text = text.replace(mark, f"{mark[0]}\u200b{mark[1:]}")
            turns.append({"role": role, "content": text})
        return chat().text(turns, prompt=True)

    return render


def _table(benchmark: Benchmark, items: Sequence[Item], hands: _Hands) -> pl.DataFrame:
    """A batch's outcomes: the model is asked, then the rival, then the judge about both."""
    asked = [item for item in items if not item.unasked]
    told = _told(benchmark, asked, hands.model, "model", hands)
    if benchmark.rivals:
        assert hands.rival
        other = _told(benchmark, asked, hands.rival, "rival", hands)
        asked = [
            replace(item, rival=reply.text if isinstance(reply, Reply) else "")
            for item, reply in zip(asked, other, strict=True)
        ]
        told = [
            two._replace(detail=f"(rival) {two.detail}")
            if isinstance(two, Failure) and isinstance(one, Reply)
            else one
            for one, two in zip(told, other, strict=True)
        ]
    verdicts = _verdicts(benchmark, asked, told, hands)
    ends = (
        row(benchmark, item, reply, judged)
        for item, reply, judged in zip(asked, told, verdicts, strict=True)
    )
    rows = [unasked(benchmark, one) if one.unasked else next(ends) for one in items]
    return pl.DataFrame(rows, schema=schema(benchmark), orient="row")


def _told(
    benchmark: Benchmark, items: Sequence[Item], model: Model, who: str, hands: _Hands
) -> list[Outcome]:
    render = render_of(model)
    found = hands.ask(who, model, [benchmark.ask(item, render) for item in items])
    dumb = [one for one in found if isinstance(one, Failure) and one.reason == "not offered"]
    if dumb:
        raise UserError(
            f"model {model.name!r} tells no log-probabilities",
            mend="ask with --mode generate where the benchmark can, or a local model",
        )
    return found


def _verdicts(
    benchmark: Benchmark, items: Sequence[Item], told: Sequence[Outcome], hands: _Hands
) -> list[list[Outcome]]:
    """The judge's outcomes for each item; none where there is nothing to judge."""
    if not benchmark.judges:
        return [[] for _ in items]
    assert hands.judge
    each: list[tuple[Request, ...]] = [
        benchmark.judged(item, reply.text) if isinstance(reply, Reply) else ()
        for item, reply in zip(items, told, strict=True)
    ]
    found = iter(hands.ask("judge", hands.judge, [one for some in each for one in some]))
    return [[next(found) for _ in some] for some in each]


def forecast(
    *,
    benchmark: Benchmark,
    items: Sequence[Item],
    model: Model,
    cache: Path,
    price: Price = FREE,
    judge_price: Price = FREE,
) -> store.Facts:
    """What `evaluate` would take at most; nothing is sent."""
    asked = [item for item in items if not item.unasked]
    requests = [benchmark.ask(item, render_of(model)) for item in asked]
    with Cache(cache) as replies:
        ahead = plan(model.name, requests, cache=replies, budget=Budget(price))
    judging = judged_at_most(benchmark, asked, requests) if benchmark.judges else []
    return {
        "items": len(items),
        "unasked": len(items) - len(asked),
        "requests": ahead.requests,
        "cached": ahead.cached,
        "tokens_at_most": ahead.tokens,
        "judge_requests": len(judging),
        "judge_tokens_at_most": sum(sum(one) for one in judging),
        "cost_at_most": ahead.cost + sum(judge_price.of(*one) for one in judging),
        "currency": price.currency,
    }


def judged_at_most(
    benchmark: Benchmark, items: Sequence[Item], requests: Sequence[Asking]
) -> list[tuple[int, int]]:
    """The most tokens that each question to the judge can take, before there are replies."""
    found = []
    for item, request in zip(items, requests, strict=True):
        reply = request.most()[1]
        for one in benchmark.judged(item, ""):
            prompt, told = one.most()
            found.append((prompt + reply * (2 if benchmark.rivals else 1), told))
    return found
