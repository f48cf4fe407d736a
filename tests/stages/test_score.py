from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("aiohttp", reason="the extra llm is not installed")

from cqia import store
from cqia.errors import UserError
from cqia.judges.catalogue import JUDGES
from cqia.llm.budget import Price
from cqia.llm.endpoint import Endpoint
from cqia.llm.protocol import Failure, Model, Outcome, Request
from cqia.llm.scripted import Scripted
from cqia.scores import agreement, folder_of, read
from cqia.stages.assemble import assemble
from cqia.stages.score import Scored, forecast, score
from cqia.thresholds import Threshold, threshold
from tests.llm.server import serve
from tests.workbench import cure, rows

QUALITY = JUDGES["quality"]
FREE = Price()


def verdict(number: float) -> str:
    whole = {"分析": "看过了。", "无害": True, "有用": 5, "正确": 5, "完整": 5, "得分": number}
    return json.dumps(whole, ensure_ascii=False)


class Fixed(Scripted):
    """Says by number what each answer is worth, and something else where told to."""

    def __init__(self, said: dict[str, str]) -> None:
        super().__init__(said, name="fixed")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    cure(
        tmp_path / "work", "a", [{**one, "output": f"答案{n}号。"} for n, one in enumerate(rows(6))]
    )
    return tmp_path / "work"


def run(work: Path, model: Model, **more: object) -> Scored:
    return score(work, QUALITY, model, FREE, cache=work.parent / "r.sqlite", **more)  # type: ignore[arg-type]


SAID = {
    "答案0号": verdict(9),
    "答案1号": verdict(3.5),
    "答案2号": "我觉得有8分",
    "答案3号": verdict(8),
    "答案4号": verdict(12),
    "答案5号": verdict(8.5),
}


def test_states_scores_and_replies_are_kept(work: Path) -> None:
    done = run(work, Fixed(SAID))
    assert done.facts["states"] == {"read": 4, "unreadable": 2}
    assert done.facts["complete"]
    table = read(work, "quality", "fixed")
    assert table["score"].to_list() == [9, 3.5, None, 8, None, 8.5]
    assert table["reply"].to_list() == list(SAID.values())
    assert table.filter(state="unreadable")["verdict"].to_list() == [None, None]
    (row,) = agreement(work, "quality", "fixed").iter_rows(named=True)
    assert (row["records"], row["read"], row["unreadable"], row["n"]) == (6, 4, 2, 4)
    assert row["mean"] == pytest.approx((9 + 3.5 + 8 + 8.5) / 4)
    assert row["spread"] is None


def test_a_threshold_moves_without_asking_again(work: Path) -> None:
    model = Fixed(SAID)
    run(work, model)
    sent = model.asked
    left = {}
    for low in (8.0, 3.0):
        facts = assemble(work=work, thresholds=[Threshold(judge="quality", model="fixed", low=low)])
        left[low] = facts["rules"]
        assert facts["chosen"] + facts["left"] == facts["candidates"] == 6
    assert left == {
        8.0: {"Score.quality@fixed": 1, "Unscored.quality@fixed": 2},
        3.0: {"Unscored.quality@fixed": 2},
    }
    kept = Threshold(judge="quality", model="fixed", low=8.0, unscored="keep")
    assert assemble(work=work, thresholds=[kept])["rules"] == {"Score.quality@fixed": 1}
    bounds = pl.read_parquet(work / "assemble" / "left.parquet")
    assert bounds["bound"].to_list() == [8.0]
    assert model.asked == sent


def test_a_second_run_sends_nothing_and_writes_the_same(work: Path) -> None:
    model = Fixed(SAID)
    first = run(work, model)
    folder = folder_of(work, "quality", "fixed")
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert run(work, model).facts == first.facts
    assert model.asked == 6
    store.write_json(folder / store.MANIFEST, {**first.facts, "complete": False})
    again = run(work, model)
    assert (again.tally.cached, again.tally.attempts) == (6, 0)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_what_no_asking_mends_leaves_a_result_complete(work: Path) -> None:
    class Short(Scripted):
        async def generate(self, request: Request) -> Outcome:
            self.asked += 1
            return Failure("too long", "9000 tokens; the model reads 512")

    model = Short(name="short")
    found = run(work, model)
    assert (found.facts["states"], found.facts["complete"]) == ({"failed": 6}, True)
    run(work, model)
    assert model.asked == 6


