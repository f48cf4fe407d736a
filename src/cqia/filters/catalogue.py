"""Every filter by name, for the places where a name is text: TOML and the command line."""

from __future__ import annotations

from cqia.filters.adverts import Adverts, ObfuscatedAdverts
from cqia.filters.base import Filter
from cqia.filters.context import MissingContext
from cqia.filters.echo import SameAsInstruction
from cqia.filters.emptiness import NearEmpty
from cqia.filters.lacunae import Lacunae
from cqia.filters.length import Length, PromptLength
from cqia.filters.questions import Question
from cqia.filters.refusals import Refusals
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.sensitive import SensitiveWords
from cqia.filters.shares import DigitShare, HanShare, LatinShare, SymbolShare, UrlShare
from cqia.filters.signals import Comments, Published, Votes
from cqia.filters.status import Status
from cqia.filters.truncation import Truncation

FILTERS: dict[str, type[Filter]] = {
    "Adverts": Adverts,
    "Comments": Comments,
    "DigitShare": DigitShare,
    "HanShare": HanShare,
    "Lacunae": Lacunae,
    "LatinShare": LatinShare,
    "Length": Length,
    "LineRepetition": LineRepetition,
    "MissingContext": MissingContext,
    "NearEmpty": NearEmpty,
    "NgramRepetition": NgramRepetition,
    "ObfuscatedAdverts": ObfuscatedAdverts,
    "PromptLength": PromptLength,
    "Published": Published,
    "Question": Question,
    "Refusals": Refusals,
    "SameAsInstruction": SameAsInstruction,
    "SensitiveWords": SensitiveWords,
    "Status": Status,
    "SymbolShare": SymbolShare,
    "Truncation": Truncation,
    "UrlShare": UrlShare,
    "Votes": Votes,
}
"""Name -> class."""
