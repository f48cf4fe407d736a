from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from cqia import fetching
from cqia.cli.main import main
from cqia.fetching import Outcome


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["cqia", *words])
    try:
        main()
    except SystemExit as done:
        return int(done.code or 0)
    return 0


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*where: object, **more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "no")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv("CQIA_DATA", raising=False)


@pytest.mark.usefixtures("offline")
def test_without_network_one_line_says_so_and_what_to_do_by_hand(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, "fetch", "open-data", "--to", str(tmp_path)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("cqia: no network: the name codeload.github.com can't be resolved; ")
    assert f"{tmp_path}/ruozhiba_qa/questions.jsonl" in err
    assert "docs/open-data.md" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("named", [True, False])
def test_the_folder_is_the_one_the_environment_names_or_data(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    named: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    if named:
        monkeypatch.setenv("CQIA_DATA", "elsewhere")
    assert run(monkeypatch, "fetch", "open-data") == 2
    folder = "elsewhere" if named else "data"
    assert f" to {folder}/ruozhiba_qa/questions.jsonl" in capsys.readouterr().err


def test_an_unknown_name_offers_the_right_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "fetch", "open-dta") == 2
    assert "did you mean open-data?" in capsys.readouterr().err


@pytest.mark.parametrize("lost", [True, False])
def test_outcomes_are_told_and_losses_end_with_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    lost: bool,
) -> None:
    outcomes = [
        Outcome(name="x/a", fate="there", sha256="aa"),
        Outcome(name="x/b", fate="fetched", sha256="bb"),
        Outcome(name="x/c", fate="accepted", sha256="cc"),
    ]
    if lost:
        outcomes.append(Outcome(name="x/d", fate="changed", sha256="dd", detail="changed"))
        outcomes.append(Outcome(name="x/e", fate="failed", detail="answers 404"))
    monkeypatch.setattr(fetching, "fetch", lambda *given, **more: outcomes)
    code = run(monkeypatch, "fetch", "open-data", "--to", str(tmp_path))
    out, err = capsys.readouterr()
    assert "x/c: taken although it changed; its sha256 is cc" in out
    assert "2 fetched, 1 there already" in out
    assert ("next" in out) is not lost
    assert (code, err) == ((2, "cqia: x/d: changed\ncqia: x/e: answers 404\n") if lost else (0, ""))
