# ruff: noqa: E501
"""Writes docs/fuzzing.md: how the time of every pattern and every reader grows with length.

python -m fuzz.report               # some ten minutes; exit 1 when something is steeper
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from fuzz.growth import MEANINGFUL, SIZES, STEEP, Growth, growth, of_pattern
from fuzz.patterns import Site, every
from fuzz.targets import TARGETS
from fuzz.units import few, many, parsers, readers, steps

PAGE = Path(__file__).resolve().parent.parent / "docs" / "fuzzing.md"
HEAD = """# Hostile input

<!-- Made by python -m fuzz.report on {date}; Python {python}. -->

Everything that reads what strangers wrote is fuzzed, and nothing in it takes time that grows faster than
the text.

## Fuzzing

`python -m fuzz [--seconds N] [TARGET…]` searches {count} targets: every raw form with its packings and
encodings, every form of every source, every cleaner and filter, every parser of replies, the bodies that
endpoints send, benchmarks' files, the TOML files, and what raters send back. With
[atheris](https://github.com/google/atheris) the search is guided by coverage, without it hypothesis
draws. The contract: a user's error in one line, or a counted bad row, is the only way to say no; nothing
is lost between items and records, nor between records and kept and dropped; cleaning twice is cleaning
once; where blocks and tasks are cut changes nothing; no input takes longer than five CPU seconds. What is
found goes to `fuzz/found`, from there to `fuzz/regress`, and the tests hold it from then on.

## Soak

`python -m fuzz.soak --minutes 30` kills runs and single workers, fills the disk, lets files vanish,
damages results, makes the clock jump, and scores at an endpoint that fails in every way; after each
round the result must be that of a run left alone, byte for byte, with nothing paid twice. Its last line
is `lost 0, doubled 0, hung 0`.

## Time against length

Each pattern and each reader meets texts made to be slow: its own parts over and over, long runs of one
character, opened and never closed brackets, at {sizes} characters. The exponent is the slope of time
over length, both as logarithms: 1 is linear, 2 quadratic; above {steep} is a failure. Where the longest
text takes less than {least:.0f} ms, no exponent is told (–): there is nothing to measure.

Of {patterns} patterns and {units} readers, the steepest is {worst}.
"""


def main() -> None:
    """Measure all, print each, and write the page; exit 1 when something is too steep."""
    parser = argparse.ArgumentParser(
        prog="python -m fuzz.report", description=__doc__.split("\n")[0]
    )
    parser.add_argument("names", nargs="*", help="only what has this in its name; the page stays")
    names = parser.parse_args().names
    sites = [one for one in every().sites if _wanted(one.place, names)]
    patterns = [(one, _shown(_title(one), of_pattern(one))) for one in sites]
    tables = {}
    for title, group, attacks in (
        ("Parsers", parsers(), many()),
        ("Cleaners and filters", steps(), many()),
        ("Readers", readers(), few()),
    ):
        tables[title] = [
            (name, _shown(name, growth(read, attacks)))
            for name, read in group.items()
            if _wanted(name, names)
        ]
    every_one = [one for _, one in patterns] + [one for rows in tables.values() for _, one in rows]
    if not names:
        PAGE.write_text(_page(patterns, tables), encoding="utf-8")
    steep = sum(one.steep for one in every_one)
    print(f"{len(every_one)} measured, {steep} steeper than {STEEP}")
    sys.exit(int(steep > 0))


def _wanted(name: str, names: list[str]) -> bool:
    return not names or any(one in name for one in names)


def _title(site: Site) -> str:
    return f"{site.place} {site.name}".strip()


def _shown(name: str, one: Growth) -> Growth:
    mark = "STEEP " if one.steep else ""
    print(f"{mark}{name:50} {_number(one)} {1000 * one.seconds:9.1f} ms  {one.attack}", flush=True)
    return one


def _number(one: Growth) -> str:
    return "–" if one.exponent is None else f"{one.exponent:.2f}"


def _page(patterns: list[tuple[Site, Growth]], tables: dict[str, list[tuple[str, Growth]]]) -> str:
    rows = [("a pattern: " + _title(site), one) for site, one in patterns]
    rows += [(name, one) for group in tables.values() for name, one in group]
    name, worst = max(rows, key=lambda row: row[1].exponent or 0.0)
    head = HEAD.format(
        date=datetime.now(UTC).date().isoformat(),
        python=platform.python_version(),
        count=len(TARGETS),
        sizes=", ".join(f"{size:,}" for size in SIZES),
        steep=STEEP,
        least=1000 * MEANINGFUL,
        patterns=len(patterns),
        units=len(rows) - len(patterns),
        worst=f"{_number(worst)} ({name})",
    )
    told = [head]
    for title, group in tables.items():
        told.append(_table(title, "what reads", ((one, found) for one, found in group)))
    lines = ((f"`{_title(site)}`{_kind(site)}", one) for site, one in patterns)
    told.append(_table("Patterns", "pattern", lines))
    return "\n".join(told)


def _kind(site: Site) -> str:
    return ", Polars" if site.engine == "polars" else ", at one place" if site.anchored else ""


def _table(title: str, what: str, rows: Iterable[tuple[str, Growth]]) -> str:
    lines = [f"### {title}\n", f"| {what} | attacks | ms at the longest | exponent |",
             "| --- | ---: | ---: | ---: |"]  # fmt: skip
    lines += [
        f"| {name} | {one.tried} | {1000 * one.seconds:.1f} | {_number(one)} |"
        for name, one in rows
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
