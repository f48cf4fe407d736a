"""What a cleaner is: it changes text and never turns a record away.

A cleaner is a frozen dataclass. Its `repr` is the rule's name in the ledger, the manifest's
fingerprint and the documentation, so a cleaner holds plain values only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import polars as pl

from cqia.record import TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaner(ABC):
    """Changes text, never turns a record away."""

    fields: tuple[str, ...] = TEXT
    """The text columns it works on."""

    @property
    def key(self) -> str:
        """The name the ledger knows it by."""
        return type(self).__name__

    @abstractmethod
    def clean(self, text: pl.Expr) -> pl.Expr:
        """The cleaned text: String -> String, null stays null. Cleaning twice changes nothing."""

    def counts(self, text: pl.Expr) -> pl.Expr | None:
        """What it finds in the text before cleaning: a struct of one integer a kind, or None.

        The ledger keeps the sum over the fields as `key.kind`. One struct and not an expression a
        kind, since Polars would scan the text once for each.
        """
        return None
