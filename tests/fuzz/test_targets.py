"""Every fuzz target over its earlier findings and a few inputs that are always the same."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from fuzz.engines import REGRESS, Keeper, kind, seeds
from fuzz.target import Broken, Target, hold
from fuzz.targets import TARGETS, chosen

from cqia.errors import UserError

SLOW = ("source-", "reader-", "audit", "raw-json")
"""Targets that read, clean and filter whole records: one input each in the default tests."""


def inputs(name: str) -> list[bytes]:
    """As many as fit into a few seconds for all targets together."""
    draw = random.Random(name)
    return [draw.randbytes(120) for _ in range(1 if name.startswith(SLOW) else 5)]


@pytest.mark.parametrize("name", TARGETS)
def test_a_few_inputs(name: str) -> None:
    for data in inputs(name):
        TARGETS[name].run(data)


KNOWN = sorted(path for path in REGRESS.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", KNOWN, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_was_found_stays_mended(path: Path) -> None:
    TARGETS[path.parent.name].run(path.read_bytes())


def test_every_finding_belongs_to_a_target() -> None:
    assert {path.parent.name for path in KNOWN} <= set(TARGETS)
    assert all(path.read_bytes() in seeds(path.parent.name) for path in KNOWN)


def test_names_are_chosen_by_their_beginning() -> None:
    assert [one.name for one in chosen(("raw-c*",))] == ["raw-csv"]
    assert len(chosen(())) == len(TARGETS)
    with pytest.raises(UserError, match="unknown target"):
        chosen(("raw-cvs",))


def test_a_finding_is_kept_once_and_the_search_goes_on(tmp_path: Path) -> None:
    def check(data: bytes) -> None:
        hold(b"x" not in data, "no x")
        if b"u" in data:
            raise UserError("no u")
        if b"b" in data:
            raise ValueError("a bug")

    keeper = Keeper(Target("t", check), tmp_path / "t", 0.0)
    for data in (b"aaxx", b"x", b"yyx", b"u", b"b", b"fine"):
        keeper.run(data)
    assert keeper.runs == 6
    assert len(keeper.kinds) == 2
    kept = {path.read_bytes() for path in (tmp_path / "t").iterdir() if path.suffix != ".txt"}
    assert kept == {b"x", b"b"}
    assert "FOUND" in keeper.line()


def test_findings_of_one_kind_have_one_name() -> None:
    names = set()
    for number in (1, 22):
        try:
            hold(False, f"{number} lines are lost")
        except Broken as fault:
            names.add(kind(fault, fault.__traceback__)[0])
    assert len(names) == 1
