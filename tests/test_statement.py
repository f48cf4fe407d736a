from __future__ import annotations

from pathlib import Path

import pytest

from cqia.errors import UserError
from cqia.rows import rows, subsets
from cqia.settings import load
from cqia.statement import Statement, read

SOURCES = ["medical", "exam", "poetry"]
LEAST = """
[[statement.base]]
name = "proxy"
preset = "proxy-tiny"

[[statement.benchmark]]
name = "held-out"
benchmark = "reference-loss"
held_out = true

[[statement.subset]]
name = "medical"

[[statement.subset]]
name = "exam"

[[statement.subset]]
name = "poetry"
"""


def statement(tmp_path: Path, text: str, head: str = "") -> Statement:
    path = tmp_path / "x.toml"
    path.write_text(f"[statement]\n{head}\n{LEAST}\n{text}", encoding="utf-8")
    table = load(path)
    found = read(table.table("statement"), path, SOURCES)
    table.close()
    return found


def test_a_subset_is_by_default_the_source_of_its_name(tmp_path: Path) -> None:
    found = statement(tmp_path, '[[statement.subset]]\nname = "all"\nrandom = true')
    assert [(one.name, one.sources, one.kind) for one in found.subsets] == [
        ("medical", ("medical",), "subset"),
        ("exam", ("exam",), "subset"),
        ("poetry", ("poetry",), "subset"),
        ("all", (), "random"),
    ]
    assert found.unit == "all"


def test_every_row_once_the_bases_as_they_are_first(tmp_path: Path) -> None:
    found = statement(tmp_path, "", "seeds = [1, 2]\namount = 9")
    every = rows(found, SOURCES)
    assert [one.place.as_posix() for one in every] == [
        "proxy/untuned/0",
        *(f"proxy/{name}/{seed}" for seed in (1, 2) for name in SOURCES),
    ]
    assert found.unit == "records"


def test_a_baseline_is_not_tuned(tmp_path: Path) -> None:
    more = '[[statement.base]]\nname = "chat"\npreset = "model:chat"\ntune = false'
    every = rows(statement(tmp_path, more, "seeds = [1]"), SOURCES)
    assert [one.place.as_posix() for one in every[:2]] == ["proxy/untuned/0", "chat/untuned/0"]
    assert not [one for one in every[2:] if one.base.name == "chat"]


def test_rows_of_attribution(tmp_path: Path) -> None:
    more = "[statement.attribution]\nwithout = true\npairs = true\nmixtures = 2\n"
    more += '[[statement.subset]]\nname = "spoilt"\nsources = ["exam"]\ncontrol = "swap"'
    found = {one.name: one for one in subsets(statement(tmp_path, more), SOURCES)}
    assert list(found) == [
        "medical", "exam", "poetry", "spoilt", "all-even", "without-medical", "without-exam",
        "without-poetry", "medical+exam", "medical+poetry", "exam+poetry", "mixture-01",
        "mixture-02",
    ]  # fmt: skip
    assert dict(found["without-exam"].weights) == {"medical": 1.0, "poetry": 1.0}
    assert sum(dict(found["mixture-01"].weights).values()) == pytest.approx(1)
    assert found["mixture-01"].weights != found["mixture-02"].weights


BAD = {
    "a misspelt source": ('[[statement.subset]]\nname = "x"\nsources = ["exams"]', "did you mean"),
    "an unknown control": (
        '[[statement.subset]]\nname = "x"\nsources = ["exam"]\ncontrol = "shufle"',
        "did you mean shuffle",
    ),
    "a subset twice": ('[[statement.subset]]\nname = "exam"', "'exam' stands twice"),
    "a name that is a path": (
        '[[statement.subset]]\nname = "../x"\nsources = ["exam"]', "can't name a subset",
    ),
    "an unknown key": ("[statement.tuning]\nlearning_rat = 1e-3", "did you mean learning_rate"),
    "a method that isn't": ('[statement.tuning]\nmethod = "lara"', "did you mean lora"),
    "a share below 0": (
        '[[statement.subset]]\nname = "x"\n[statement.subset.weights]\nexam = -1', "above 0",
    ),
    "no file": (
        '[[statement.benchmark]]\nname = "s"\nfiles = ["nothing/*.json"]', "no file matches",
    ),
    "neither files nor held out": ('[[statement.benchmark]]\nname = "s"', "or held_out = true"),
    "a check without mixtures": ("[statement.attribution]\ncheck = 1", "name how many"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), BAD.values(), ids=BAD)
def test_mistakes_are_told_with_their_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        statement(tmp_path, text)
    assert told in str(caught.value)
    assert "x.toml:" in str(caught.value)


def test_all_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text('[statement]\nseeds = ["a"]\nunit = "tokens"\n', encoding="utf-8")
    table = load(path)
    read(table.table("statement"), path, SOURCES)
    with pytest.raises(UserError) as caught:
        table.close()
    for told in ("[[statement.base]]", "[[statement.benchmark]]", "'seeds'", "an amount"):
        assert told in str(caught.value)
