from __future__ import annotations

import gzip
import itertools
import json
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from cqia import store
from cqia.errors import UserError
from cqia.exporters.publish import publish
from cqia.places import far, folders
from cqia.raw import plan as planning
from cqia.recipe import Outcome, Step, apply
from cqia.sources.base import Source
from cqia.sources.catalogue import SOURCES
from cqia.sources.generic import Layout, generic
from cqia.stages.curate import curate
from tests.cli.conftest import cli
from tests.conftest import ROOT
from tests.places import s3

pytest.importorskip("s3fs")
pytest.importorskip("moto")


@pytest.fixture(scope="module")
def served() -> Iterator[s3.Store]:
    """A store; the libraries below retry little, so that faults come through."""
    with s3.running() as (url, found), pytest.MonkeyPatch.context() as patch:
        for name, value in {**s3.KEYS, "AWS_ENDPOINT_URL": url, "AWS_MAX_ATTEMPTS": "1"}.items():
            patch.setenv(name, value)
        patch.setattr("s3fs.S3FileSystem.retries", 1)
        patch.setattr(far, "FIRST_WAIT", 0.01)
        fresh()
        yield found
    fresh()


@pytest.fixture
def bucket(served: s3.Store) -> s3.Store:
    """The store, calm, with an empty bucket `raw`."""
    served.calm()
    system = far.system("s3://")
    system.invalidate_cache()
    if system.exists("raw"):
        system.rm("raw", recursive=True)
    system.mkdir("raw")
    return served


def fresh() -> None:
    """Look at the environment anew."""
    from s3fs import S3FileSystem

    S3FileSystem.clear_instance_cache()
    far._opened.cache_clear()


def made(reader: str) -> Source:
    layout = Layout(reader=reader, map={"instruction": "q", "output": "a"})
    return generic(name="qa", layout=layout, steps=())


QA = made("jsonl")
QA = replace(QA, forms=(*QA.forms, *made("csv").forms, *made("parquet").forms))


def lines(rows: int = 100) -> bytes:
    told = ({"q": f"第{n}个问题是什么？", "a": f"这是第{n}个回答，" * 9} for n in range(rows))
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told).encode()


def put(name: str, body: bytes) -> str:
    folders.put(f"s3://raw/{name}", body)
    return f"s3://raw/{name}"


def frames(work: Path, source: str) -> dict[str, pl.DataFrame]:
    """Every table of every part, without the folder that a file lies in."""
    found = {}
    for part in store.parts(work / "curate" / source):
        for path in sorted(part.glob("*.parquet")):
            frame = pl.read_parquet(path)
            if "file" in frame.columns:
                frame = frame.with_columns(pl.col("file").str.extract(r"([^/]+)$"))
            found[f"{part.name}/{path.stem}"] = frame
    return found


def same(source: Source, paths: list[Path], tmp_path: Path) -> store.Facts:
    """Curate files from here and from the store; both must say the same."""
    for path in paths:
        put(path.name, path.read_bytes())
    near = curate(source, [str(path) for path in paths], work=tmp_path / "near")
    distant = curate(source, [f"s3://raw/{path.name}" for path in paths], work=tmp_path / "far")
    apart = ("fingerprint", "inputs")
    assert {k: v for k, v in near.items() if k not in apart} == {
        k: v for k, v in distant.items() if k not in apart
    }
    one, other = frames(tmp_path / "near", source.name), frames(tmp_path / "far", source.name)
    assert list(one) == list(other)
    assert all(one[name].equals(other[name]) for name in one)
    return distant


@pytest.mark.parametrize(
    "name", ["csv", *(pytest.param(one, marks=pytest.mark.slow) for one in ("mba_baike", "zhihu"))]
)
def test_samples_of_every_kind_give_the_same_records_as_from_here(
    bucket: s3.Store, tmp_path: Path, name: str
) -> None:
    source = SOURCES.get(name, QA)
    if name == "csv":
        paths = [tmp_path / "x.csv"]
        paths[0].write_text("q,a\n问题一,回答一\n" * 50, encoding="utf-8")
    else:
        paths = sorted((ROOT / "samples" / name).iterdir())
    facts = same(source, paths, tmp_path)
    assert facts["read"] > 0
    assert set(facts["inputs"]) == {f"s3://raw/{path.name}" for path in paths}


def test_large_plain_files_are_cut_and_packed_ones_unpacked(
    bucket: s3.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "TASK_BYTES", 6_000)
    body = lines()
    (tmp_path / "a.jsonl").write_bytes(body)
    for ending, kind in (("zst", "zstd"), ("bz2", "bz2")):
        with pa.output_stream(str(tmp_path / f"b.jsonl.{ending}"), compression=kind) as out:
            out.write(body)
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(body))
    pl.read_ndjson(body).write_parquet(tmp_path / "c.parquet")
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        for number in range(3):
            archive.writestr(f"{number}.jsonl", body[:4_000].rpartition(b"\n")[0])
    paths = [
        tmp_path / name
        for name in ("a.jsonl", "b.jsonl.zst", "b.jsonl.bz2", "b.jsonl.gz", "c.parquet", "d.zip")
    ]
    same(QA, paths, tmp_path)
    tasks = store.read_json(tmp_path / "far" / "curate" / "qa" / "tasks.json")["tasks"]
    assert sum(piece[3] >= 0 for task in tasks for piece in task[0]) > 3


