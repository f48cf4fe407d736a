"""Reading measures of an answer: length, sentences, common characters, variety of its wording.

They need no model and say nothing of whether an answer is right. Length is the one that large
studies of selection find steady (Xia et al., arXiv 2410.09335); it is also what judges are biased
towards, so it stands here as a baseline more than as a measure of quality.
"""

from __future__ import annotations

import functools

import numpy as np
import polars as pl

from cqia.scorers.base import Reading
from cqia.text.buffers import Bytes, batched, flat
from cqia.text.ratios import Kind, characters, kinds

WINDOW = 100
"""Characters in a window of `variety`."""
_ENDS = r"[。！？!?…；;\n]+"


def length(text: pl.Expr) -> pl.Expr:
    """Characters that are not white space."""
    return characters(text, *(kind for kind in Kind if kind is not Kind.SPACE))


def sentence_length(text: pl.Expr) -> pl.Expr:
    """Characters beside white space per sentence; sentences end at `。！？!?…；;` and line ends.

    A stretch between two ends counts as a sentence when a letter, digit or Han character is in it.
    """
    stretches = text.str.replace_all(_ENDS, "\n").str.split("\n")
    sentences = stretches.list.eval(pl.element().str.contains(r"[\p{L}\p{N}]").cast(pl.Int64))
    count = sentences.list.sum()
    return pl.when(count > 0).then(length(text) / count)


@functools.cache
def common_characters() -> str:
    """The 3,755 characters of GB 2312's first level.

    The standard (GB 2312-80, rows 16 to 55) put the characters of the highest frequency there.
    """
    codes = [bytes((row, cell)) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF)]
    return "".join(code.decode("gb2312", "ignore") for code in codes)


@functools.cache
def _classes() -> Bytes:
    """Code point -> 1 for common Han characters, 2 for others, 0 for all else."""
    table = np.where(kinds() == Kind.HAN, 2, 0).astype(np.uint8)
    table[[ord(one) for one in common_characters()]] = 1
    return table


def common(text: pl.Expr) -> pl.Expr:
    """Share of the Han characters that are common ones; null without Han characters."""

    def numbers(batch: pl.Series) -> pl.Series:
        from cqia.text.kernels import class_counts

        _, usual, rare = class_counts(*flat(batch), _classes(), 3).T
        han = pl.Series(usual + rare)
        return (pl.Series(batch.name, usual) / han.replace(0, None)).cast(pl.Float64)

    return batched(text, numbers, pl.Float64)


def distinct(text: pl.Expr) -> pl.Expr:
    """Distinct character pairs over all of them: distinct-2 (Li et al. 2016, arXiv 1510.03055).

    It falls with a text's length by itself; `variety` does not. Null below two characters.
    """

    def numbers(batch: pl.Series) -> pl.Series:
        from cqia.scorers.kernels import distinct_pairs

        return pl.Series(batch.name, distinct_pairs(*flat(batch))).fill_nan(None)

    return batched(text, numbers, pl.Float64)


def variety(text: pl.Expr) -> pl.Expr:
    """Moving-average type-token ratio over characters (Covington and McFall 2010).

    The mean, over all windows of 100 characters, of the share of distinct ones; of a shorter text
    that of the whole.
    """

    def numbers(batch: pl.Series) -> pl.Series:
        from cqia.scorers.kernels import moving_types

        return pl.Series(batch.name, moving_types(*flat(batch), WINDOW)).fill_nan(None)

    return batched(text, numbers, pl.Float64)


LENGTH = Reading(name="length", about="characters of the answer", measure=length)
SENTENCE_LENGTH = Reading(
    name="sentence_length", about="characters a sentence", measure=sentence_length
)
COMMON = Reading(name="common", about="share of common characters, 0 to 1", measure=common)
DISTINCT = Reading(name="distinct", about="distinct pairs of characters, 0 to 1", measure=distinct)
VARIETY = Reading(name="variety", about="distinct characters of 100, 0 to 1", measure=variety)
