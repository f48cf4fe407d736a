"""Work on the few rows that need it, found by one cheap compiled regex.

Most texts need most repairs not at all. A guard that no row hits costs one scan of the bytes, so a
cleaner may do slow and careful work behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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


def tally(
    text: pl.Expr, guard: str, kinds: Sequence[str], count: Callable[[str], Sequence[int]]
) -> pl.Expr:
    """Count in the rows that `guard` hits; the other rows have 0.

    Args:
        text: a text column.
        guard: a Rust regex.
        kinds: the fields of the struct that comes out.
        count: a text's number of each kind, in their order.
    """
    schema = {kind: pl.Int64() for kind in kinds}

    def counted(rows: pl.Series) -> pl.Series:
        hit = rows.str.contains(guard).fill_null(False).arg_true()
        found = pl.DataFrame([count(one) for one in rows.gather(hit)], schema, orient="row")
        columns = [
            pl.zeros(len(rows), dtype=pl.Int64, eager=True).scatter(hit, found[kind]).alias(kind)
            for kind in kinds
        ]
        return pl.DataFrame(columns).to_struct(rows.name)

    return batched(text, counted, pl.Struct(schema))
