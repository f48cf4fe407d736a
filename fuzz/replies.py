"""Targets: everything that reads what a model or an endpoint says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson

from cqia.benchmarks.base import Benchmark, Item, plainly
from cqia.benchmarks.belle_eval import read_score
from cqia.benchmarks.catalogue import BENCHMARKS
from cqia.benchmarks.outcomes import row
from cqia.benchmarks.refusal import behaves
from cqia.drafting import draft
from cqia.judges.attacks import BASES
from cqia.judges.base import Judge, fenced, follows
from cqia.judges.catalogue import JUDGES
from cqia.judges.pairwise import PAIRWISE, settle
from cqia.llm import batch
from cqia.llm.batch_wire import Gone, Wire
from cqia.llm.completions import Completions
from cqia.llm.endpoint import Answer, Endpoint
from cqia.llm.protocol import Choosing, Failure, Outcome, Reply, Weight, told
from cqia.text.choices import LETTERS, find, in_order, official
from fuzz.draw import Draw
from fuzz.target import Target, hold


def _near(draw: Draw, schema: Any) -> Any:  # noqa: ANN401
    """A value near a judge's schema."""
    if draw.chance(16):
        return draw.value()
    if "enum" in schema:
        return draw.pick(schema["enum"])
    kind = schema.get("type")
    if kind == "object":
        given = schema["properties"].items()
        found = {name: _near(draw, one) for name, one in given if not draw.chance(24)}
        return {**found, draw.text(1): 1} if draw.chance(24) else found
    if kind == "array":
        return [_near(draw, schema["items"]) for _ in range(draw.below(4))]
    if kind == "boolean":
        return draw.byte() % 2 == 0
    return draw.text(4) if kind == "string" else draw.pick((1, 10, 5.5, 0, 11, 8, -1, 1e300))


def judge(one: Judge) -> Callable[[bytes], None]:
    """A verdict is within its schema, or there is none."""

    def check(data: bytes) -> None:
        draw = Draw(data)
        told = draw.json(_near(draw, one.schema)).decode("utf-8", "replace")
        ways = (
            told,
            f"```json\n{told}\n```",
            f"想一想。{told}",
            told * 2,
            draw.text(),
            "```\n" * 99,
        )
        reply = draw.damaged((draw.pick(ways) + draw.text(2)).encode("utf-8", "ignore"))
        found = one.read(reply.decode("utf-8", "replace"))
        hold(found is None or follows(found, one.schema), "a verdict follows its schema")
        if one is PAIRWISE:
            settle(found, one.read(told))

    return check


def _options(draw: Draw) -> list[str]:
    return [draw.text(3) for _ in range(1 + draw.below(len(LETTERS)))]


def choices(data: bytes) -> None:
    """A letter is one of the options, or a reason is given."""
    draw = Draw(data)
    options, reply = _options(draw), draw.text()
    found = find(reply, options)
    hold(bool(found.letter) != bool(found.reason), "a letter, or why there is none")
    hold(found.letter in LETTERS[: len(options)], "the letter is among the options")
    official(reply, options)
    hold(len(in_order(options)) == len(options), "no option is lost")


def scores(data: bytes) -> None:
    """A score is from 0 to 1, or a reason is given."""
    value, reason = read_score(Draw(data).text(16))
    hold((value is None) == bool(reason), "a score, or why there is none")
    hold(value is None or 0 <= value <= 1, "the score is from 0 to 1")


def _reply(draw: Draw) -> Reply:
    weights = [Weight(draw.pick((-1.5, 0.0, -1e308)), draw.below(3)) for _ in range(draw.below(8))]
    text = told(weights) if draw.chance(2) else draw.text()
    return Reply(text, draw.pick(("stop", "length", "")))


def graded(one: Benchmark) -> Callable[[bytes], None]:
    """Whatever a model and a judge reply, an item becomes one row of a known state."""

    def check(data: bytes) -> None:
        draw = Draw(data)
        item = Item(id="x", question=draw.text(), options=tuple(_options(draw)), gold="A",
                    group=draw.text(1), rubric=draw.text(2), rival=draw.text(3))  # fmt: skip
        asked = one.ask(item, plainly)
        reply = _reply(draw)
        if isinstance(asked, Choosing):
            count = len(asked.continuations)
            weights = [Weight(-float(draw.byte()), 1) for _ in range(count)]
            reply = Reply(told(weights))
        verdicts: tuple[Reply, ...] = ()
        if one.judges:
            verdicts = tuple(_reply(draw) for _ in one.judged(item, reply.text))
        found = one.grade(item, reply, verdicts)
        hold(found.state in ("read", "unreadable"), "a reply is read or unreadable")
        hold(
            (found.score is not None) == (found.state == "read"), "a number only where it was read"
        )
        row(one, item, reply, verdicts)

    return check


def drafts(data: bytes) -> None:
    """A reply becomes a draft of a known state."""
    draw = Draw(data)
    given = [(draw.text(), draw.pick(("stop", "length", "content_filter"))) for _ in range(3)]
    found = draft.read(given)
    hold(len(found) == 3, "a draft a reply")
    for one in found:
        hold((one.output is not None) == (one.state == "read"), "text only where it was read")


def _completion(draw: Draw) -> dict[str, Any]:
    return draw.fields(
        {
            "choices": lambda: [_choice(draw) for _ in range(draw.below(3))],
            "usage": lambda: draw.fields(
                {"prompt_tokens": lambda: draw.below(9), "completion_tokens": lambda: draw.below(9)}
            ),
        }
    )


