"""A provider's batch API: requests go up in a file, replies come back in one, later and cheaper.

Source: the OpenAI API reference (files, batches), which DashScope and Zhipu follow. Replies go into
the cache under the keys that the ordinary run looks for, so that one sends nothing afterwards.

    advance(model, requests, cache=cache, budget=budget, folder=Path("work/replies.batches"))

collects what has come, and submits what is neither in the cache nor under way. What was submitted
stands in the folder, a file a batch, written before each step: a run that is killed between
submitting a batch and learning its number finds it again in the provider's list, by the file it was
made of, and never submits it twice.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from cqia import store
from cqia.errors import UserError
from cqia.llm.batch_wire import Gone, Wire
from cqia.llm.budget import Budget
from cqia.llm.cache import Cache
from cqia.llm.endpoint import Endpoint
from cqia.llm.protocol import Failure, Reply, Request

MOST = 20_000
"""Requests in one batch at most; the providers' own limits are 50,000."""
LARGEST = 90 << 20
"""Bytes of one file at most; the providers' own limits are 100 to 500 MB."""
ENDED = ("completed", "failed", "expired", "cancelled")
_TOGETHER = 500


@dataclass(slots=True, kw_only=True)
class Batch:
    """One batch as it stands in the folder.

    step: planned, uploaded (it may be submitted or not), submitted, collected. failed: of each
    request without a reply, why.
    """

    token: str
    model: str
    url: str
    keys: list[str]
    step: str = "planned"
    file: str = ""
    id: str = ""
    status: str = ""
    replies: int = 0
    failed: dict[str, str] = field(default_factory=dict)


class Batched(NamedTuple):
    """Where the requests are: asked = cached + collected + failed + waiting + submitted + unsent.

    cached: before this call. collected: replies that came now. failed: came back without a reply
    now. waiting: under way since an earlier call. submitted: sent now. unsent: the budget ended.
    cost: of what was collected of these requests. reasons: why requests came back without a reply,
    and how many.
    """

    asked: int
    cached: int
    collected: int
    failed: int
    waiting: int
    submitted: int
    unsent: int
    cost: float
    reasons: dict[str, int]
    batches: list[Batch]


def advance(
    model: Endpoint,
    requests: Sequence[Request],
    *,
    cache: Cache,
    budget: Budget,
    folder: Path,
    most: int = MOST,
) -> Batched:
    """Collect what has come of a model's batches, and submit what is missing.

    What comes back without a reply in this call is not submitted again before the next one.

    Args:
        model: the endpoint.
        requests: what is asked.
        cache: where replies are looked for and kept.
        budget: what may be spent; the rest is `unsent`.
        folder: where the batches' files stand.
        most: requests in one batch.

    Raises:
        UserError: the endpoint offers no batches, doesn't accept the key, or can't be reached.
    """
    with store.lock(folder):
        return asyncio.run(_advance(model, requests, cache, budget, folder, most))


async def _advance(
    model: Endpoint,
    requests: Sequence[Request],
    cache: Cache,
    budget: Budget,
    folder: Path,
    most: int,
) -> Batched:
    by_key = {one.key(model.name): one for one in requests}
    had = set(cache.get(by_key))
    known = _known(folder, model)
    open_ = [one for one in known if one.step != "collected"]
    failed: dict[str, str] = {}
    cost = 0.0
    async with Wire(model) as wire:
        for one in open_:
            await _submit(wire, folder, one)
            cost += await _collect(wire, folder, one, model, cache, budget, by_key)
            failed |= one.failed
        collected = set(cache.get(by_key)) - had
        waiting = {key for one in open_ if one.step != "collected" for key in one.keys}
        free = [key for key in by_key if key not in had | collected | waiting | failed.keys()]
        sent = [key for key in free if budget.hold(by_key[key])]
        for keys, lines in _cut(model, sent, by_key, most):
            one = _plan(folder, model, keys, lines)
            open_.append(one)
            await _submit(wire, folder, one)
    mine = {key: why for key, why in failed.items() if key in by_key and key not in collected}
    reasons: dict[str, int] = {}
    for why in mine.values():
        reasons[why] = reasons.get(why, 0) + 1
    return Batched(
        len(by_key), len(had), len(collected), len(mine.keys() - had),
        len((waiting & by_key.keys()) - had - collected), len(sent), len(free) - len(sent), cost,
        reasons, open_,
    )  # fmt: skip


def _known(folder: Path, model: Endpoint) -> list[Batch]:
    """The model's batches in the folder.

    Raises:
        UserError: one is under way at another address.
    """
    paths = sorted(folder.glob("*.json"))
    for line in folder.glob("*.jsonl"):
        if not line.with_suffix(".json").exists():
            line.unlink()
    found = [Batch(**store.read_json(path)) for path in paths]
    mine = [one for one in found if one.model == model.name]
    for one in mine:
        if one.step == "planned":
            one.url = model.url
        if one.step != "collected" and one.url != model.url:
            raise UserError(
                f"a batch of model {model.name!r} is under way at {one.url}",
                where=str(folder / f"{one.token}.json"),
                mend="collect it with that url first, or delete the file to give it up",
            )
    return mine


