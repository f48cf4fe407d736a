"""Equal budgets: as many records, or as many answer tokens, of each source.

A source of 240 records beside one of 40,000 says nothing of either when both are trained on whole.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

import polars as pl

from cqia.errors import UserError, unknown

Unit = Literal["records", "tokens", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Records that were drawn, and what the budget came to.

    wanted, got: in the unit. short: how much of it the source could not give; 0: it gave all that
    whole records allow. seen: how often a record was drawn -> how many records.
    """

    records: pl.DataFrame
    unit: Unit
    wanted: int | None
    got: int
    short: int
    seen: dict[int, int]


def draw(
    records: pl.DataFrame,
    *,
    amount: int | None,
    unit: Unit,
    seed: int,
    repeat: bool = False,
    tokens: pl.Series | None = None,
) -> Drawn:
    """Draw records up to a budget, by the hash of the seed and each record's id.

    Records are taken in the lottery's order up to the first that would exceed the budget. So a
    larger budget of the same seed holds the smaller one.

    Args:
        records: with a column id.
        amount: how much; None with unit all.
        unit: records; tokens, of answers; or all, whatever there is.
        seed: of the lottery.
        repeat: begin again where a source has less than the budget; False: it stays smaller, and
            `short` says by how much.
        tokens: the answer tokens of each record, for the unit tokens: `answer_tokens` of the
            preflight's rows.

    Raises:
        UserError: an amount that can't be drawn.
    """
    if unit not in get_args(Unit):
        raise unknown("unit", unit, get_args(Unit), where="budget")
    if (amount is None) != (unit == "all") or (amount is not None and amount < 1):
        raise UserError("a budget is an amount of 1 or more, or all", where="budget")
    sizes = _sizes(records, unit, tokens)
    keys = records["id"].to_list()
    taken: list[int] = []
    got, again = 0, 0
    while True:
        for place in _lots(keys, seed, again):
            if amount is not None and got + sizes[place] > amount:
                break
            taken.append(place)
            got += sizes[place]
        else:
            again += 1
            if repeat and amount is not None and sum(sizes) > 0:
                continue
            return _drawn(records, taken, unit, amount, got, max(0, (amount or 0) - got))
        if not taken:
            raise UserError(
                f"the first record drawn has more than {amount} answer tokens",
                where="budget",
                mend="a larger amount",
            )
        return _drawn(records, taken, unit, amount, got, 0)


def _sizes(records: pl.DataFrame, unit: Unit, tokens: pl.Series | None) -> list[int]:
    """What each record takes of the budget."""
    if not len(records):
        raise UserError("there are no records to draw from", where="budget")
    if unit != "tokens":
        return [1] * len(records)
    if tokens is None or len(tokens) != len(records) or tokens.null_count():
        raise ValueError("a budget of tokens needs the answer tokens of each record")
    return [int(one) for one in tokens.to_list()]


def _lots(keys: list[str], seed: int, again: int) -> list[int]:
    """The records' places in the order of the lottery; every time round has another order."""

    def lot(place: int) -> bytes:
        return hashlib.blake2b(f"{seed}/{again}/{keys[place]}".encode()).digest()

    return sorted(range(len(keys)), key=lot)


def _drawn(
    records: pl.DataFrame, taken: list[int], unit: Unit, wanted: int | None, got: int, short: int
) -> Drawn:
    seen = Counter(Counter(taken).values())
    return Drawn(
        records=records[sorted(taken)],
        unit=unit,
        wanted=wanted,
        got=got,
        short=short,
        seen=dict(sorted(seen.items())),
    )