def _choice(draw: Draw) -> dict[str, Any]:
    token = {"token": lambda: draw.text(1), "logprob": lambda: -float(draw.byte())}
    return draw.fields(
        {
            "message": lambda: draw.fields({"content": draw.text}),
            "text": lambda: draw.pick(("甲乙", "甲", draw.text(2))),
            "finish_reason": lambda: draw.pick(("stop", "length", None)),
            "logprobs": lambda: draw.fields(
                {
                    "tokens": lambda: [draw.text(1) for _ in range(draw.below(4))],
                    "token_logprobs": lambda: [
                        draw.pick((None, -1.0)) for _ in range(draw.below(4))
                    ],
                    "top_logprobs": lambda: [{"A": -1.0, draw.text(1): -2}],
                }
                if draw.chance(2)
                else {
                    "content": lambda: [draw.fields({"top_logprobs": lambda: [draw.fields(token)]})]
                }
            ),
        }
    )


def _body(draw: Draw) -> bytes:
    return draw.rest() if draw.chance(6) else draw.json(_completion(draw))


def _known(outcome: Outcome) -> None:
    if isinstance(outcome, Reply):
        hold(bool(outcome.text.strip()), "a reply says something")
        outcome.text.encode()
    else:
        hold(outcome.reason != "" and outcome.detail.isprintable(), "a reason that can be shown")


def endpoint(data: bytes) -> None:
    """An answer over the wire is a reply or a failure, whatever its status and body."""
    draw = Draw(data)
    model = Endpoint(name="x", url="http://127.0.0.1:1/v1")
    body = _body(draw)
    status = draw.pick((200, 400, 401, 404, 408, 429, 500, 503, 600, 100))
    after = draw.pick(
        ("", "1", "0.5", "Wed, 21 Oct 2015 07:28:00 GMT", "-1", "999999", draw.text(2))
    )
    answer = Answer(status, after, body)
    for outcome, wait in (model.read(body), model._whole(body), model._refusal(answer)):
        _known(outcome)
        hold(wait is None or 0 <= wait <= 60, "no wait is longer than a minute")


def completions(data: bytes) -> None:
    """Continuations are weighed, or there is a failure, whatever `/completions` answers."""
    draw = Draw(data)
    model = Endpoint(name="x", url="http://127.0.0.1:1/v1")

    async def post(_: dict[str, Any]) -> Outcome:
        return model._whole(_body(draw))[0]

    request = Choosing(text=draw.pick(("甲", "")), continuations=("A", "B"))
    outcome = asyncio.run(Completions(post).choose(request))
    if isinstance(outcome, Reply):
        hold(len(orjson.loads(outcome.text)) == 2, "a weight a continuation")


def batches(data: bytes) -> None:
    """Lines and objects of a provider's batch are read, or told as failures."""
    draw = Draw(data)
    model = Endpoint(name="x", url="http://127.0.0.1:1/v1")
    line = draw.json(
        draw.fields(
            {
                "custom_id": lambda: draw.text(1),
                "response": lambda: draw.fields(
                    {"status_code": lambda: draw.pick((200, 400, 500)),
                     "body": lambda: _completion(draw)}
                ),
                "error": draw.value,
            }
        )
    )  # fmt: skip
    key, outcome = batch._read(model, line)
    hold(isinstance(key, str) and isinstance(outcome, Reply | Failure), "a key and an outcome")
    batch._why("failed", draw.fields({"errors": lambda: draw.fields({"data": draw.value})}), model)
    asyncio.run(_wire(draw, model))


async def _wire(draw: Draw, model: Endpoint) -> None:
    wire = Wire(model)
    page = draw.fields(
        {
            "data": lambda: [
                draw.fields(
                    {"id": lambda: "b", "input_file_id": lambda: "g", "metadata": draw.value}
                )
                for _ in range(draw.below(3))
            ],
            "has_more": lambda: False,
        }
    )

    async def call(*_: object, **__: object) -> dict[str, Any]:
        return wire._object(draw.pick((200, 404, 500)), draw.json(page))

    wire._call = call  # type: ignore[method-assign]
    try:
        found = await wire.find("f", "t")
        hold(found is None or isinstance(found, str), "an id or none")
    except Gone:
        return


def fences(data: bytes) -> None:
    """What is judged can't end its fence."""
    draw = Draw(data)
    case = BASES[0].case._replace(output=draw.text(), instruction=draw.text())
    shown = fenced(case, ("instruction", "input", "output"))
    first, last = shown.split("\n")[0], shown.rsplit("\n", 1)[1]
    hold(shown.count(first) == 1 and shown.count(last) == 1, "the fence's lines stand once")


def refusals(data: bytes) -> None:
    """A reply refuses, answers, or can't be told."""
    hold(behaves(Draw(data).text(16)) in ("refused", "answered", ""), "one of three")


TARGETS = (
    *(Target(f"judge-{one.name}", judge(one)) for one in (*JUDGES.values(), PAIRWISE)),
    Target("reply-choices", choices),
    Target("reply-belle-score", scores),
    Target("reply-refusal", refusals),
    Target("reply-draft", drafts),
    Target("reply-fence", fences),
    *(Target(f"grade-{name}", graded(one)) for name, one in BENCHMARKS.items()),
    Target("llm-endpoint", endpoint),
    Target("llm-completions", completions),
    Target("llm-batch", batches),
)