def test_a_pattern_stands_for_its_files_in_order(bucket: s3.Store, tmp_path: Path) -> None:
    for number in (2, 0, 1):
        put(f"deep/{number}.jsonl", lines(number + 1))
    facts = curate(QA, ["s3://raw/deep/*.jsonl", "s3://raw/deep/1.jsonl"], work=tmp_path)
    assert list(facts["inputs"]) == [f"s3://raw/deep/{number}.jsonl" for number in range(3)]
    assert facts["read"] == 6
    with pytest.raises(UserError, match="no file matches"):
        curate(QA, ["s3://raw/deeper/*.jsonl"], work=tmp_path)


def test_nothing_is_done_twice_and_a_changed_file_is_read_anew(
    bucket: s3.Store, tmp_path: Path
) -> None:
    name = put("a.jsonl", lines(5))
    first = curate(QA, [name], work=tmp_path)
    bucket.reads = 0
    assert curate(QA, [name], work=tmp_path) == first
    assert bucket.reads == 0
    put("a.jsonl", lines(6))
    assert curate(QA, [name], work=tmp_path)["read"] == 6


@pytest.mark.parametrize("fault", ["fail", "cut"])
def test_what_passes_is_asked_again(bucket: s3.Store, tmp_path: Path, fault: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines())
    put("a.jsonl", lines())

    def break_(number: int) -> None:
        if number == 2:
            setattr(bucket, fault, 3)

    bucket.before = break_
    same(QA, [tmp_path / "a.jsonl"], tmp_path)
    assert getattr(bucket, fault) == 0


@pytest.mark.parametrize("fault", ["fail", "cut"])
def test_what_goes_on_is_one_line_and_the_same_command_goes_on(
    bucket: s3.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(planning, "TASK_BYTES", 6_000)
    (tmp_path / "a.jsonl").write_bytes(lines())
    put("a.jsonl", lines())
    with monkeypatch.context() as patch:
        breaks = meanwhile(3, lambda: setattr(bucket, fault, 1_000))
        patch.setattr("cqia.stages.curate.apply", breaks)
        with pytest.raises(UserError, match="asked 6 times, no answer each time") as told:
            curate(QA, ["s3://raw/a.jsonl"], work=tmp_path / "far")
    assert "\n" not in str(told.value)
    done = len(list((tmp_path / "far" / "curate" / "qa").glob("*.done")))
    assert done > 1
    bucket.calm()
    same(QA, [tmp_path / "a.jsonl"], tmp_path)
    parts = store.parts(tmp_path / "far" / "curate" / "qa")
    assert bucket.reads == len([one for one in parts if one.name[7:] == "000000"]) - done


@pytest.mark.parametrize("becomes", ["gone", "shorter", "other"])
def test_a_file_that_vanishes_or_changes_in_the_middle_is_one_line(
    bucket: s3.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, becomes: str
) -> None:
    monkeypatch.setattr(planning, "TASK_BYTES", 6_000)
    body = lines()
    new = {
        "shorter": body[:500],
        "other": body.replace("个".encode(), "只".encode()),
    }
    name = put("a.jsonl", body)
    system = far.system("s3://")

    def change() -> None:
        system.rm_file(name) if becomes == "gone" else folders.put(name, new[becomes])

    monkeypatch.setattr("cqia.stages.curate.apply", meanwhile(2, change))
    what = "no such file" if becomes == "gone" else "changed while it was read"
    with pytest.raises(UserError, match=what) as told:
        curate(QA, [name], work=tmp_path)
    assert "\n" not in str(told.value)
    folder = tmp_path / "curate" / "qa"
    assert not (folder / "manifest.json").exists()
    assert len(store.parts(folder)) == (2 if becomes == "gone" else 1)
    assert len(list(folder.glob("*.done"))) == 1
    put("a.jsonl", lines(20))
    assert curate(QA, [name], work=tmp_path)["read"] == 20


def meanwhile(at: int, do: Callable[[], None]) -> Callable[..., Outcome]:
    """Filters that do something at a call."""
    calls = itertools.count(1)

    def applied(records: pl.DataFrame, steps: Sequence[Step]) -> Outcome:
        if next(calls) == at:
            do()
        return apply(records, steps)

    return applied


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("s3://raw/none.jsonl", "no such file, folder or bucket; check the name"),
        ("s3://no-such-bucket/a.jsonl", "no such file, folder or bucket; check the name"),
        ("s3://no-such-bucket/*.jsonl", "no file matches; check the path"),
        ("s3://raw/deep", "this is a folder, not a file; name its files: s3://raw/deep/*"),
        ("s3://key:secret@raw/a.jsonl", "a name with a key"),
        ("https://host/a.jsonl?signature=abc", "a name with a key"),
        ("ftp://host/a.jsonl", "unknown kind of place 'ftp'"),
    ],
)
def test_a_wrong_name_is_one_line(bucket: s3.Store, tmp_path: Path, name: str, said: str) -> None:
    put("deep/a.jsonl", lines(2))
    with pytest.raises(UserError) as told:
        curate(QA, [name], work=tmp_path)
    assert said in str(told.value)
    assert "\n" not in str(told.value)
    assert "secret" not in str(told.value)
    assert "abc" not in str(told.value)


