"""A Hugging Face folder, loaded: model, tokenizer, and what has to be known of both.

A continuation is weighed in the tokens that it has when text and continuation are written together,
since that is what a model was trained on: in many vocabularies `(A` is one token, and `(` followed
by `A` is something that the model has never seen. So the whole is encoded, as EleutherAI's
lm-evaluation-harness does, but it is not cut at the number of the text's own tokens: where the
text's last token melts with the continuation, that leaves too little or nothing. The cut is where
the first of a request's continuations parts from the text's own tokens, one cut for all of them, so
that their weights can be compared. Where nothing melts, that is the end of the text.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from cqia.errors import UserError, missing_extra
from cqia.llm.protocol import Choosing

Tokens = tuple[int, ...]
RENAMED = r"`is_gradient_checkpointing` is deprecated"
"""PEFT asks a model by the old name of a setting, which still answers."""


class Split(NamedTuple):
    """Tokens that the model reads first, and those of each continuation."""

    text: Tokens
    tails: tuple[Tokens, ...]

    def longest(self) -> int:
        """Tokens that have to be read at once: the last one of a continuation is only weighed."""
        return len(self.text) + max([len(tail) - 1 for tail in self.tails if tail], default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What `load` returns."""

    model: Any
    tokenizer: Any
    device: str
    positions: int | None
    """Tokens that the model can read; None: no end is known."""
    lead: Tokens
    """What the tokenizer puts before a text by itself: the start mark, or nothing."""
    start: Tokens
    """What a continuation of an empty text is weighed from; empty: there is no such token."""
    ends: frozenset[int]
    """A reply is at its end with one of these."""
    plain: bool
    """Keys and values of tokens lie in the cache one after the other, so that texts can share them;
    not so in models with sliding windows or states."""

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """The tokens of each text; marks in it count as marks, nothing is added."""
        if not texts:
            return []
        found = self.tokenizer(
            list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False
        )
        return [tuple(one) for one in found["input_ids"]]

    def split(self, requests: Sequence[Choosing]) -> list[Split | None]:
        """The tokens of text and continuations; None: a text is empty and nothing can start it."""
        texts = [text for one in requests for text in _all(one)]
        encoded = iter(self.encode(texts))
        return [self._split(one, [next(encoded) for _ in _all(one)]) for one in requests]

    def _split(self, request: Choosing, encoded: list[Tokens]) -> Split | None:
        own, *wholes = encoded
        cut = min([len(own), *(common(own, whole) for whole in wholes)])
        text = self._led(request.text, own[:cut]) or self.start
        return Split(text, tuple(whole[cut:] for whole in wholes)) if text else None

    def _led(self, text: str, tokens: Tokens) -> Tokens:
        """With the start mark before it, unless it stands there already or isn't used."""
        there = self.lead and text.startswith(self.tokenizer.bos_token)
        return tokens if there else self.lead + tokens


def _all(request: Choosing) -> list[str]:
    return [request.text, *(request.text + one for one in request.continuations)]


def common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two texts share from their start."""
    if one[: len(other)] == other[: len(one)]:
        return min(len(one), len(other))
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def padded(texts: Sequence[Tokens], device: str) -> tuple[Any, Any]:
    """Tokens padded on the left, and where there are any."""
    import torch

    wide = max(map(len, texts))
    tokens = [[0] * (wide - len(one)) + list(one) for one in texts]
    mask = [[0] * (wide - len(one)) + [1] * len(one) for one in texts]
    return torch.tensor(tokens, device=device), torch.tensor(mask, device=device)


def load(folder: Path, *, adapter: Path | None, device: str, dtype: str) -> Loaded:
    """Load a model for reading and writing.

    Raises:
        UserError: the extra `train` is missing, or a folder doesn't hold what it should.
    """
    _look(folder, adapter)
    try:
        import torch
        import transformers
    except ImportError as fault:
        raise missing_extra(str(fault.name or "transformers"), "train") from None
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if dtype == "auto" and device == "cpu":
        dtype = "float32"
    own = adapter is not None and (adapter / "tokenizer_config.json").is_file()
    tokenizer = transformers.AutoTokenizer.from_pretrained(adapter if own else folder)
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    finally:
        if bars:
            transformers.utils.logging.enable_progress_bar()
    if adapter is not None:
        model = _adapted(model, adapter)
    model = model.to(device).eval()
    return _known(model, tokenizer, device)


def _look(folder: Path, adapter: Path | None) -> None:
    if not (folder / "config.json").is_file():
        mend = "name a folder with config.json, safetensors and a tokenizer"
        if (folder / "adapter_config.json").is_file():
            mend = "it is an adapter: name its base model as the folder and this one as adapter"
        raise UserError("no model here: config.json is missing", where=str(folder), mend=mend)
    if adapter is not None and not (adapter / "adapter_config.json").is_file():
        raise UserError(
            "no adapter here: adapter_config.json is missing",
            where=str(adapter),
            mend="name the folder that training with LoRA wrote",
        )


def _adapted(model: Any, adapter: Path) -> Any:  # noqa: ANN401
    """The adapter added into the weights: as fast as the base alone."""
    try:
        import peft
    except ImportError:
        raise missing_extra("peft", "train") from None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", RENAMED, FutureWarning)
        return peft.PeftModel.from_pretrained(model, adapter).merge_and_unload()


def _known(model: Any, tokenizer: Any, device: str) -> Loaded:  # noqa: ANN401
    bos, eos, pad = tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id
    led = bos is not None and tokenizer("")["input_ids"][:1] == [bos]
    first = next((one for one in (bos, eos, pad) if one is not None), None)
    ends = getattr(model.generation_config, "eos_token_id", None)
    listed = ends if isinstance(ends, list) else [ends]
    return Loaded(
        model=model,
        tokenizer=tokenizer,
        device=device,
        positions=getattr(model.config.get_text_config(), "max_position_embeddings", None),
        lead=(bos,) if led else (),
        start=() if first is None else (first,),
        ends=frozenset(one for one in [*listed, eos] if one is not None),
        plain=_plain(model, device),
    )


def _plain(model: Any, device: str) -> bool:  # noqa: ANN401
    """Look at the cache that one token leaves."""
    import torch
    from transformers.cache_utils import DynamicLayer

    with torch.inference_mode():
        token = torch.zeros((1, 1), dtype=torch.long, device=device)
        cache = cache_of(model(input_ids=token, use_cache=True))
    return all(type(layer) is DynamicLayer for layer in getattr(cache, "layers", [None]))


def with_cache(model: Any, cache: Any) -> dict[str, Any]:  # noqa: ANN401
    """A cache as an argument of a model, by the name that this transformers has for it.

    It was `past_key_values` up to 5.23 and is `cache` since.
    """
    known = inspect.signature(model.forward).parameters
    return {"cache" if "cache" in known else "past_key_values": cache}


def cache_of(read: Any) -> Any:  # noqa: ANN401
    """The cache that reading left."""
    return read.cache if hasattr(read, "cache") else read.past_key_values