def _save(folder: Path, batch: Batch) -> None:
    store.write_json(folder / f"{batch.token}.json", asdict(batch))


def _plan(folder: Path, model: Endpoint, keys: list[str], lines: list[bytes]) -> Batch:
    """Write down what will be submitted, before anything is sent."""
    batch = Batch(token=uuid.uuid4().hex, model=model.name, url=model.url, keys=keys)
    store.write_bytes(folder / f"{batch.token}.jsonl", b"".join(lines))
    _save(folder, batch)
    return batch


def _cut(
    model: Endpoint, keys: list[str], by_key: dict[str, Request], most: int
) -> Iterator[tuple[list[str], list[bytes]]]:
    """The requests as lines of the protocol, cut into files that are not too large."""
    place = f"/{model.url.rstrip('/').rpartition('/')[2]}/chat/completions"
    held: list[str] = []
    lines: list[bytes] = []
    size = 0
    for key in keys:
        told = {"custom_id": key, "method": "POST", "url": place}
        told["body"] = orjson.Fragment(model.body(by_key[key]))  # type: ignore[assignment]
        line = store.json_line(told)
        if held and (len(held) == most or size + len(line) > LARGEST):
            yield held, lines
            held, lines, size = [], [], 0
        held.append(key)
        lines.append(line)
        size += len(line)
    if held:
        yield held, lines


async def _submit(wire: Wire, folder: Path, batch: Batch) -> None:
    """Bring a batch as far as `submitted`, from wherever it was left."""
    lines = folder / f"{batch.token}.jsonl"
    if batch.step == "planned":
        batch.file = await wire.upload(f"{batch.token}.jsonl", lines.read_bytes())
        batch.step = "uploaded"
        _save(folder, batch)
        batch.id = await wire.create(batch.file, batch.token)
    elif batch.step == "uploaded":
        found = await wire.find(batch.file, batch.token)
        batch.id = found or await wire.create(batch.file, batch.token)
    else:
        return
    batch.step = "submitted"
    _save(folder, batch)
    lines.unlink(missing_ok=True)


async def _collect(
    wire: Wire,
    folder: Path,
    batch: Batch,
    model: Endpoint,
    cache: Cache,
    budget: Budget,
    by_key: Mapping[str, Request],
) -> float:
    """Put the replies of a batch that has ended into the cache; returns what they cost."""
    try:
        facts = await wire.get(f"batches/{batch.id}")
    except Gone:
        facts = {"status": "gone"}
    batch.status = str(facts.get("status"))
    if batch.status not in (*ENDED, "gone"):
        _save(folder, batch)
        return 0.0
    wanted, replies, cost = set(batch.keys), 0, 0.0
    failed: dict[str, str] = {}
    for name in ("output_file_id", "error_file_id"):
        if not facts.get(name):
            continue
        held: dict[str, Reply] = {}
        async for line in wire.lines(str(facts[name])):
            key, outcome = _read(model, line)
            if key not in wanted:
                continue
            wanted.discard(key)
            if isinstance(outcome, Failure):
                failed[key] = f"{outcome.reason}: {outcome.detail}"
                continue
            held[key] = outcome
            replies += 1
            if key in by_key:
                cost += budget.cost(by_key[key], outcome)
            if len(held) == _TOGETHER:
                cache.put(model.name, held)
                held = {}
        cache.put(model.name, held)
    why = _why(batch.status, facts, model)
    batch.failed = failed | dict.fromkeys(wanted, why)
    batch.replies, batch.step = replies, "collected"
    budget.spent += cost
    _save(folder, batch)
    return cost


def _why(status: str, facts: dict[str, Any], model: Endpoint) -> str:
    """Why requests of a batch that has ended have no line in its files."""
    told = facts.get("errors")
    data = told.get("data") if isinstance(told, dict) else None
    first = data[0] if isinstance(data, list) and data else None
    said = first.get("message") if isinstance(first, dict) else ""
    name = "missing" if status == "completed" else status
    return f"{name}: {model.safe(str(said))}" if said else name


def _read(model: Endpoint, line: bytes) -> tuple[str, Reply | Failure]:
    """The key of a line of a file of replies, and what it brought."""
    try:
        told = orjson.loads(line)
        key = str(told["custom_id"])
        answer = told.get("response") or {}
        status, body = answer.get("status_code"), orjson.dumps(answer.get("body"))
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        return "", Failure("malformed", "")
    if status == 200:
        return key, model.read(body)[0]
    said = body if answer else orjson.dumps(told.get("error"))
    return key, Failure("refused", model.safe(f"{status}: {said.decode()}"))
