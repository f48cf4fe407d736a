from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cqia.errors import UserError
from cqia.selection.dense import read


def written(folder: Path, frame: pl.DataFrame) -> Path:
    frame.write_parquet(folder / "v.parquet")
    return folder / "v.parquet"


@pytest.mark.parametrize("kind", [pl.List(pl.Float32), pl.Array(pl.Float64, 2), pl.List(pl.Int64)])
def test_vectors_of_any_kind_and_those_without_a_direction_are_out(
    kind: pl.DataType, tmp_path: Path
) -> None:
    rows = [[1, 0], [0, 0], [2, 3], None]
    frame = pl.DataFrame({"id": list("abcd"), "vector": rows}, schema_overrides={"vector": kind})
    assert read(written(tmp_path, frame))["id"].to_list() == ["a", "c"]


def test_a_number_that_is_none_is_no_vector(tmp_path: Path) -> None:
    rows = [[1.0, float("nan")], [float("inf"), 1.0], [1.0, None], [1.0, 2.0]]
    assert read(written(tmp_path, pl.DataFrame({"id": list("abcd"), "vector": rows})))[
        "id"
    ].to_list() == ["d"]


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ({"id": ["a"], "x": [1]}, "no vectors can be read"),
        ({"id": [1], "vector": [[1.0]]}, "id is no text"),
        ({"id": ["a"], "vector": ["1"]}, "vector no list of numbers"),
        ({"id": ["a"], "vector": [["1"]]}, "vector no list of numbers"),
        ({"id": ["a", "a"], "vector": [[1.0], [2.0]]}, "'a' stands twice"),
        ({"id": ["a", "b"], "vector": [[1.0], [2.0, 1.0]]}, "lengths differ"),
    ],
)
def test_files_that_hold_no_vectors(
    frame: dict[str, list[object]], told: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=told):
        read(written(tmp_path, pl.DataFrame(frame)))


def test_no_file_and_no_parquet(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read(tmp_path / "v.parquet")
    (tmp_path / "v.parquet").write_bytes(b"PAR")
    with pytest.raises(UserError, match="no vectors can be read"):
        read(tmp_path / "v.parquet")