def test_no_permission_is_one_line(bucket: s3.Store, tmp_path: Path) -> None:
    name = put("a.jsonl", lines(2))
    bucket.denied = True
    bucket.asked.clear()
    with pytest.raises(UserError, match=r"no permission .*set keys in the environment"):
        curate(QA, [name], work=tmp_path)
    assert len(bucket.asked) == 1


def test_no_network_is_one_line(
    bucket: s3.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = put("a.jsonl", lines(2))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    fresh()
    with pytest.raises(UserError, match=r"asked 6 times, no answer each time .*127.0.0.1:9"):
        curate(QA, [name], work=tmp_path)
    monkeypatch.undo()
    fresh()


def test_a_file_of_this_machine_may_be_a_url(tmp_path: Path) -> None:
    (tmp_path / "a b.jsonl").write_bytes(lines(3))
    facts = curate(QA, [f"file://{tmp_path}/a%20b.jsonl"], work=tmp_path / "w")
    assert list(facts["inputs"]) == [f"{tmp_path}/a b.jsonl"]
    assert curate(QA, [f"file://{tmp_path}/*.jsonl"], work=tmp_path / "w") == facts


def test_without_the_extra_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setattr(far, "_opened", far._opened.__wrapped__)
    with pytest.raises(UserError, match=r"needs the package fsspec.*cqia\[remote\]"):
        curate(QA, ["s3://raw/a.jsonl"], work=tmp_path)


def test_an_experiment_and_the_command_line_read_and_write_elsewhere(
    bucket: s3.Store, tmp_path: Path
) -> None:
    put("a.jsonl", lines(20))
    put("bench.jsonl", b'{"question": "' + "第7个问题是什么？这是一个很长的问题".encode() + b'"}\n')
    toml = tmp_path / "x.toml"
    toml.write_text(
        'name = "x"\n[[source]]\nname = "qa"\nreader = "jsonl"\nfiles = ["s3://${BUCKET}/a*.jsonl"]\n'
        '[source.map]\ninstruction = "q"\noutput = "a"\n[dedup]\nnear = "none"\n'
        '[[contamination]]\nname = "b"\nfiles = ["s3://raw/bench*"]\n[assemble]\n'
    )
    work, out = tmp_path / "w", "s3://raw/out/set"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BUCKET", "raw")
        cli("run", str(toml), "--work", str(work))
    cli("assemble", "--work", str(work), "--out", out, "--to", "release", "--to", "parquet")
    there = folders.below(out)
    near = {
        path.relative_to(work / "dataset").as_posix(): path.stat().st_size
        for path in (work / "dataset").rglob("*")
        if path.is_file()
    }
    assert there == near
    assert (
        folders.fetched(f"{out}/release/README.md")
        == (work / "dataset" / "release" / "README.md").read_bytes()
    )
    bucket.asked.clear()
    cli("assemble", "--work", str(work), "--out", out, "--to", "release", "--to", "parquet")
    assert not [one for one in bucket.asked if one.startswith(("PUT", "POST", "DELETE"))]
    everything = b"".join(path.read_bytes() for path in work.rglob("*") if path.is_file())
    for secret in s3.KEYS.values():
        assert secret.encode() not in everything


def test_a_copy_that_stops_goes_on_and_leaves_other_things_alone(
    bucket: s3.Store, tmp_path: Path
) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(20))
    work, out = tmp_path / "w", "s3://raw/out"
    curate(QA, [str(tmp_path / "a.jsonl")], work=work)
    cli("assemble", "--work", str(work), "--to", "alpaca")
    folder = work / "dataset"
    bucket.fail_after_writes = 2
    with pytest.raises(UserError, match="no answer each time"):
        publish(folder, out, ["alpaca"])
    bucket.calm()
    publish(folder, out, ["alpaca"])
    sent = [one for one in bucket.asked if one.startswith("PUT")]
    assert len(sent) == 2
    assert folders.below(f"{out}/alpaca") == {
        path.name: path.stat().st_size for path in (folder / "alpaca").iterdir()
    }
    put("other/alpaca/mine.txt", b"mine")
    with pytest.raises(UserError, match="holds something else"):
        publish(folder, "s3://raw/other", ["alpaca"])
    assert folders.fetched("s3://raw/other/alpaca/mine.txt") == b"mine"
