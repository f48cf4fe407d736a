"""Weigh the continuations of many texts: what they share is read once, the rest in batches.

A batch is read in up to three steps, each on the keys and values of the one before: what all its
texts start with, once; the rest of each text, padded on the left, so that all end at one place and
one row of logits a text is made; of continuations longer than a token, what comes after the first.
So four letters cost one reading of the text, and five examples before a thousand questions cost one
reading, not a thousand. Positions and masks are told, so neighbours change nothing but the last
digits of floats.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from cqia.llm.local_folder import Loaded, Split, Tokens, cache_of, common, padded, with_cache
from cqia.llm.protocol import Weight

SHARED = 16
"""Tokens that texts must have in common before it pays to read them apart."""
CROWD = 4
"""Texts that must have them in common."""
KEPT = 8
"""Tokens that lie in the cache at most, for each one of `batch_tokens` that is read at once."""
LOGITS = 1 << 26
"""Numbers that the logits of one step hold at most: 256 MB."""


class Batch(NamedTuple):
    """Numbers of texts that are read together, and how many first tokens they share."""

    rows: list[int]
    shared: int


def plan(splits: Sequence[Split], batch_tokens: int) -> list[Batch]:
    """Cut texts into batches: those with much in common together, then those of like length."""
    order = sorted(range(len(splits)), key=lambda row: splits[row].text)
    groups: list[tuple[list[int], int]] = []
    loose: list[int] = []
    for rows, shared in _groups(splits, order):
        if len(rows) < CROWD or shared < SHARED:
            loose += rows
        else:
            groups.append((rows, shared))
    groups.append((loose, 0))
    return [one for rows, shared in groups for one in _cut(splits, rows, shared, batch_tokens)]


def _groups(splits: Sequence[Split], order: list[int]) -> Iterator[tuple[list[int], int]]:
    """Neighbours in the order of their tokens, as long as they share half of what the first do."""
    if not order:
        return
    rows, shared, least = [order[0]], len(splits[order[0]].text) - 1, SHARED
    for before, row in pairwise(order):
        same = min(common(splits[before].text, splits[row].text), len(splits[row].text) - 1)
        if min(shared, same) >= least:
            rows.append(row)
            shared = min(shared, same)
            least = max(least, shared // 2) if len(rows) == 2 else least
        else:
            yield rows, shared
            rows, shared, least = [row], len(splits[row].text) - 1, SHARED
    yield rows, shared


def _cut(
    splits: Sequence[Split], rows: list[int], shared: int, batch_tokens: int
) -> Iterator[Batch]:
    """Batches of like length, within the tokens that are read and kept at once."""
    batch: list[int] = []
    for row in sorted(rows, key=lambda row: splits[row].longest()):
        many = len(batch) + 1
        width = max(len(splits[one].text) for one in [*batch, row])
        if batch and (many * (width - shared) > batch_tokens or many * width > KEPT * batch_tokens):
            yield Batch(batch, shared)
            batch = []
        batch.append(row)
    if batch:
        yield Batch(batch, shared)


@dataclass(slots=True)
class Weigher:
    """Reads batches; remembers the last shared start, which the next batch may begin with."""

    loaded: Loaded
    batch_tokens: int
    _start: Tokens = field(default=(), init=False)
    _kept: Any = field(default=None, init=False)

    def weigh(self, splits: Sequence[Split], shared: int) -> list[list[Weight]]:
        """The weights of each text's continuations; the first `shared` tokens are the same."""
        import torch

        with torch.inference_mode():
            if self.loaded.plain:
                return self._stepwise(splits, shared)
            return self._whole(splits)

    def _stepwise(self, splits: Sequence[Split], shared: int) -> list[list[Weight]]:
        logits, cache, seen = self._read_texts(splits, shared)
        sums, pairs = _empty(splits)
        if not pairs:
            return _weights(splits, sums)
        of = [row for row, _ in pairs]
        firsts = [splits[row].tails[number][0] for row, number in pairs]
        found = logits[of, firsts] - logits.logsumexp(1)[of]
        for (row, number), value in zip(pairs, found.tolist(), strict=True):
            sums[row][number] = value
        long = [(row, number) for row, number in pairs if len(splits[row].tails[number]) > 1]
        for some in self._portions(splits, long):
            rest = self._read_tails(splits, some, cache, seen)
            for (row, number), value in zip(some, rest, strict=True):
                sums[row][number] += value
        return _weights(splits, sums)

    def _read_texts(self, splits: Sequence[Split], shared: int) -> tuple[Any, Any, Any]:
        """The logits after each text, the texts' cache, and which of its places count."""
        import torch

        tokens, mask = padded([one.text[shared:] for one in splits], self.loaded.device)
        seen = torch.cat([mask.new_ones(len(splits), shared), mask], dim=1)
        read = self.loaded.model(
            input_ids=tokens,
            attention_mask=seen,
            position_ids=shared + (mask.cumsum(1) - 1).clamp(min=0),
            **with_cache(self.loaded.model, self._read_start(splits[0].text[:shared], len(splits))),
            use_cache=any(len(tail) > 1 for one in splits for tail in one.tails),
            logits_to_keep=1,
        )
        return read.logits[:, -1].float(), cache_of(read), seen

    def _read_start(self, start: Tokens, many: int) -> Any:  # noqa: ANN401
        """The cache of what all texts start with, for so many rows; None: nothing is shared."""
        import torch

        if not start:
            return None
        if start != self._start:
            tokens = torch.tensor([start], device=self.loaded.device)
            read = self.loaded.model(input_ids=tokens, use_cache=True, logits_to_keep=1)
            self._start, self._kept = start, cache_of(read)
        return _rows(self._kept, torch.zeros(many, dtype=torch.long, device=self.loaded.device))

    def _portions(
        self, splits: Sequence[Split], pairs: list[tuple[int, int]]
    ) -> Iterator[list[tuple[int, int]]]:
        """Continuations of like length, within the tokens that are read and kept at once."""
        part: list[tuple[int, int]] = []
        kept = max((len(one.text) for one in splits), default=0)
        for pair in sorted(pairs, key=lambda pair: len(splits[pair[0]].tails[pair[1]])):
            wide = len(splits[pair[0]].tails[pair[1]])
            many = len(part) + 1
            if part and (
                many * wide > self.batch_tokens or many * (kept + wide) > KEPT * self.batch_tokens
            ):
                yield part
                part = []
            part.append(pair)
        if part:
            yield part

    def _read_tails(
        self,
        splits: Sequence[Split],
        pairs: list[tuple[int, int]],
        cache: Any,  # noqa: ANN401
        seen: Any,  # noqa: ANN401
    ) -> list[float]:
        """The sums over all tokens but the first of each continuation, on its text's cache."""
        import torch

        tails = [splits[row].tails[number] for row, number in pairs]
        of = torch.tensor([row for row, _ in pairs], device=self.loaded.device)
        cache, seen = _rows(cache, of), seen[of]
        wide = max(map(len, tails)) - 1
        given = _right([tail[:-1] for tail in tails], wide, self.loaded.device)
        asked = _right([tail[1:] for tail in tails], wide, self.loaded.device)
        there = _right([(1,) * (len(tail) - 1) for tail in tails], wide, self.loaded.device)
        length = seen.sum(1, keepdim=True)
        place = length + torch.arange(wide, device=self.loaded.device)
        vocabulary = int(self.loaded.model.config.get_text_config().vocab_size)
        step = max(1, LOGITS // (len(tails) * vocabulary))
        total = torch.zeros(len(tails), dtype=torch.float64, device=self.loaded.device)
        for low in range(0, wide, step):
            part = slice(low, low + step)
            seen = torch.cat([seen, there[:, part]], dim=1)
            read = self.loaded.model(
                input_ids=given[:, part],
                attention_mask=seen,
                position_ids=place[:, part],
                **with_cache(self.loaded.model, cache),
                use_cache=True,
            )
            cache = cache_of(read)
            found = _logprobs(read.logits, asked[:, part])
            total += (found * there[:, part]).double().sum(1)
        return [float(one) for one in total]

    def _whole(self, splits: Sequence[Split]) -> list[list[Weight]]:
        """Each text with each continuation as one row, for models whose cache can't be shared."""
        sums, pairs = _empty(splits)
        for some in self._portions(splits, pairs):
            tails = [splits[row].tails[number] for row, number in some]
            texts = [
                splits[row].text + tail[:-1] for (row, _), tail in zip(some, tails, strict=True)
            ]
            tokens, mask = padded(texts, self.loaded.device)
            wide = max(map(len, tails))
            logits = self.loaded.model(
                input_ids=tokens,
                attention_mask=mask,
                position_ids=(mask.cumsum(1) - 1).clamp(min=0),
                use_cache=False,
                logits_to_keep=wide,
            ).logits
            asked, there = padded(tails, self.loaded.device)
            found = (_logprobs(logits, asked) * there).double().sum(1)
            for (row, number), value in zip(some, found.tolist(), strict=True):
                sums[row][number] = value
        return _weights(splits, sums)


def _empty(splits: Sequence[Split]) -> tuple[list[list[float]], list[tuple[int, int]]]:
    """A sum of nothing for each continuation, and where there are any tokens to add to it."""
    sums = [[0.0] * len(one.tails) for one in splits]
    return sums, [
        (row, number)
        for row, one in enumerate(splits)
        for number, tail in enumerate(one.tails)
        if tail
    ]


def _weights(splits: Sequence[Split], sums: list[list[float]]) -> list[list[Weight]]:
    return [
        [Weight(value, len(tail)) for value, tail in zip(values, one.tails, strict=True)]
        for values, one in zip(sums, splits, strict=True)
    ]


def _logprobs(logits: Any, asked: Any) -> Any:  # noqa: ANN401
    """Of each token that is asked for, given the logits at its place."""
    logits = logits.float()
    return logits.gather(2, asked.unsqueeze(2)).squeeze(2) - logits.logsumexp(2)


def _rows(cache: Any, rows: Any) -> Any:  # noqa: ANN401
    """A new cache of these rows of one; a row may be taken several times."""
    from transformers.cache_utils import DynamicCache

    return DynamicCache(
        [(layer.keys.index_select(0, rows), layer.values.index_select(0, rows))
         for layer in cache.layers]
    )  # fmt: skip


def _right(texts: Sequence[Tokens], wide: int, device: str) -> Any:  # noqa: ANN401
    """Tokens padded on the right."""
    import torch

    return torch.tensor([[*one, *[0] * (wide - len(one))] for one in texts], device=device)
