"""Personal data: telephone, identity and card numbers, addresses and accounts."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.errors import unknown
from cqia.text.guarded import amend, tally
from cqia.text.personal import RULES, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskPersonalData(Cleaner):
    """Replaces personal data by a mark that says what stood there: `[手机号]`, `[邮箱]`, ….

    The rules (`cqia.text.personal.RULES`) prefer to miss: a number must stand alone, not inside a
    longer one, a decimal, a URL or an amount; identity and card numbers must pass their check
    digit; QQ and WeChat accounts need their word before them. What is not covered: names, postal
    addresses, numbers written in Chinese characters, foreign numbers, and fixed-line numbers
    without an area code. Code is masked like prose.
    """

    kinds: tuple[str, ...] = tuple(RULES)
    """The kinds it masks; the order is always that of the rules."""

    def __post_init__(self) -> None:
        for kind in self.kinds:
            if kind not in RULES:
                raise unknown("kind of personal data", kind, RULES, where="MaskPersonalData")

    def clean(self, text: pl.Expr) -> pl.Expr:
        return amend(text, self._guard(), self._masked) if self.kinds else text

    def counts(self, text: pl.Expr) -> pl.Expr | None:
        """Finds of each kind, each in the text that the kinds before it leave."""
        if not self.kinds:
            return None
        return tally(text, self._guard(), tuple(self._rules()), self._counted)

    def _rules(self) -> dict[str, Rule]:
        return {kind: rule for kind, rule in RULES.items() if kind in self.kinds}

    def _guard(self) -> str:
        return "|".join(f"(?:{rule.guard})" for rule in self._rules().values())

    def _masked(self, text: str) -> str:
        for rule in self._rules().values():
            text = rule.mask(text)
        return text

    def _counted(self, text: str) -> list[int]:
        counts = []
        for rule in self._rules().values():
            counts.append(rule.count(text))
            text = rule.mask(text)
        return counts
