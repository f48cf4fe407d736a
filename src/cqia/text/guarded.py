"""Work on the few rows that need it, found by one cheap compiled regex.

Most texts need most repairs not at all. A guard that no row hits costs one scan of the bytes, so a
cleaner may do slow and careful work behind it.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from cqia.text.buffers import batched, where


def amend(text: pl.Expr, guard: str, change: Callable[[str], str]) -> pl.Expr:
    """Apply a Python function to the rows that `guard` (a Rust regex) hits."""
    return batched(text, lambda rows: where(rows, rows.str.contains(guard), change), pl.String)


def rewrite(text: pl.Expr, guard: str, change: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """Apply an expression to the rows that `guard` hits, and not to the others."""

    def narrowed(rows: pl.Series) -> pl.Series:
        hit = rows.str.contains(guard).fill_null(False).arg_true()
        if hit.is_empty():
            return rows
        few = rows.gather(hit).to_frame("few").select(change(pl.col("few"))).to_series()
        return rows.clone().scatter(hit, few)

    return batched(text, narrowed, pl.String)


def tally(text: pl.Expr, guard: str, count: Callable[[str], int]) -> pl.Expr:
    """Count with a Python function in the rows that `guard` hits; the other rows have 0."""

    def counted(rows: pl.Series) -> pl.Series:
        total = pl.zeros(len(rows), dtype=pl.Int64, eager=True)
        hit = rows.str.contains(guard).fill_null(False).arg_true()
        if hit.is_empty():
            return total
        found = [count(one) for one in rows.gather(hit)]
        return total.scatter(hit, pl.Series(found, dtype=pl.Int64))

    return batched(text, counted, pl.Int64)
