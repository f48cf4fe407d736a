"""Write replies to many prompts at once, one token a step.

What a request says is all that is done: temperature, top_p, seed, max_tokens. Penalties and
defaults of the folder's `generation_config.json` are not applied; its end marks are. A row that is
at its end leaves the batch. Each row has its own random numbers (`random.Random` of its seed) and
turns one of them a step into a token by the sum of probabilities, so a draw depends on its
neighbours only by the last digits of floats.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cqia.llm.local_choose import KEPT
from cqia.llm.local_folder import Loaded, Tokens, cache_of, padded, with_cache
from cqia.llm.protocol import Sampling

ROWS = 128
"""Replies that are written at once at most."""


class Prompt(NamedTuple):
    """What is read, how it is answered, and the seed of its draws."""

    tokens: Tokens
    sampling: Sampling
    most: int
    """Tokens that the reply may have."""
    seed: int


class Written(NamedTuple):
    """The tokens of a reply, without the end mark, and why it ended."""

    tokens: list[int]
    finish: str


def plan(prompts: Sequence[Prompt], batch_tokens: int) -> Iterator[list[int]]:
    """Cut prompts into batches of like length, within the tokens that are read and kept at once."""
    batch: list[int] = []
    for row in sorted(range(len(prompts)), key=lambda row: len(prompts[row].tokens)):
        many = len(batch) + 1
        read = len(prompts[row].tokens)
        kept = max(len(prompts[one].tokens) + prompts[one].most for one in [*batch, row])
        if batch and (
            many > ROWS or many * read > batch_tokens or many * kept > KEPT * batch_tokens
        ):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def write(loaded: Loaded, prompts: Sequence[Prompt]) -> list[Written]:
    """The replies to a batch."""
    import torch

    with torch.inference_mode():
        return _write(loaded, prompts)


def _write(loaded: Loaded, prompts: Sequence[Prompt]) -> list[Written]:
    import torch

    told: list[list[int]] = [[] for _ in prompts]
    draws = [random.Random(one.seed) for one in prompts]
    finish = ["length"] * len(prompts)
    rows = list(range(len(prompts)))
    tokens, seen = padded([one.tokens for one in prompts], loaded.device)
    place, cache = (seen.cumsum(1) - 1).clamp(min=0), None
    while rows:
        read = loaded.model(
            input_ids=tokens,
            attention_mask=seen,
            position_ids=place,
            **with_cache(loaded.model, cache),
            use_cache=True,
            logits_to_keep=1,
        )
        cache = cache_of(read)
        drawn = _draw(read.logits[:, -1].float(), [prompts[row].sampling for row in rows],
                      [draws[row] for row in rows])  # fmt: skip
        left = []
        for number, (row, token) in enumerate(zip(rows, drawn, strict=True)):
            if token in loaded.ends:
                finish[row] = "stop"
                continue
            told[row].append(token)
            if len(told[row]) < prompts[row].most:
                left.append(number)
        if len(left) < len(rows):
            if not left:
                break
            keep = torch.tensor(left, device=loaded.device)
            cache.batch_select_indices(keep)
            seen, place = seen[keep], place[keep]
            rows, drawn = [rows[one] for one in left], [drawn[one] for one in left]
        tokens = torch.tensor(drawn, device=loaded.device).unsqueeze(1)
        seen = torch.cat([seen, seen.new_ones(len(rows), 1)], dim=1)
        place = place[:, -1:] + 1
    return [Written(one, why) for one, why in zip(told, finish, strict=True)]


def _draw(logits: Any, samplings: list[Sampling], draws: list[random.Random]) -> list[int]:  # noqa: ANN401
    """The next token of each row: the likeliest at temperature 0, else a drawn one."""
    best: list[int] = logits.argmax(1).tolist()
    return [
        _drawn(logits[row], sampling, draws[row].random()) if sampling.temperature > 0 else top
        for row, (top, sampling) in enumerate(zip(best, samplings, strict=True))
    ]


def _drawn(logits: Any, sampling: Sampling, chance: float) -> int:  # noqa: ANN401
    """The token at which the sum of probabilities, likeliest first, passes a random number.

    top_p: of the likeliest, as many as have that much probability together, the last one whole
    (nucleus sampling, Holtzman et al. 2020).
    """
    import torch

    chances, order = (
        (logits.double() / sampling.temperature).softmax(0).sort(descending=True, stable=True)
    )
    sums = chances.cumsum(0)
    last = int((sums < sampling.top_p).sum()) if sampling.top_p < 1 else len(sums) - 1
    last = min(last, len(sums) - 1)
    wanted = torch.tensor(chance, dtype=sums.dtype, device=sums.device) * sums[last]
    place = min(int(torch.searchsorted(sums, wanted, right=True)), last)
    return int(order[place])
