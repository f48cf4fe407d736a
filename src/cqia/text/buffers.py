"""From a Polars text column to the flat UTF-8 bytes that the compiled kernels read, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]


def compact(text: pl.Series) -> pl.Series:
    """The same column with bytes of its own: a few taken out of many keep the bytes of them all."""
    return pl.Series(text.name, text.to_arrow(compat_level=pl.CompatLevel.oldest()))


def flat(text: pl.Series) -> tuple[Bytes, Offsets]:
    """The column's UTF-8 bytes end to end and n + 1 offsets into them; a null is empty."""
    arrow = text.fill_null("").rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, data = arrow.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[arrow.offset : arrow.offset + len(arrow) + 1]
    body = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, dtype=np.uint8)
    return body, starts


def where(text: pl.Series, hit: pl.Series, change: Callable[[str], str]) -> pl.Series:
    """Apply a Python function to the rows marked in `hit` only; the rest passes through untouched.

    For work that no expression does (HTML parsing, check digits) and that few rows need.
    """
    rows = hit.fill_null(False).arg_true()
    if rows.is_empty():
        return text
    changed = pl.Series(text.name, [change(one) for one in text.gather(rows)], dtype=pl.String)
    return text.clone().scatter(rows, changed)


def batched(
    text: pl.Expr,
    function: Callable[[pl.Series], pl.Series],
    dtype: pl.DataType | type[pl.DataType],
) -> pl.Expr:
    """A batch function Series -> Series of the same length as an expression."""
    return text.map_batches(function, return_dtype=dtype, is_elementwise=True)


__all__: Sequence[str] = ("Bytes", "Offsets", "batched", "flat", "where")
