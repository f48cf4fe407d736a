from __future__ import annotations

import json
import random
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("sklearn", reason="the extra distil is not installed")

from cqia import store
from cqia.errors import UserError
from cqia.scores import SCORES, folder_of, read
from cqia.stages.assemble import assemble
from cqia.stages.distil import distil
from cqia.thresholds import Threshold
from tests.workbench import cure, rows

GOOD, BAD = "先把材料洗净切好，再用小火慢慢炖煮，最后加盐调味即可。", "哈哈哈哈不知道啊随便吧"


def scored(work: Path, pairs: list[tuple[str, float]], model: str = "judge") -> None:
    """Write what `score` would leave."""
    table = pl.DataFrame(pairs, schema=["id", "score"], orient="row")
    own = {"source": pl.lit("a"), "repeat": pl.lit(0, pl.Int64), "state": pl.lit("read")}
    table = table.with_columns(**own).with_columns(
        **{name: pl.lit(None, kind) for name, kind in SCORES.items() if name not in
           ("id", "score", *own)}
    )  # fmt: skip
    folder = folder_of(work, "quality", model)
    store.begin(folder, "m")
    with store.part(folder, "00000") as place:
        store.write_frame(place / "scores.parquet", table.select(*SCORES).cast(SCORES))  # type: ignore[arg-type]
    store.seal(folder, "m", {"states": {"read": len(pairs)}, "complete": True})


@pytest.fixture
def work(tmp_path: Path) -> Path:
    draw = random.Random(1)
    made = []
    for number, row in enumerate(rows(160)):
        words = list(GOOD if number % 2 else BAD)
        for _ in range(4):
            words.insert(draw.randrange(len(words)), draw.choice("天地玄黄宇宙洪荒日月盈昃"))
        made.append({**row, "output": "".join(words)})
    cure(tmp_path / "work", "a", made)
    return tmp_path / "work"


def test_what_can_be_learnt_is_learnt_and_told(work: Path) -> None:
    scored(work, [(f"a-k{n}", 8.0 + n % 3 / 2 if n % 2 else 2.0 + n % 3 / 2) for n in range(120)])
    done = distil(work, "quality", "judge")
    worth = done.facts["held_out"]
    value, low, high = worth["pearson"]
    assert low <= value <= high
    assert low > 0.9
    assert worth["error"] < worth["error_of_the_mean"] / 2
    assert done.calibration["n"].sum() == worth["learnt_from"] == 120
    tenths = done.calibration["score"].to_list()
    assert max(tenths[:5]) < 4 < 8 < min(tenths[5:])
    assert done.prefilter["good_kept"].to_list() == sorted(
        done.prefilter["good_kept"], reverse=True
    )
    assert done.prefilter["bad_spared"].min() > 0.9  # type: ignore[operator]
    table = read(work, "quality", "distilled-judge")
    assert len(table) == done.facts["records"] == 160
    unseen = {f"a-k{n}": n % 2 for n in range(120, 160)}
    found = {row["id"]: row["score"] > 5 for row in table.iter_rows(named=True)}
    assert all(found[one] == bool(good) for one, good in unseen.items())
    facts = assemble(
        work=work, thresholds=[Threshold(judge="quality", model="distilled-judge", low=5)]
    )
    assert facts["chosen"] == 80


def test_noise_is_told_as_noise(work: Path) -> None:
    draw = random.Random(2)
    scored(work, [(f"a-k{n}", float(draw.randint(1, 10))) for n in range(160)])
    worth = distil(work, "quality", "judge").facts["held_out"]
    _, low, high = worth["spearman"]
    assert low < 0.1
    assert high < 0.4
    assert worth["error"] > 0.8 * worth["error_of_the_mean"]


@pytest.mark.parametrize("scores", [[5.0] * 160, [1.0, 9.0] * 20])
def test_too_little_to_learn_from(scores: list[float], work: Path) -> None:
    scored(work, [(f"a-k{n}", one) for n, one in enumerate(scores)])
    with pytest.raises(UserError, match="needed to learn from; score more"):
        distil(work, "quality", "judge")
    with pytest.raises(UserError, match="nothing was scored by quality@x"):
        distil(work, "quality", "x")


def test_real_scores_of_real_answers(data: Path, tmp_path: Path) -> None:
    """docs/models.md tells these figures."""
    lines = (data / "ruozhiba_qa" / "questions.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    made = [
        {"key": f"k{n}", "instruction": one["question"], "output": one["kimi_full_answer"]}
        for n, one in enumerate(found)
        if len(one["kimi_full_answer"] or "") > 1
    ]
    cure(tmp_path / "work", "a", made)
    pairs = [(f"a-k{n}", float(one["original_difficulty_score"])) for n, one in enumerate(found)]
    scored(tmp_path / "work", pairs)
    worth = distil(tmp_path / "work", "quality", "judge").facts["held_out"]
    value, low, high = worth["pearson"]
    assert 0.35 < low < value < high < 0.5
    assert worth["error"] < worth["error_of_the_mean"]
