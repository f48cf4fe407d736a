"""cqia's side of the comparison, through the same calls as the command line.

python ours.py curate WORK FILE WORDS [--workers 2]
python ours.py read WORK FILE
python ours.py dedup WORK
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cqia.cleaners.half_width import HalfWidth
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.base import TextFilter
from cqia.filters.length import Length
from cqia.filters.repetition import NgramRepetition
from cqia.filters.sensitive import SensitiveWords
from cqia.filters.shares import HanShare, SymbolShare
from cqia.recipe import Step
from cqia.sources.base import Source
from cqia.sources.generic import Layout, generic
from cqia.stages.curate import curate
from cqia.stages.dedup import dedup


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWords(TextFilter):
    """Stop words for each character of the text."""

    words: tuple[str, ...]

    def measure(self) -> pl.Expr:
        text = pl.col(self.field)
        size = text.str.len_chars()
        return pl.when(size > 0).then(text.str.count_matches("|".join(self.words)) / size)


def recipe(words: Path) -> tuple[Step, ...]:
    """Normalising and the six filters; bounds as in the rivals' files."""
    flagged, stops = (
        tuple(json.loads((words / f"{kind}.json").read_text())["zh"])
        for kind in ("flagged_words", "stopwords")
    )
    return (
        RepairUnicode(),
        HalfWidth(),
        WhiteSpace(),
        Length(field="output", low=50, high=100_000),
        SymbolShare(high=0.5),
        HanShare(low=0.25),
        NgramRepetition(length=10, high=0.5),
        SensitiveWords(category="pornography", words=flagged, high=5),
        StopWords(words=stops, low=0.0),
    )


def source(steps: tuple[Step, ...]) -> Source:
    columns = {"key": "id", "instruction": "instruction", "output": "output"}
    return generic(
        name="generated", layout=Layout(reader="jsonl", map=columns), steps=steps, answers=None
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("curate", "read"):
        one = verbs.add_parser(verb)
        one.add_argument("work", type=Path)
        one.add_argument("file")
        if verb == "curate":
            one.add_argument("words", type=Path)
        one.add_argument("--workers", type=int, default=2)
    verbs.add_parser("dedup").add_argument("work", type=Path)
    options = parser.parse_args()
    if options.verb == "dedup":
        dedup(work=options.work, near="output", prefer=())
        return
    steps = recipe(options.words) if options.verb == "curate" else ()
    curate(source(steps), [options.file], work=options.work, workers=options.workers)


if __name__ == "__main__":
    main()
