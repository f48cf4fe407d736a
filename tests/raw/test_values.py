from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqia.errors import UserError
from cqia.raw import plan as planning
from cqia.raw import values
from cqia.raw.encoding import Utf8Reader
from cqia.raw.plan import plan, read

SCHEMA = pl.Struct({"a": pl.String, "n": pl.Int64})


def items(
    path: Path, body: bytes, schema: pl.Struct = SCHEMA
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    path.write_bytes(body)
    good: list[tuple[object, ...]] = []
    bad: list[tuple[object, ...]] = []
    for task in plan([str(path)], ["json"]):
        for batch in read(task, schema):
            if len(batch.items):
                good += batch.items.select("row", "a").rows()
            bad += batch.bad.select("row", "reason").rows()
    return good, sorted(bad, key=str)


def test_lines_keep_their_numbers_over_empty_ones(tmp_path: Path) -> None:
    good, bad = items(tmp_path / "x.jsonl", '{"a":"甲"}\n\n  \n{"a":"乙"}'.encode())
    assert good == [(1, "甲"), (4, "乙")]
    assert bad == []


def test_every_kind_of_bad_line_is_named(tmp_path: Path) -> None:
    body = b'{"a":"x"\n{"a":"y","n":"z"}\n[1]\n{"a":"\\ud83d"}\n{"a":"\xff"}\n{"a":"ok"}\n"s"\n'
    good, bad = items(tmp_path / "x.jsonl", body)
    assert good == [(6, "ok")]
    assert [row for row, _ in bad] == [1, 2, 3, 4, 5, 7]
    reasons = {row: reason for row, reason in bad}
    assert "invalid JSON" in str(reasons[1])
    assert "field 'n': Int64 is needed, this is a string" in str(reasons[2])
    assert "object is needed, this is an array" in str(reasons[3])
    assert "surrogate" in str(reasons[4])
    assert "not UTF-8 (byte 0xff" in str(reasons[5])


def test_an_escaped_emoji_is_no_lone_surrogate(tmp_path: Path) -> None:
    good, bad = items(tmp_path / "x.jsonl", b'{"a":"\\ud83d\\ude00"}\n')
    assert good == [(1, "😀")]
    assert bad == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("layout", ["lines", "array", "document"])
def test_encodings_and_layouts_read_the_same(tmp_path: Path, encoding: str, layout: str) -> None:
    rows = [{"a": "弱智吧"}, {"a": '引号"括号]}{['}]
    texts = [json.dumps(row, ensure_ascii=False) for row in rows]
    body = {
        "lines": "\n".join(texts) + "\n",
        "array": json.dumps(rows, ensure_ascii=False, indent=2),
        "document": "\n\n".join(json.dumps(row, ensure_ascii=False, indent=1) for row in rows),
    }[layout]
    good, bad = items(tmp_path / "x.json", body.encode(encoding))
    assert [text for _, text in good] == [row["a"] for row in rows]
    assert bad == []


def test_a_cut_array_gives_its_whole_elements_and_one_bad_row(tmp_path: Path) -> None:
    good, bad = items(tmp_path / "x.json", '[\n{"a":"甲"},\n{"a":"乙'.encode())
    assert good == [(2, "甲")]
    assert bad == [(3, "the file ends inside this JSON value")]


def test_junk_between_elements_is_bad_and_not_skipped(tmp_path: Path) -> None:
    good, bad = items(tmp_path / "x.json", b'[{"a":"1"}, oops, {"a":"2"}]')
    assert [text for _, text in good] == ["1", "2"]
    assert len(bad) == 1


def test_an_empty_file_is_a_bad_item(tmp_path: Path) -> None:
    assert items(tmp_path / "x.json", b" \n") == ([], [(1, "the file is empty")])


def test_a_line_that_is_too_long_is_bad_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "LONGEST", 1 << 20)
    monkeypatch.setattr(values, "BLOCK", 1 << 18)
    body = b'{"a":"' + b"x" * (3 << 20) + b'"}\n{"a":"ok"}\n'
    path = tmp_path / "x.jsonl.gz"
    good, bad = items(path, gzip.compress(body))
    assert [text for _, text in good] == ["ok"]
    assert len(bad) == 1
    assert "longer than 1 MB" in str(bad[0][1])


def test_packed_files_read_like_plain_ones(tmp_path: Path) -> None:
    body = '{"a":"甲"}\n{"a":"乙"}\n'.encode()
    expected = [(1, "甲"), (2, "乙")]
    assert items(tmp_path / "x.jsonl.gz", gzip.compress(body))[0] == expected
    assert (
        items(tmp_path / "x.jsonl.zst", bytes(pa.compress(body, "zstd", asbytes=True)))[0]
        == expected
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("__MACOSX/x.jsonl", b"junk")
        out.writestr("in/x.jsonl", body)
    assert items(tmp_path / "x.zip", archive.getvalue())[0] == expected


def test_what_came_before_the_break_of_a_cut_archive_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values, "BLOCK", 1 << 16)
    rows = [json.dumps({"a": f"{number:08d}" * 7}) for number in range(40_000)]
    packed = gzip.compress("\n".join(rows).encode())
    good, bad = items(tmp_path / "x.jsonl.gz", packed[: len(packed) // 2])
    assert 5_000 < len(good) < 40_000
    assert "breaks off" in str(bad[-1][1])


def test_ranges_of_a_large_file_read_like_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "TASK_BYTES", 1_000)
    rows = [{"a": f"第{number}条"} for number in range(200)]
    body = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    path = tmp_path / "x.jsonl"
    good, bad = items(path, body)
    assert len(plan([str(path)], ["json"])) > 3
    assert good == [(number + 1, row["a"]) for number, row in enumerate(rows)]
    assert bad == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=30), min_size=1), max_size=8
    ),
    st.sampled_from(["array", "document"]),
    st.sampled_from([None, 1, 3]),
    st.integers(3, 60),
)
def test_the_scan_finds_every_value_whatever_the_block(
    rows: list[dict[str, str]], layout: str, indent: int | None, block: int
) -> None:
    texts = [json.dumps(row, indent=indent, ensure_ascii=False) for row in rows]
    whole = "[" + ",\n".join(texts) + "]" if layout == "array" else "\n".join(texts)
    data = whole.encode("utf-8", "surrogatepass")
    if not whole.isprintable() and "\udc80" <= max(whole, default="") <= "\udfff":
        return

    class Small(Utf8Reader):
        def read(self, size: int) -> bytes:
            part, self._head = self._head[:block], self._head[block:]
            return part

    found = [
        json.loads(text)
        for one in values.stream_values(Small(io.BytesIO(data), "x"))
        for text in one.text
    ]
    assert found == rows


def test_a_folder_a_missing_file_and_an_unknown_ending_are_one_line_each(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="this is a folder"):
        plan([str(tmp_path)], ["json"])
    with pytest.raises(UserError, match="no such file"):
        plan([str(tmp_path / "none.json")], ["json"])
    (tmp_path / "x.pdf").write_bytes(b"")
    with pytest.raises(UserError, match="unknown file ending"):
        plan([str(tmp_path / "x.pdf")], ["json"])
    (tmp_path / "x.csv").write_bytes(b"a\n1\n")
    with pytest.raises(UserError, match="this is csv; json is needed here"):
        plan([str(tmp_path / "x.csv")], ["json"])
    (tmp_path / "x.zip").write_bytes(b"nothing")
    with pytest.raises(UserError, match="not a zip file"):
        plan([str(tmp_path / "x.zip")], ["json"])
