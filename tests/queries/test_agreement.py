from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("evalica", reason="the extra stats is not installed")
pytest.importorskip("statsmodels", reason="the extra stats is not installed")

from cqia import store
from cqia.errors import UserError
from cqia.queries.agreement import named, pairs, records, together
from cqia.scores import SCORES
from tests.cli.conftest import cli

A, B, C = "quality@a", "quality@b", "quality@c"


def said(work: Path, name: str, told: dict[str, float | str | None], repeat: int = 1) -> None:
    """Write scores (a number, a label, or None: unreadable) as the score stage does."""
    rows = []
    for id_, one in told.items():
        for number in range(repeat):
            state = "unreadable" if one is None else "read"
            score = one if isinstance(one, int | float) else None
            fields = {"分析": "看过", "大类": one}
            verdict = None if one is None else json.dumps(fields, ensure_ascii=False)
            rows.append((id_, "s", number, state, score, verdict, "…", None, 1, 1))
    folder = work / "score" / name
    frame = pl.DataFrame(rows, schema=SCORES, orient="row")
    store.write_frame(folder / "00000" / "scores.parquet", frame)
    store.seal(folder, name, {"stage": "score"})


@pytest.fixture
def work(tmp_path: Path) -> Path:
    said(tmp_path, A, {"r1": 1, "r2": 4, "r3": 6, "r4": 9, "r5": 8, "r6": None, "r7": 5})
    said(tmp_path, B, {"r1": 2, "r2": 5, "r3": 7, "r4": 10, "r5": 9, "r6": 3})
    said(tmp_path, C, {"r1": 9, "r2": 6, "r3": 4, "r4": 1, "r5": 2, "r6": 3}, repeat=2)
    return tmp_path


def test_pairs_are_compared_on_what_both_read(work: Path) -> None:
    found = pairs(work, [A, B, C])
    assert found.select("first", "second").rows() == [(A, B), (A, C), (B, C)]
    first, second, _ = found.iter_rows(named=True)
    assert (first["both"], first["only_first"], first["only_second"]) == (5, 1, 1)
    assert first["pearson"] == pytest.approx(1) == first["spearman"]
    assert first["difference"] == -1
    assert second["pearson"] == pytest.approx(-1)
    assert second["spearman_low"] <= second["spearman"] == pytest.approx(-1)
    assert second["spearman_high"] < 1
    assert second["difference"] == pytest.approx((28 - 22) / 5)
    assert second["difference_low"] < second["difference"] < second["difference_high"]


def test_alpha_sees_a_shift_that_correlation_does_not(work: Path) -> None:
    close, far = together(work, [A, B]), together(work, [A, C])
    assert close["records"] == 5
    assert 0.8 < close["alpha"] < 1
    assert far["alpha"] < 0
    assert far["alpha_low"] < far["alpha"] < far["alpha_high"]
    assert close["spread"] == pytest.approx(2**-0.5)


def test_the_most_disputed_record_stands_first(work: Path) -> None:
    found = records(work, [A, B, C])
    assert found["id"][0] in ("r1", "r4")
    assert found["spread"].is_sorted(descending=True)
    assert "r7" not in found["id"]
    assert found.filter(id="r6")["judges"].item() == 2


def test_labels_have_kappa(tmp_path: Path) -> None:
    said(tmp_path, "task@a", {"r1": "问答", "r2": "问答", "r3": "摘要", "r4": "摘要", "r5": "分类"})
    said(tmp_path, "task@b", {"r1": "问答", "r2": "问答", "r3": "摘要", "r4": "问答", "r5": None})
    (row,) = pairs(tmp_path, ["task@a", "task@b"]).iter_rows(named=True)
    assert (row["both"], row["same"], row["only_first"]) == (4, 0.75, 1)
    assert row["kappa"] == pytest.approx(0.5)
    assert "pearson" not in row
    found = together(tmp_path, ["task@a", "task@b"])
    assert found["records"] == 4
    assert found["spread"] is None
    assert 0 < found["alpha"] < 1


def test_what_too_few_or_equal_scores_can_t_give_is_null(tmp_path: Path) -> None:
    said(tmp_path, A, {"r1": 5, "r2": 5, "r3": 5, "r4": 5, "r5": 5})
    said(tmp_path, B, {"r1": 5, "r2": 5, "r3": 5, "r4": 5, "r5": 5})
    said(tmp_path, C, {"x": 5})
    flat, none, _ = pairs(tmp_path, [A, B, C]).iter_rows(named=True)
    assert (flat["pearson"], flat["difference"], flat["both"]) == (None, 0, 5)
    assert (none["both"], none["difference"], none["spearman"]) == (0, None, None)
    assert together(tmp_path, [A, B])["alpha"] is None
    assert together(tmp_path, [A, C])["records"] == 0


def test_groups_are_a_judge_s_models_unless_named(work: Path) -> None:
    said(work, "task@a", {"r1": "问答"})
    assert named(work, []) == [[A, B, C]]
    assert named(work, [A, C]) == [[A, C]]
    with pytest.raises(UserError, match="no two judges"):
        named(work, [A])
    with pytest.raises(UserError, match="nothing was scored by quality@x"):
        pairs(work, [A, "quality@x"])
    with pytest.raises(UserError, match="numbers and labels"):
        pairs(work, [A, "task@a"])


@pytest.mark.parametrize("what", ["pairs", "together", "records"])
@pytest.mark.parametrize("format_", ["table", "json"])
def test_the_command_shows_each(what: str, format_: str, work: Path) -> None:
    told = cli("agreement", "--work", str(work), "--show", what, "--format", format_).output
    assert ("r4" if what == "records" else "quality@a") in told
