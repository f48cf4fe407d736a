"""The soak's own judgement can fail; and it holds for a round of each kind (slow)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz.soak_rounds import ROUNDS, Tally, _excused
from fuzz.soak_world import End, differing, digest

ROOT = Path(__file__).resolve().parents[2]


def test_a_stop_is_one_line_and_exit_code_two() -> None:
    assert End(2, ("curate 1/3", "cqia: no space left on the disk; make room")).told
    assert not End(1, ("cqia: x",)).told
    assert not End(2, ()).told
    assert not End(2, ("cqia: x", "cqia: y")).told
    assert not End(2, ("Traceback (most recent call last):", "cqia: x")).told


def test_ends_are_counted() -> None:
    tally = Tally()
    for end in (
        End(0, ()),
        End(None, ()),
        End(2, ("cqia: x",)),
        End(1, ("boom",)),
        End(None, (), True),
    ):
        tally.add(end)
    counts = (tally.starts, tally.killed, tally.stopped, tally.untold, tally.hung)
    assert counts == (5, 1, 1, 1, 1)
    assert len(tally.faults) == 2


def test_a_request_is_paid_twice_unless_its_reply_was_on_the_way_when_all_was_killed() -> None:
    assert _excused([1.0], [])
    assert _excused([1.0, 9.0], [1.5])
    assert not _excused([1.0, 9.0], [])
    assert not _excused([1.0, 9.0], [5.0])


def test_results_are_compared_byte_for_byte(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    before = digest(tmp_path)
    (tmp_path / "a").write_text("2")
    (tmp_path / "b").touch()
    (tmp_path / "hashes.json").touch()
    assert differing(before, digest(tmp_path)) == ["a", "b"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ROUNDS)
def test_a_round(tmp_path: Path, name: str) -> None:
    command = [sys.executable, "-m", "fuzz.soak", "--minutes", "0", "--seed", "3", "--only", name]
    command += ["--work", str(tmp_path / "soak"), "--json", str(tmp_path / "soak.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("lost 0, doubled 0, hung 0\n"), done.stdout + done.stderr
    facts = json.loads((tmp_path / "soak.json").read_text("utf-8"))
    assert facts["faults"] == []
