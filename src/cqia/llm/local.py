"""A transformers folder on this machine as a model.

    Local(name="base", folder=Path("models/base"))

Requests that come in the same moment are read together: `ask` keeps many under way, they are sorted
by length and cut into batches by tokens, and one thread of its own works the batches off. A weight
doesn't depend on its neighbours, but for the last digits of floats.

A text that is longer than the model can read is a failure (`too long`); nothing is cut off. A
continuation of an empty text is weighed from the tokenizer's start mark; where there is none, from
its end or padding mark, as models without a start mark are trained on texts in a row between which
it stands; where there is none of these, that is a failure too.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

from cqia.errors import UserError
from cqia.llm import local_choose, local_generate
from cqia.llm.local_folder import Loaded, Split, load
from cqia.llm.protocol import Asking, Choosing, Failure, Messages, Outcome, Reply, Request, told

MOMENT = 0.002
"""Seconds in which requests are gathered before they are read together."""
ON_CPU = 2_048
"""Tokens that a CPU weighs at once at most: more leave its caches and took a tenth to a third
longer with a small model (benchmarks/choosing.py)."""
T = TypeVar("T")
Waiting = tuple[Asking, "asyncio.Future[Outcome]"]
Done = tuple[int, Outcome]
"""The number of a request, and its end."""


@dataclass(slots=True, kw_only=True)
class Local:
    """A model in this process.

    Raises:
        UserError: the extra `train` is missing, or a folder doesn't hold a model.
    """

    name: str
    folder: Path
    """config.json, safetensors and a tokenizer."""
    family: str = "unknown"
    adapter: Path | None = None
    """A folder of PEFT that was trained on top of it."""
    batch_tokens: int = 8_192
    """Tokens that are read at once at most, padding counted; `ON_CPU` where a CPU weighs."""
    device: str = "auto"
    """cuda where there is one, else cpu."""
    dtype: str = "auto"
    """float32 on a CPU, else as the folder says."""
    concurrency: int = 512
    """Requests that are gathered for batches; memory doesn't depend on it."""
    template: bool = True
    """Whether messages go through the chat template; if not, their texts stand one after the other
    with an empty line between, as a base model may be asked."""
    _loaded: Loaded | None = field(default=None, init=False, repr=False)
    _weigher: local_choose.Weigher | None = field(default=None, init=False, repr=False)
    _hand: ThreadPoolExecutor | None = field(default=None, init=False, repr=False)
    _waiting: list[Waiting] = field(default_factory=list, init=False, repr=False)
    _work: asyncio.Task[None] | None = field(default=None, init=False, repr=False)

    async def __aenter__(self) -> Self:
        self._hand = ThreadPoolExecutor(1, thread_name_prefix=f"model {self.name}")
        if self._loaded is None:
            self._loaded = await self._by_hand(
                lambda: load(
                    self.folder, adapter=self.adapter, device=self.device, dtype=self.dtype
                )
            )
            most = self.batch_tokens
            if self._loaded.device == "cpu":
                most = min(most, ON_CPU)
            self._weigher = local_choose.Weigher(self._loaded, most)
        return self

    async def __aexit__(self, *fault: object) -> None:
        if self._work:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        self._work, self._waiting = None, []
        if self._hand:
            self._hand.shutdown()

    async def generate(self, request: Request) -> Outcome:
        """A reply through the chat template; a schema is not enforced: who reads it checks it."""
        return await self._queue(request)

    async def choose(self, request: Choosing) -> Outcome:
        """The weights of the continuations."""
        return await self._queue(request)

    async def _queue(self, request: Asking) -> Outcome:
        end: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, end))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._work_off())
        return await end

    async def _by_hand(self, work: Callable[[], T]) -> T:
        assert self._hand is not None
        return await asyncio.get_running_loop().run_in_executor(self._hand, work)

    async def _work_off(self) -> None:
        """Answer what waits, moment by moment, until nothing does."""
        while self._waiting:
            await asyncio.sleep(MOMENT)
            taken, self._waiting = self._waiting, []
            taken = [(request, end) for request, end in taken if not end.done()]
            try:
                await self._answer(taken)
            except Exception as fault:  # noqa: BLE001 handed on to those who wait
                for _, end in taken:
                    if not end.done():
                        end.set_exception(fault)

    async def _answer(self, taken: list[Waiting]) -> None:
        batches = self._batches([request for request, _ in taken])
        while (done := await self._by_hand(lambda: next(batches, None))) is not None:
            for number, outcome in done:
                if not taken[number][1].done():
                    taken[number][1].set_result(outcome)

    def _batches(self, requests: list[Asking]) -> Iterator[list[Done]]:
        """Work off the requests of a moment, batch by batch; runs in the thread."""
        chosen = [(n, one) for n, one in enumerate(requests) if isinstance(one, Choosing)]
        asked = [(n, one) for n, one in enumerate(requests) if isinstance(one, Request)]
        if chosen:
            yield from self._chosen(*zip(*chosen, strict=True))
        if asked:
            yield from self._written(*zip(*asked, strict=True))

    def _chosen(self, numbers: Sequence[int], requests: Sequence[Choosing]) -> Iterator[list[Done]]:
        assert self._loaded is not None
        assert self._weigher is not None
        fit: list[tuple[int, Split]] = []
        ends: list[Done] = []
        for number, split in zip(numbers, self._loaded.split(requests), strict=True):
            if split is None:
                ends.append((number, Failure("refused", "no token can start an empty text")))
            elif fault := self._too_long(split.longest()):
                ends.append((number, fault))
            else:
                fit.append((number, split))
        yield ends
        for batch in local_choose.plan([split for _, split in fit], self._weigher.batch_tokens):
            splits = [fit[row][1] for row in batch.rows]
            found = self._weigher.weigh(splits, batch.shared)
            yield [
                (fit[row][0], _weighed(split, told(one)))
                for row, split, one in zip(batch.rows, splits, found, strict=True)
            ]

    def _written(self, numbers: Sequence[int], requests: Sequence[Request]) -> Iterator[list[Done]]:
        assert self._loaded is not None
        fit: list[tuple[int, local_generate.Prompt]] = []
        ends: list[Done] = []
        for number, request in zip(numbers, requests, strict=True):
            prompt = self._prompt(request)
            if isinstance(prompt, Failure):
                ends.append((number, prompt))
            else:
                fit.append((number, prompt))
        yield ends
        prompts = [prompt for _, prompt in fit]
        for batch in local_generate.plan(prompts, self.batch_tokens):
            written = local_generate.write(self._loaded, [prompts[row] for row in batch])
            yield [(fit[row][0], self._read(prompts[row], one))
                   for row, one in zip(batch, written, strict=True)]  # fmt: skip

    def _prompt(self, request: Request) -> local_generate.Prompt | Failure:
        assert self._loaded is not None
        text = self._rendered(request.messages)
        if isinstance(text, Failure):
            return text
        (tokens,) = self._loaded.encode([text])
        tokens = tokens or self._loaded.start
        if not tokens:
            return Failure("refused", "no token can start an empty text")
        if fault := self._too_long(len(tokens)):
            return fault
        most = request.sampling.max_tokens
        if self._loaded.positions is not None:
            most = min(most, self._loaded.positions - len(tokens) + 1)
        seed = request.sampling.seed
        if seed is None:
            seed = int(hashlib.sha256(request.key("").encode()).hexdigest()[:16], 16)
        return local_generate.Prompt(tokens, request.sampling, most, seed)

    def _rendered(self, messages: Messages) -> str | Failure:
        """The prompt as the model reads it.

        Marks of the tokenizer that stand in a message (`<|im_end|>`) would end it: a zero-width
        space after their first character makes text of them.
        """
        assert self._loaded is not None
        tokenizer = self._loaded.tokenizer
        told = [{"role": role, "content": self._unmarked(text)} for role, text in messages]
        if not self.template:
            return "\n\n".join(one["content"] for one in told)
        if not tokenizer.chat_template:
            raise UserError(
                f"model {self.name!r} has no chat template",
                where=str(self.folder),
                mend="tune it first, or ask it without one: template = false",
            )
        import jinja2

        try:
            return str(
                tokenizer.apply_chat_template(told, tokenize=False, add_generation_prompt=True)
            )
        except jinja2.TemplateError as fault:
            return Failure("refused", f"the chat template: {fault}")

    def _unmarked(self, text: str) -> str:
        assert self._loaded is not None
        for mark in self._loaded.tokenizer.get_added_vocab():
            text = text.replace(mark, f"{mark[0]}\u200b{mark[1:]}")
        return text

    def _too_long(self, tokens: int) -> Failure | None:
        assert self._loaded is not None
        most = self._loaded.positions
        if most is None or tokens <= most:
            return None
        return Failure("too long", f"{tokens} tokens; the model reads {most}")

    def _read(self, prompt: local_generate.Prompt, written: local_generate.Written) -> Outcome:
        assert self._loaded is not None
        text = self._loaded.tokenizer.decode(written.tokens, skip_special_tokens=True)
        if not text.strip():
            return Failure("empty", f"finish: {written.finish}", 1)
        return Reply(text, written.finish, len(prompt.tokens), len(written.tokens))


def _weighed(split: Split, text: str) -> Reply:
    return Reply(text, "stop", len(split.text) + sum(map(len, split.tails)), 0)
