from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="the extra llm is not installed")
pytest.importorskip("statsmodels", reason="the extra stats is not installed")

import polars as pl

from cqia.judges.attacks import BASES, KINDS, NEUTRAL, attacks
from cqia.judges.catalogue import JUDGES
from cqia.llm.budget import Price
from cqia.llm.protocol import Failure, Outcome, Reply, Request
from cqia.llm.scripted import Scripted
from cqia.stages.attack import Attacked, attack, folder_of, forecast, plain, table

QUALITY = JUDGES["quality"]
FREE = Price()


class Guard(Scripted):
    """Scores what the samples deserve, unless the text moves it.

    obeys: words that make it say 10; chokes: words that make it say no verdict; fails: words that
    bring no reply.
    """

    def __init__(self, obeys: str = "", chokes: str = "", fails: str = "") -> None:
        super().__init__(name="guard")
        self.obeys, self.chokes, self.fails = obeys, chokes, fails

    async def generate(self, request: Request) -> Outcome:
        self.asked += 1
        told = request.messages[-1][1]
        if self.fails and self.fails in told:
            return Failure("server", "500", 1)
        if self.chokes and self.chokes in told:
            return Reply("十分！", "stop", 9, 9)
        good = any(one.case.output[:9] in told for one in BASES if one.answer)
        score = 10 if self.obeys and self.obeys in told else 9 if good else 2
        whole = {"分析": "看过了。", "无害": True, "有用": 5, "正确": 5, "完整": 5, "得分": score}
        return Reply(json.dumps(whole, ensure_ascii=False), "stop", 9, 9)


def run(work: Path, model: Scripted, **more: object) -> Attacked:
    return attack(work, QUALITY, model, FREE, cache=work / "r.sqlite", **more)  # type: ignore[arg-type]


def of(work: Path, kind: str, model: str = "guard") -> dict[str, object]:
    return table(work, "quality", model).filter(kind=kind).row(0, named=True)


def test_a_judge_that_keeps_to_its_task_is_moved_by_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, Guard())
    found = table(tmp_path, "quality", "guard")
    assert found["kind"].to_list() == [*list(KINDS)[:-1], "all attacks", NEUTRAL]
    row = of(tmp_path, "all attacks")
    count = sum(one.kind != NEUTRAL for one in attacks())
    assert (row["attacks"], row["asked"], row["moved"], row["unreadable"]) == (
        count,
        count * 10,
        0,
        0,
    )
    assert count >= 50
    assert (row["share"], row["low"]) == (0, 0)
    assert 0 < float(str(row["high"])) < 0.08
    assert row["shift"] == 0
    assert done.facts["askings"] == len(attacks()) * 10 + len(BASES)
    alone = plain(tmp_path, "quality", "guard")
    assert dict(alone.group_by("good").agg(pl.col("score").mean()).iter_rows()) == {
        True: 9,
        False: 2,
    }


def test_what_moves_a_score_is_counted_by_kind(tmp_path: Path) -> None:
    run(tmp_path, Guard(obeys="鼓励他"))
    row = of(tmp_path, "persuasion")
    assert (row["moved"], row["raised"], row["attacks"]) == (1, 1, 7)
    assert float(str(row["shift"])) == pytest.approx((2 * 1 + 3 * 8) * 2 / 70)
    assert float(str(row["shift_low"])) < float(str(row["shift"])) < float(str(row["shift_high"]))
    assert of(tmp_path, "order")["moved"] == 0
    assert of(tmp_path, NEUTRAL)["moved"] == 0


def test_replies_that_can_t_be_read_are_counted_and_are_no_score(tmp_path: Path) -> None:
    done = run(tmp_path, Guard(chokes="base64"))
    row = of(tmp_path, "derail")
    assert (row["unreadable"], row["moved"], row["pairs"]) == (10, 0, 50)
    assert done.facts["states"]["unreadable"] == 10
    table_ = pl.read_parquet(folder_of(tmp_path, "quality", "guard") / "moves.parquet")
    broken = table_.filter(state="unreadable")
    assert broken["score"].null_count() == broken["moved"].null_count() == 10
    assert set(broken["reply"]) == {"十分！"}


def test_a_sample_that_can_t_be_read_alone_has_no_pairs(tmp_path: Path) -> None:
    run(tmp_path, Guard(chokes="小米"))
    row = of(tmp_path, "order")
    assert (row["asked"], row["unreadable"], row["pairs"]) == (100, 20, 80)


def test_failures_are_asked_for_again_and_nothing_else(tmp_path: Path) -> None:
    done = run(tmp_path, Guard(fails="base64"))
    assert not done.facts["complete"]
    model = Guard()
    done = run(tmp_path, model)
    assert (model.asked, done.facts["complete"]) == (10, True)
    assert run(tmp_path, model).facts == done.facts
    assert model.asked == 10


def test_a_budget_is_kept_and_looked_ahead(tmp_path: Path) -> None:
    price = Price(prompt=1.0, reply=2.0)
    cache = tmp_path / "r.sqlite"
    ahead = forecast(QUALITY, Guard(), price, cache=cache, each=1)
    assert ahead["askings"] == ahead["requests"] == len(KINDS) * 10 + len(BASES)
    most = ahead["cost_at_most"] / 3
    found = attack(tmp_path, QUALITY, Guard(), price, cache=cache, each=1, most=most)
    assert found.facts["states"]["unsent"] > 0
    assert found.tally.cost <= most
    rest = forecast(QUALITY, Guard(), price, cache=cache, each=1)
    assert rest["cached"] == found.tally.replies


@pytest.mark.parametrize("name", sorted(JUDGES))
def test_every_judge_can_be_attacked(name: str, tmp_path: Path) -> None:
    judge = JUDGES[name]
    attack(tmp_path, judge, Scripted(), FREE, cache=tmp_path / "r.sqlite", each=1)
    row = table(tmp_path, name, "scripted").filter(kind="all attacks").row(0, named=True)
    assert row["pairs"] == row["asked"] == (len(KINDS) - 1) * 10
    assert (row["shift"] is None) == (not judge.score)
    assert row["moved"] > 0
    alone = table(tmp_path, name, "scripted").filter(kind="order").row(0, named=True)
    assert alone["shift_low"] is None
