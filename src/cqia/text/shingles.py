"""Character n-grams of a text, their Jaccard similarity, and MinHash signatures of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cqia.text.buffers import flat


def jaccard(a: str, b: str, ngram: int = 5) -> float:
    """Shared character n-grams over all n-grams of both; 0 when a text is empty."""
    left, right = ngrams(a, ngram), ngrams(b, ngram)
    return len(left & right) / len(left | right) if left and right else 0.0


def ngrams(text: str, ngram: int = 5) -> set[str]:
    """The distinct character n-grams; a shorter text is one n-gram, an empty one has none."""
    last = max(len(text) - ngram, 0)
    return {text[at : at + ngram] for at in range(last + 1)} if text else set()


def candidate_probability(similarity: float, bands: int, rows: int) -> float:
    """How likely two texts share at least one of the bands."""
    return 1.0 - (1.0 - similarity**rows) ** bands


@dataclass(frozen=True, slots=True, kw_only=True)
class MinHash:
    """How texts become keys. Bands and permutations are this project's choice."""

    ngram: int = 5
    """Characters in an n-gram."""
    permutations: int = 252
    """Length of a signature."""
    bands: int = 42
    """Bands the signature is cut into."""
    seed: int = 1
    """Of the hash functions."""

    def __post_init__(self) -> None:
        if self.ngram < 1 or self.bands < 1 or self.permutations < self.bands:
            raise ValueError("ngram and bands are at least 1, permutations at least bands")
        if self.permutations % self.bands:
            raise ValueError(f"{self.permutations} permutations do not fill {self.bands} bands")

    def signatures(self, text: pl.Series) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint64]]:
        """The signatures (rows x permutations), and a hash of each whole text."""
        from cqia.text.minhash import signatures

        data, offsets = flat(text)
        signature = np.empty((len(text), self.permutations), np.uint32)
        whole = np.empty(len(text), np.uint64)
        numbers = _numbers(self.seed, 2 * self.permutations)
        factors, flips = numbers[0::2] | np.uint32(1), numbers[1::2].copy()
        signatures(data, offsets, self.ngram, factors, flips, signature, whole)
        return signature, whole

    def keys(self, text: pl.Series) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint8]]:
        """The keys (1 + bands x rows) and the sketches (rows x permutations, a byte each)."""
        from cqia.text.minhash import band_keys

        signature, whole = self.signatures(text)
        keys = np.empty((1 + self.bands, len(text)), np.uint64)
        band_keys(signature, whole, self.bands, keys)
        return keys, signature.astype(np.uint8)


def _numbers(seed: int, count: int) -> npt.NDArray[np.uint32]:
    """SplitMix64: the same numbers on every machine and library version."""
    with np.errstate(over="ignore"):
        step = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        value = step + np.uint64(seed & (2**64 - 1)) * np.uint64(0xD1342543DE82EF95)
        value = (value ^ value >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ value >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
        return ((value ^ value >> np.uint64(31)) >> np.uint64(32)).astype(np.uint32)
