"""The verbs over the played demo, as a user calls them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from cqia import ledger, store
from cqia.cli.main import VERBS, cqia
from cqia.errors import UserError
from tests.cli.conftest import cli


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str) -> None:
    text = cli(verb, "--help").output
    assert "Example:" in text or verb == "completion"
    assert "cqia" in text


def test_help_teaches() -> None:
    text = cli("--help").output
    for verb in VERBS:
        assert verb in text
    assert "cqia demo" in text


def table(*arguments: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(cli(*arguments, "--format", "csv").output)))


def test_the_funnel_adds_up(played: Path) -> None:
    rows = table("drops", "--work", str(played))
    for source in ledger.curated(played):
        mine = [row for row in rows if row["source"] == source]
        counts = {row["rule"]: int(row["records"]) for row in mine}
        gone = sum(int(row["records"]) for row in mine if row["stage"] in {"curate", "dedup"})
        assert counts["read"] == counts["kept"] + gone
        assert counts["kept"] > 0


@pytest.mark.parametrize("format_", ["table", "json", "csv", "md"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("drops",),
        ("drops", "--examples", "1"),
        ("drops", "--bad"),
        ("describe", "--table", "lengths"),
        ("sources",),
        ("sources", "zhihu"),
        ("whatif", "--filter", "Length.output", "--low", "400"),
    ],
)
def test_every_table_comes_in_every_format(
    work: Path, arguments: tuple[str, ...], format_: str
) -> None:
    more = () if arguments[0] == "sources" else ("--work", str(work))
    text = cli(*arguments, *more, "--format", format_).output
    if format_ == "json":
        assert json.loads(text)
    elif format_ == "csv":
        assert len(list(csv.reader(io.StringIO(text)))) > 1
    elif format_ == "md":
        assert text.startswith("| ")
    else:
        assert text.strip()


def test_why_tells_a_kept_record_s_story_from_file_and_line(played: Path) -> None:
    changed = ledger.scan(played, "zhihu", "changes").filter(
        pl.col("cleaners").list.contains("MaskPersonalData")
    )
    kept = ledger.scan(played, "zhihu", "kept").select("id")
    id = changed.join(kept, on="id").collect()["id"][0]
    rows = json.loads(cli("why", id, "--work", str(played), "--format", "json").output)
    what = [(row["what"], row["step"]) for row in rows]
    assert what[0] == ("read", "zhihu")
    assert "samples/zhihu/" in rows[0]["detail"]
    masked = next(row for row in rows if row["step"] == "MaskPersonalData" and row["before"])
    assert "138" in masked["before"]
    assert "[手机号]" in masked["after"]
    assert ("passed", "Votes") in what
    assert not [row for row in rows if row["what"] == "unlike"]
    assert id in cli("why", id, "--work", str(played)).output


def test_why_names_the_rule_the_measure_and_the_bound(played: Path) -> None:
    row = ledger.scan(played, "zhihu", "dropped").filter(pl.col("rule") == "Votes").collect()
    text = cli("why", row["id"][0], "--work", str(played)).output
    assert "dropped" in text
    assert f"{row['value'][0]:g} (>= 50)" in " ".join(text.split())


def test_why_names_the_record_that_stays_for_a_duplicate(played: Path) -> None:
    gone = pl.read_parquet(played / "dedup" / "dropped.parquet").filter(
        pl.col("rule") == "NearDuplicate"
    )
    text = cli("why", gone["id"][0], "--work", str(played)).output
    assert gone["keeper"][0] in text
    assert "NearDuplicate" in text


def test_every_record_has_a_story_that_replays(played: Path) -> None:
    from cqia.play import recipes
    from cqia.queries.why import why

    steps = recipes(played)
    assert set(steps) == set(ledger.curated(played))
    for source in steps:
        ids = ledger.scan(played, source, "measures").select("id").collect()["id"]
        for id in ids.gather_every(7):
            story = why(played, id, steps=steps)
            assert not [event for event in story.events if event.what == "unlike"], id


def test_whatif_counts_what_a_rerun_counts(played: Path, tmp_path: Path) -> None:
    from cqia import experiment
    from cqia.play import play
    from cqia.shipped import shipped

    told = json.loads(
        cli(
            "whatif", "--filter", "Length.output", "--low", "400", "--source", "zhihu",
            "--work", str(played), "--format", "json",
        ).output
    )  # fmt: skip
    text = (shipped("experiments") / "demo.toml").read_text(encoding="utf-8")
    text = text.replace("../samples", str(shipped("samples")))
    text = text.replace('name = "zhihu"', 'name = "zhihu"\nbounds."Length.output".low = 400', 1)
    (tmp_path / "moved.toml").write_text(text, encoding="utf-8")
    read = experiment.read(tmp_path / "moved.toml", work=tmp_path / "w")
    for _ in play(replace(read, statement=None)):
        pass
    facts = store.manifest(tmp_path / "w" / "curate" / "zhihu") or {}
    assert told[0]["kept_then"] == facts["kept"] != told[0]["kept"]
    rows = json.loads(
        cli("diff", str(played), str(tmp_path / "w"), "--records", "--format", "json").output
    )
    lost = [row["id"] for row in rows if row["a"] == "kept" and row["b"] == "Length.output"]
    assert len(lost) > 0
    counts = cli("diff", str(played), str(tmp_path / "w")).output
    assert "curate/zhihu: bounds.Length.output" in counts


def test_whatif_takes_a_bound_away_and_refuses_crossed_ones(played: Path) -> None:
    place = ("--work", str(played), "--source", "zhihu")
    free = table("whatif", "--filter", "Votes", "--low", "none", *place)
    assert int(free[0]["gained"]) > 0
    assert int(free[0]["lost"]) == 0
    with pytest.raises(UserError, match="low 9 is above high 1; swap them"):
        cli("whatif", "--filter", "Votes", "--low", "9", "--high", "1", *place)
    with pytest.raises(UserError, match="unknown filter 'Vote'; did you mean Votes"):
        cli("whatif", "--filter", "Vote", *place)


def test_single_verbs_do_what_the_experiment_does(played: Path, tmp_path: Path) -> None:
    from cqia.shipped import shipped

    work = ("--work", str(tmp_path / "w"))
    samples = shipped("samples")
    for source in ("zhihu", "gaokao_bench"):
        files = sorted(str(path) for path in (samples / source).iterdir())
        cli("curate", source, *files, *work, "--allow-bad", "4", "--workers", "1")
    cli("dedup", *work)
    cli("assemble", *work, "--to", "alpaca", "--to", "release")
    cli("describe", *work)
    facts = store.manifest(tmp_path / "w" / "dedup") or {}
    lines = (tmp_path / "w" / "dataset" / "alpaca" / "train.jsonl").read_text(encoding="utf-8")
    assert len(lines.splitlines()) == facts["kept"]
    whole = store.manifest(played / "curate" / "zhihu") or {}
    mine = store.manifest(tmp_path / "w" / "curate" / "zhihu") or {}
    assert mine["kept"] == whole["kept"]


def test_a_source_that_the_experiment_does_not_name_is_not_mixed_in(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"q":"问","a":"答"}\n', encoding="utf-8")
    block = '[[source]]\nname="{}"\nreader="jsonl"\nfiles=["x.jsonl"]\nmap={{instruction="q",output="a"}}\n'
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text(block.format(name), encoding="utf-8")
    cli("run", str(tmp_path / "a.toml"), "--work", str(tmp_path / "w"), "--workers", "1")
    with pytest.raises(UserError, match="also holds source 'a'"):
        cli("run", str(tmp_path / "b.toml"), "--work", str(tmp_path / "w"), "--workers", "1")


HOSTILE = "\x1b]0;pwned\x07\x1b[31m红[bold]粗[/bold]\u202e反\u2066 =cmd|' /C calc'!A0"


def test_hostile_text_does_not_reach_the_terminal(tmp_path: Path) -> None:
    row = {"q": f"{HOSTILE}怎么办？", "a": f"{HOSTILE}没有办法。", "k": "1"}
    (tmp_path / "x.jsonl").write_text(json.dumps(row), encoding="utf-8")
    (tmp_path / "e.toml").write_text(
        '[[source]]\nname="t"\nreader="jsonl"\nfiles=["x.jsonl"]\nsteps=[]\n'
        'map={instruction="q",output="a",key="k"}\n',
        encoding="utf-8",
    )
    work = ("--work", str(tmp_path / "w"))
    cli("run", str(tmp_path / "e.toml"), *work, "--workers", "1")
    for arguments in (("why", "t-1"), ("drops", "--examples", "1"), ("describe",)):
        for format_ in ("table", "csv", "md"):
            text = cli(*arguments, *work, "--format", format_).output
            assert not set(text) & set("\x1b\x07\u202e\u2066"), (arguments, format_)
    assert "[bold]粗[/bold]" in cli("why", "t-1", *work).output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    assert "_CQIA_COMPLETE" in cli("completion", shell).output


def test_completion_offers_verbs_and_options() -> None:
    from click.shell_completion import BashComplete

    complete = BashComplete(cqia, {}, "cqia", "_CQIA_COMPLETE")
    assert {one.value for one in complete.get_completions([], "w")} == {"web", "why", "whatif"}
    assert "--filter" in {one.value for one in complete.get_completions(["whatif"], "--f")}