def test_failed_and_unsent_are_states_and_asked_for_again(work: Path) -> None:
    plans = {"now": "503"}
    with serve(
        lambda asked, _: plans["now"] if "答案3号" in asked else f"say {verdict(7)}"
    ) as stub:
        model = Endpoint(name="stub", url=stub.url, retries=0)
        price = Price(prompt=1e6, reply=1e6)
        place = {"cache": work.parent / "r.sqlite"}
        ahead = forecast(work, QUALITY, model, price, **place)  # type: ignore[arg-type]
        assert (ahead["records"], ahead["requests"], ahead["cached"]) == (6, 6, 0)
        most = ahead["cost_at_most"] / 6 * 3.5
        found = score(work, QUALITY, model, price, most=most, **place)  # type: ignore[arg-type]
        states = found.facts["states"]
        assert states["unsent"] >= 1
        assert not found.facts["complete"]
        assert sum(states.values()) == 6
        assert found.tally.cost <= most
        found = score(work, QUALITY, model, price, **place)  # type: ignore[arg-type]
        assert found.facts["states"] == {"failed": 1, "read": 5}
        row = read(work, "quality", "stub").filter(state="failed").row(0, named=True)
        assert (row["score"], row["reply"]) == (None, None)
        assert row["reason"].startswith("server: 503")
        plans["now"] = f"say {verdict(2)}"
        found = score(work, QUALITY, model, price, **place)  # type: ignore[arg-type]
        assert found.facts["states"] == {"read": 6}
        assert found.facts["complete"]
        assert (found.tally.cached, found.tally.attempts) == (5, 1)
        assert set(stub.paid.values()) == {1}
        assert found.facts["cost"] > found.tally.cost > 0


def test_repeats_show_how_far_they_lie_apart(work: Path) -> None:
    model = Scripted()
    done = run(work, model, repeats=3)
    assert done.facts["states"] == {"read": 18}
    (row,) = agreement(work, "quality", "scripted").iter_rows(named=True)
    assert (row["records"], row["read"], row["n"]) == (6, 18, 6)
    table = read(work, "quality", "scripted")
    each = table.group_by("id").agg(pl.col("score").std())["score"]
    assert row["spread"] == pytest.approx(each.mean())


def test_questions_without_answers_are_unasked(tmp_path: Path) -> None:
    work = tmp_path / "work"
    cure(work, "a", [{**one, "output": "\n\n" if n else "有的"} for n, one in enumerate(rows(3))])
    model = Scripted()
    done = run(work, model)
    assert done.facts["states"] == {"read": 1, "unasked": 2}
    cache = tmp_path / "r.sqlite"
    asked = score(work, JUDGES["instruction"], model, FREE, cache=cache, limit=2)
    assert asked.facts["states"] == {"read": 2}
    labels = score(work, JUDGES["task"], model, FREE, cache=cache)
    assert labels.facts["states"] == {"read": 1, "unasked": 2}
    assert read(work, "task", "scripted")["score"].null_count() == 3


def test_mistakes(work: Path) -> None:
    with pytest.raises(UserError, match="unknown source 'b'"):
        run(work, Scripted(), sources=["b"])
    with pytest.raises(UserError, match="repeats is 1 or more"):
        run(work, Scripted(), repeats=0)
    with pytest.raises(UserError, match="nothing was scored by quality@x"):
        read(work, "quality", "x")
    with pytest.raises(UserError, match="run: cqia score quality --model x"):
        assemble(work=work, thresholds=[threshold("quality@x=8")])
    with pytest.raises(UserError, match="is no threshold"):
        threshold("quality=8")
    run(work, Scripted())
    with pytest.raises(UserError, match="leave or keep"):
        assemble(
            work=work,
            thresholds=[Threshold(judge="quality", model="scripted", low=1, unscored="x")],
        )
