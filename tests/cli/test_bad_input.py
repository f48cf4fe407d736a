"""Twenty kinds of bad input through the command line: one line each, exit code 2, nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

TOML = """
[[source]]
name = "t"
reader = "{reader}"
files = ["{file}"]
{more}
"""
GOOD = '{"q": "天为什么是蓝的？", "a": "因为大气把蓝光散射得更多。"}\n'
MAP = 'map = { instruction = "q", output = "a" }'

Case = tuple[Callable[[Path], list[str]], tuple[str, ...]]


def cqia(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "CQIA_DATA"}
    return subprocess.run(
        [sys.executable, "-m", "cqia.cli.main", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def experiment(
    name: str, body: bytes, *, more: str = MAP, reader: str = "jsonl"
) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        (folder / name).write_bytes(body)
        text = TOML.format(reader=reader, file=name, more=more)
        (folder / "e.toml").write_text(text, encoding="utf-8")
        return ["run", "e.toml", "--work", "w"]

    return make


def toml(text: str) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        (folder / "x.jsonl").write_text(GOOD, encoding="utf-8")
        (folder / "e.toml").write_text(text, encoding="utf-8")
        return ["run", "e.toml", "--work", "w"]

    return make


def command(*arguments: str) -> Callable[[Path], list[str]]:
    def make(folder: Path) -> list[str]:
        (folder / "x.jsonl").write_text(GOOD, encoding="utf-8")
        (folder / "d").mkdir()
        return list(arguments)

    return make


good = GOOD.encode()
CASES: dict[str, Case] = {
    "truncated JSON line": (
        experiment("x.jsonl", good + b'{"q": "x", "a'),
        ("x.jsonl:2: invalid JSON", "--allow-bad 1"),
    ),
    "truncated JSON array": (
        experiment("x.json", b"[" + good + b', {"q": "x'),
        ("x.json:2: the file ends inside this JSON value", "--allow-bad 1"),
    ),
    "wrong encoding": (
        experiment("x.jsonl", good + b'{"q": "\xff\xfe", "a": "b"}\n'),
        ("x.jsonl:2: not UTF-8 (byte 0xff",),
    ),
    "missing column": (
        experiment("x.csv", b"question,a\n1,2\n", reader="csv"),
        ("unknown column 'q'", "x.csv"),
    ),
    "missing field": (
        experiment("x.jsonl", good + b'{"question": "x", "a": "b"}\n'),
        ("x.jsonl:2: no instruction (field 'q' is missing or empty)",),
    ),
    "field of another type": (
        experiment("x.jsonl", good + b'{"q": ["x"], "a": "b"}\n'),
        ("x.jsonl:2: field 'q': String is needed, this is an array",),
    ),
    "empty file": (experiment("x.jsonl", b""), ("x.jsonl:1: the file is empty",)),
    "NUL bytes": (
        experiment("x.jsonl", good + b'{"q": "a\x00b", "a": "b"}\n'),
        ("x.jsonl:2: invalid JSON",),
    ),
    "cut archive": (
        experiment("x.jsonl.gz", __import__("gzip").compress(good * 99)[:-20]),
        ("x.jsonl.gz", "breaks off"),
    ),
    "no zip": (experiment("x.zip", b"PK nothing"), ("x.zip: not a zip file", "fetch it again")),
    "no Parquet": (
        experiment("x.parquet", b"PAR1", reader="parquet"),
        ("x.parquet: not a Parquet file",),
    ),
    "unknown ending": (experiment("x.docx", b"PK"), ("x.docx: unknown file ending '.docx'",)),
    "kind the reader can't read": (
        experiment("x.csv", b"a,b\n"),
        ("x.csv: this is csv; json is needed here",),
    ),
    "a folder for a file": (
        command("curate", "zhihu", "d"),
        ("d: this is a folder, not a file; name its files: d/*",),
    ),
    "a file that isn't there": (
        command("curate", "zhihu", "no.jsonl"),
        ("no.jsonl: no such file",),
    ),
    "misspelt source": (
        command("curate", "zihu", "x.jsonl"),
        ("unknown source 'zihu'; did you mean zhihu?",),
    ),
    "misspelt command": (command("curat"), ("unknown command 'curat'; did you mean curate?",)),
    "unknown TOML key": (
        toml('[[source]]\nname = "zhihu"\nfiles = ["x.jsonl"]\nfile = 1\n'),
        ("e.toml:", "unknown key 'file'; did you mean files?"),
    ),
    "broken TOML": (toml("[[source]\n"), ("e.toml:1: no valid TOML",)),
    "wrong type in TOML": (toml('seed = "x"\n'), ("e.toml:1: 'seed' must be a whole number",)),
    "no file behind a pattern": (
        toml('[[source]]\nname = "zhihu"\nfiles = ["y/*.jsonl"]\n'),
        ("e.toml:3:", "no file matches"),
    ),
    "variable that is not set": (
        toml('[[source]]\nname = "zhihu"\nfiles = ["${CQIA_DATA}/x"]\n'),
        ("e.toml:3: the environment variable CQIA_DATA is not set",),
    ),
    "misspelt reader": (
        toml('[[source]]\nname = "t"\nreader = "jsnol"\nfiles = ["x.jsonl"]\n'),
        ("unknown reader 'jsnol'; did you mean jsonl?",),
    ),
    "misspelt step": (
        toml(
            '[[source]]\nname = "t"\nreader = "jsonl"\nfiles = ["x.jsonl"]\n'
            'map = { instruction = "q" }\nsteps = [{ step = "Lenght", low = 1 }]\n'
        ),
        ("e.toml:6:", "unknown step 'Lenght'; did you mean Length"),
    ),
    "misspelt parameter of a step": (
        toml(
            '[[source]]\nname = "t"\nreader = "jsonl"\nfiles = ["x.jsonl"]\n'
            'map = { instruction = "q" }\nsteps = [{ step = "Length", lowest = 1 }]\n'
        ),
        ("unknown key 'lowest'; did you mean low?",),
    ),
    "the same source twice": (
        toml('[[source]]\nname = "zhihu"\nfiles = ["x.jsonl"]\n' * 2),
        ("source 'zhihu' stands twice",),
    ),
    "a format that isn't there": (
        toml('[assemble]\nformats = ["alpca"]\n'),
        ("unknown format 'alpca'; did you mean alpaca?",),
    ),
    "nothing curated": (
        command("drops", "--work", "w"),
        ("w: nothing was curated here; run: cqia curate",),
    ),
    "unknown id": (
        command("why", "x-1", "--work", "w"),
        ("w: nothing was curated here",),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_one_line_and_exit_code_2(name: str, tmp_path: Path) -> None:
    make, expected = CASES[name]
    done = cqia(make(tmp_path), tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("cqia: ")
    for part in expected:
        assert part in lines[0]


def test_the_good_rows_beside_a_bad_one_are_not_lost(tmp_path: Path) -> None:
    make = experiment("x.jsonl", good + b"{broken\n")
    assert cqia(make(tmp_path), tmp_path).returncode == 2
    done = cqia([*make(tmp_path), "--allow-bad", "1"], tmp_path)
    assert done.returncode == 0, done.stderr
    kept = [
        pl.read_parquet(path) for path in (tmp_path / "w" / "curate" / "t").glob("*/kept.parquet")
    ]
    assert pl.concat(kept)["instruction"].to_list() == ["天为什么是蓝的？"]
    bad = cqia(["drops", "--bad", "--work", "w", "--format", "csv"], tmp_path)
    assert 'x.jsonl,2,"invalid JSON' in bad.stdout


def test_a_huge_line_is_read_and_a_longer_one_is_said(tmp_path: Path) -> None:
    long = '{"q": "问", "a": "' + "很长。" * 2_000_000 + '"}\n'
    make = experiment("x.jsonl", good + long.encode() + good.replace(b"?", b"!"))
    done = cqia(make(tmp_path), tmp_path)
    assert done.returncode == 0, done.stderr


def test_duplicate_ids_are_numbered_and_dropped_by_rule(tmp_path: Path) -> None:
    more = 'map = { instruction = "q", output = "a", key = "k" }'
    row = '{{"k": 7, "q": "问题{0}", "a": "这是第{0}个回答。"}}\n'
    body = "".join(row.format(number) for number in range(3)).encode()
    done = cqia(experiment("x.jsonl", body, more=more)(tmp_path), tmp_path)
    assert done.returncode == 0, done.stderr
    dropped = pl.read_parquet(tmp_path / "w" / "curate" / "t" / "*" / "dropped.parquet")
    assert dropped.select("id", "rule", "value").rows() == [
        ("t-7~2", "SameId", 2.0),
        ("t-7~3", "SameId", 3.0),
    ]


def test_two_runs_in_one_folder_do_not_undo_each_other(tmp_path: Path) -> None:
    from cqia import store

    make = experiment("x.jsonl", good)
    with store.lock(tmp_path / "w"):
        done = cqia(make(tmp_path), tmp_path)
    assert done.returncode == 2
    assert "another cqia is at work in this folder" in done.stderr


def test_a_file_without_a_record_goes_all_the_way(tmp_path: Path) -> None:
    pl.DataFrame(schema={"q": pl.String, "a": pl.String}).write_parquet(tmp_path / "x.parquet")
    text = TOML.format(reader="parquet", file="x.parquet", more=MAP) + "[dedup]\n[assemble]\n"
    (tmp_path / "e.toml").write_text(text, encoding="utf-8")
    assert cqia(["run", "e.toml", "--work", "w"], tmp_path).returncode == 0
    table = pl.read_csv(tmp_path / "w" / "describe" / "sources.csv")
    assert table["records"].to_list() == [0, 0]
