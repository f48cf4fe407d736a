"""Every regular expression is known, none is endless, and the measure tells steep ones from others."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzz.attacks import Attack, attacks, parts
from fuzz.growth import STEEP, at_most, fitted, reader_of
from fuzz.patterns import MADE, Site, every

from cqia.judges.quality import QUALITY
from cqia.raw.encoding import decode_page
from cqia.settings import with_environment
from cqia.sources.questions import paper
from cqia.text.choices import find
from cqia.text.main_text import main_text
from cqia.text.wikitext import categories, to_markdown

SITES = every()


def test_every_pattern_of_the_package_is_worked_out() -> None:
    assert SITES.unknown == [], "say in fuzz/patterns.py how this pattern is made"
    places = {one.place.partition(":")[0] for one in SITES.sites}
    assert {"text/personal.py", "cleaners/mask_personal_data.py", "llm/endpoint.py"} <= places
    assert len(SITES.sites) > 200
    assert all(re.compile(one.pattern, one.flags) for one in SITES.sites if one.engine == "re")


def test_what_is_made_by_hand_is_still_there() -> None:
    from cqia import __file__ as package

    for place in MADE:
        name, _, function = place.partition(":")
        text = (Path(package).parent / name).read_text("utf-8")
        assert f"def {function}(" in text


def test_no_pattern_is_endless_on_a_few_attacks() -> None:
    for site in SITES.sites:
        draw = random.Random(site.pattern)
        given = attacks(site.pattern, site.flags)
        read = reader_of(site)
        for attack in draw.sample(given, min(6, len(given))):
            with at_most(10):
                read(attack.text(2_000))


@pytest.mark.parametrize(("pattern", "unit"), [("<!--.*?-->", "<!--"), (r"\s+$", " ")])
def test_a_steep_pattern_is_seen(pattern: str, unit: str) -> None:
    assert Attack("", unit) in attacks(pattern)
    site = Site("", "", "re", pattern, re.DOTALL, False)
    found = fitted(reader_of(site), Attack("", unit), (1_000, 2_000, 4_000))
    assert found.exponent is not None
    assert found.exponent > STEEP


def test_a_linear_pattern_is_not() -> None:
    site = Site("", "", "re", r"<[^<>]*>", 0, False)
    found = fitted(reader_of(site), Attack("", "<a"), (20_000, 40_000, 80_000))
    assert found.exponent is None or found.exponent < 1.9


def test_attacks_are_made_of_the_patterns_own_parts() -> None:
    units, heads = parts(r"<ref\b[^>]*?/>|答案\s*[:：]")
    assert "<ref" in units
    assert "答案" in units
    assert any(head.startswith("答案") for head in heads)
    assert Attack("甲", "ab", "", "!").text(8) == "甲ababab!"
    assert len(Attack("", "ab", "c").text(1_000)) == 1_000
    assert parts("(?P<broken")[0]


FORMERLY: dict[str, Callable[[], object]] = {
    "a judge's reply": lambda: QUALITY.read("```" + " \n" * 20_000),
    "a page's charset": lambda: decode_page(b"\xff<meta charset =" + b" " * 4_000),
    "a choice": lambda: find("正确选" + " " * 20_000, ("甲", "乙")),
    "a variable": lambda: with_environment("${a:-a" * 20_000, ""),
    "references": lambda: to_markdown("<ref" * 20_000),
    "formulas": lambda: to_markdown("<math>" * 20_000),
    "categories": lambda: categories("[[Category:" + " " * 20_000),
    "a heading": lambda: to_markdown("=" + " " * 20_000),
    "a paper": lambda: paper("1. 问\n" + "\n " * 20_000),
    "a score in a paper": lambda: paper("1. 问(" + " " * 20_000),
    "comments of a page": lambda: main_text("<!--" * 20_000),
    "a deep page": lambda: main_text("<div>" * 200_000),
}
"""What once took time with the square or the cube of the text, and more than the limit on these."""


@pytest.mark.parametrize("what", FORMERLY)
def test_what_was_endless_is_not(what: str) -> None:
    with at_most(20):
        FORMERLY[what]()
