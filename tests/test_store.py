from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from cqia import store
from cqia.errors import UserError, no_room


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    store.write_json(target, {"a": 1})

    def break_off() -> None:
        with store.whole(target) as temporary:
            temporary.write_text("half", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert store.read_json(target) == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_a_part_that_breaks_off_is_no_part(tmp_path: Path) -> None:
    def break_off() -> None:
        with store.part(tmp_path, "000001") as path:
            store.write_frame(path / "kept.parquet", pl.DataFrame({"a": [1]}))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert store.parts(tmp_path) == []
    with store.part(tmp_path, "000001") as path:
        store.write_frame(path / "kept.parquet", pl.DataFrame({"a": [2]}))
    assert [path.name for path in store.parts(tmp_path)] == ["000001"]


def test_another_fingerprint_starts_afresh_and_the_same_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "result"
    store.begin(folder, "one")
    (folder / "x").write_text("x", encoding="utf-8")
    store.begin(folder, "one")
    assert (folder / "x").exists()
    store.begin(folder, "two")
    assert not (folder / "x").exists()
    assert store.finished(folder, "two") is None
    store.seal(folder, "two", {"n": 1})
    assert store.finished(folder, "two") == {"fingerprint": "two", "n": 1}
    assert store.finished(folder, "three") is None


def test_fingerprints_tell_values_apart_and_not_orders_of_keys() -> None:
    assert store.fingerprint({"a": 1, "b": [1.5, None]}) == store.fingerprint(
        {"b": [1.5, None], "a": 1}
    )
    assert store.fingerprint({"a": 1}) != store.fingerprint({"a": "1"})


def test_a_damaged_manifest_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"a":', encoding="utf-8")
    with pytest.raises(UserError, match=r"manifest\.json: this file is damaged; delete"):
        store.manifest(tmp_path)


def test_hashes_see_a_change_and_remember(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"one")
    hashes = store.Hashes(tmp_path)
    first = hashes.of(str(file))
    hashes.save()
    assert store.Hashes(tmp_path).of(str(file)) == first
    file.write_bytes(b"two")
    os.utime(file, ns=(1, 1))
    assert store.Hashes(tmp_path).of(str(file)) != first


def test_a_hash_is_remembered_only_of_a_file_at_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"one")

    def remembered(after: float) -> bool:
        hashes = store.Hashes(tmp_path / "work")
        now = file.stat().st_ctime_ns + int(after * 1e9)
        monkeypatch.setattr(time, "time_ns", lambda: now)
        hashes.of(str(file))
        return bool(hashes._known)

    assert not remembered(0.001)
    assert not remembered(-3600), "the clock was set back"
    assert remembered(3600)


def test_a_change_that_keeps_size_and_time_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"one")
    before = file.stat()
    hashes = store.Hashes(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: before.st_ctime_ns + 10**10)
        first = hashes.of(str(file))
    file.write_bytes(b"two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert hashes.of(str(file)) != first


@pytest.mark.parametrize(
    "fault",
    [
        OSError(28, "No space left on device"),
        OSError("No space left on device (os error 28)"),
        pl.exceptions.ComputeError("parquet: underlying IO error: No space left on device"),
        OSError("1000000 requested and 131056 written"),
        sqlite3.OperationalError("database or disk is full"),
    ],
    ids=str,
)
def test_a_full_disk_is_one_line(tmp_path: Path, fault: Exception) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def write() -> None:
        with store.whole(path) as new:
            new.write_bytes(b"half")
            raise fault

    with pytest.raises(UserError, match="x: no space left on the disk"):
        write()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_fills_in_a_pages_header_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(_: pl.DataFrame, *__: object, **___: object) -> None:
        raise pl.exceptions.ComputeError("parquet: Invalid thrift: transport error")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", write)
    with pytest.raises(UserError, match=r"x\.parquet: no space left"):
        store.write_frame(tmp_path / "x.parquet", pl.DataFrame({"a": [1]}))


def test_a_damaged_or_missing_file_is_named_with_what_to_delete(tmp_path: Path) -> None:
    part = tmp_path / "curate" / "one" / "000000-000000"
    path = part / "kept.parquet"
    store.write_frame(path, pl.DataFrame({"a": range(1000)}))
    store.write_frame(tmp_path / "dedup" / "x.unfinished" / "y.parquet", pl.DataFrame())

    def read() -> None:
        with store.lock(tmp_path):
            pl.read_parquet(path)

    read()
    for spoil in (lambda: path.write_bytes(path.read_bytes()[:-20]), path.unlink):
        spoil()
        with pytest.raises(UserError) as told:
            read()
        assert f"{path}: this file is " in str(told.value)
        assert f"delete {tmp_path / 'curate' / 'one'} and run again" in str(told.value)


def test_a_part_takes_the_place_of_another_in_one_step(tmp_path: Path) -> None:
    for number in (1, 2):
        with store.part(tmp_path, "p") as place:
            (place / f"{number}").touch()
    assert [one.name for one in (tmp_path / "p").iterdir()] == ["2"]
    assert store.parts(tmp_path) == [tmp_path / "p"]
    assert [one.name for one in tmp_path.iterdir()] == ["p"]


def test_other_faults_are_not_taken_for_a_full_disk() -> None:
    assert no_room(OSError(13, "Permission denied")) is None
    assert no_room(ValueError("28")) is None
    assert no_room(UserError("no space left on device")) is None
    outer = RuntimeError("a worker failed")
    outer.__cause__ = OSError(28, "No space left on device", "there")
    assert str(no_room(outer)).startswith("there: no space left")


def test_one_folder_has_one_run_at_a_time(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from cqia import store\n"
        f"with store.lock(pathlib.Path({str(tmp_path)!r})): print('in')\n"
    )
    with store.lock(tmp_path):
        tried = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "another cqia is at work" in tried.stderr
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert again.stdout == "in\n"


def test_a_scratch_folder_is_its_runs_own_and_sweeps_what_others_left(tmp_path: Path) -> None:
    with store.scratch(tmp_path) as first:
        pass
    first.mkdir()
    (first / "late").touch()
    with store.scratch(tmp_path) as second:
        assert second != first
        assert not first.exists()
        first.mkdir()
        (first / "later").touch()
    assert list(tmp_path.iterdir()) == []
