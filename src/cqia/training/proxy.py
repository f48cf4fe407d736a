"""A proxy base model: a small decoder, made from nothing but the texts at hand.

A byte-level BPE tokenizer is trained on the texts, a standard Qwen2 decoder of a given shape is set
up at random, and transformers' own Trainer pre-trains it on packed text. The result is an ordinary
Hugging Face folder, so that everything downstream treats it like any other base model.

What it is for: experiments that run for real anywhere, a CPU included. What it is not: a model that
follows instructions. A proxy of a few million parameters learns what texts of a kind look like;
statements about following instructions need a larger base, and every report says which it was.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cqia.errors import UserError, missing_extra
from cqia.training.chatml import CHATML, END, PAD, START

SPECIAL = (PAD, START, END)
LEARNT_FROM = 20_000_000
"""Characters that the tokenizer learns from at most; more cost time and move few merges (this
project's choice)."""

Tokens = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The shape of a decoder, and the largest vocabulary of its tokenizer."""

    layers: int
    width: int
    heads: int
    vocabulary: int
    context: int

    @property
    def inner(self) -> int:
        """Width inside the feed-forward blocks: 8/3 of the width, in steps of 32."""
        return round(self.width * 8 / 3 / 32) * 32

    def __post_init__(self) -> None:
        least = 256 + len(SPECIAL)
        if min(self.layers, self.heads, self.width) < 1 or self.width % (2 * self.heads):
            raise UserError(f"no decoder has the shape {self}", mend="width = heads x even number")
        if self.vocabulary < least or self.context < 8:
            raise UserError(
                f"no decoder has the shape {self}",
                mend=f"vocabulary is {least} or more (bytes and marks), context 8 or more",
            )


SHAPES = {
    "proxy-tiny": Shape(layers=2, width=128, heads=4, vocabulary=2_000, context=512),
    "proxy-3m": Shape(layers=4, width=192, heads=6, vocabulary=6_000, context=1_024),
    "proxy-10m": Shape(layers=6, width=320, heads=5, vocabulary=8_000, context=1_024),
    "proxy-20m": Shape(layers=7, width=448, heads=7, vocabulary=8_000, context=1_024),
}
"""Name -> shape: 0.7, 2.9, 10 and 20 million parameters."""


def digest(texts: Sequence[str]) -> str:
    """sha256 of texts and of where each ends."""
    total = hashlib.sha256()
    for text in texts:
        body = text.encode("utf-8", "replace")
        total.update(len(body).to_bytes(8, "big") + body)
    return total.hexdigest()


def tokenizer(texts: Sequence[str], shape: Shape, seed: int) -> Any:  # noqa: ANN401
    """A byte-level BPE tokenizer learnt from the texts, with ChatML's marks and template.

    Byte-level: every text can be written in it and read back as it was. Digits stand alone. The
    same texts give the same tokenizer.
    """
    try:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
        from transformers import PreTrainedTokenizerFast
    except ImportError:
        raise missing_extra("transformers", "train") from None
    made = Tokenizer(models.BPE())
    digits = pre_tokenizers.Digits(individual_digits=True)
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.pre_tokenizer = pre_tokenizers.Sequence([digits, bytes_])
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=shape.vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator(_sample(texts, seed), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[START],
        chat_template=CHATML,
        model_max_length=shape.context,
        clean_up_tokenization_spaces=False,
    )


def _sample(texts: Sequence[str], seed: int) -> list[str]:
    """Texts of at most `LEARNT_FROM` characters, drawn evenly."""
    if sum(map(len, texts)) <= LEARNT_FROM:
        return list(texts)
    chosen, left = [], LEARNT_FROM
    for number in random.Random(seed).sample(range(len(texts)), len(texts)):
        if left <= 0:
            break
        chosen.append(texts[number])
        left -= len(texts[number])
    return chosen


def packed(texts: Sequence[str], own: Any, shape: Shape, seed: int) -> Tokens:  # noqa: ANN401
    """The texts in a drawn order, each closed by the end mark, cut into rows of `context` tokens.

    Raises:
        UserError: they don't fill one row.
    """
    order = list(range(len(texts)))
    random.Random(seed).shuffle(order)
    stream: list[npt.NDArray[np.int32]] = []
    for start in range(0, len(order), 1_000):
        batch = [texts[one] for one in order[start : start + 1_000]]
        for ids in own.backend_tokenizer.encode_batch(batch, add_special_tokens=False):
            stream.append(np.asarray([*ids.ids, own.pad_token_id], dtype=np.int32))
    flat = np.concatenate(stream) if stream else np.zeros(0, np.int32)
    rows = len(flat) // shape.context
    if not rows:
        raise UserError(
            f"{len(texts)} texts of {len(flat)} tokens don't fill the context of {shape.context}",
            mend="give more texts, or a shape with a smaller context",
        )
    return flat[: rows * shape.context].reshape(rows, shape.context).astype(np.int64)


def decoder(own: Any, shape: Shape, seed: int) -> Any:  # noqa: ANN401
    """A Qwen2 decoder with random weights that are the same for the same seed."""
    from transformers import Qwen2Config, Qwen2ForCausalLM, set_seed

    config = Qwen2Config(
        vocab_size=len(own),
        hidden_size=shape.width,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=shape.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=own.eos_token_id,
        pad_token_id=own.pad_token_id,
    )
    set_seed(seed)
    model = Qwen2ForCausalLM(config)
    model.generation_config.eos_token_id = [own.eos_token_id, own.pad_token_id]
    return model


class Rows:
    """Packed rows as the Trainer wants them: every token is learnt."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def __len__(self) -> int:
        return len(self._tokens)

    def __getitem__(self, number: int) -> dict[str, Tokens]:
        row = self._tokens[number]
        return {"input_ids": row, "labels": row}


def steps(rows: int, batch: int, shape: Shape, tokens: int | None, epochs: float) -> int:
    """Optimizer steps that a number of tokens takes, or of passes over the rows."""
    wanted = epochs * rows * shape.context if tokens is None else tokens
    if wanted <= 0:
        raise UserError("tokens and epochs are more than 0", mend="leave one of them out")
    return max(1, math.ceil(wanted / (batch * shape.context)))
