from __future__ import annotations

import math
from pathlib import Path

import polars as pl
import pytest

from cqia import store
from cqia.benchmarks.base import OUTCOMES, Item
from cqia.benchmarks.belle_eval import BelleEval
from cqia.benchmarks.reference_loss import ReferenceLoss
from cqia.benchmarks.safetybench import SafetyBench
from cqia.benchmarks.summary import MACRO, MICRO, interval, summary
from cqia.errors import UserError
from cqia.llm.budget import Price
from cqia.llm.protocol import Choosing, Failure, Outcome
from cqia.llm.scripted import Scripted
from cqia.stages import evaluate as stage
from cqia.stages.evaluate import evaluate, forecast, render_of
from tests.benchmarks.answering import Answering

OPTIONS = ("甲", "乙", "丙")


def items(count: int = 6) -> list[Item]:
    return [
        Item(id=str(n), question=f"第{n}问", group=f"g{n % 2}", options=OPTIONS, gold="A")
        for n in range(count)
    ]


def run(folder: Path, model: Answering | Scripted, **more: object) -> store.Facts:
    given = {"benchmark": SafetyBench(mode="generate"), "items": items()} | more
    return evaluate(folder=folder / "e", model=model, cache=folder / "r.sqlite", **given)  # type: ignore[arg-type]


def table(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / "e" / "outcomes.parquet")


def test_outcomes_and_manifest_hold_to_the_contract(tmp_path: Path) -> None:
    facts = run(tmp_path, Answering(lambda asked: "A", name="m", family="f"))
    assert table(tmp_path).schema == pl.Schema({**OUTCOMES, "official": pl.String})
    assert table(tmp_path)["cluster"].to_list() == [str(n) for n in range(6)]
    assert table(tmp_path)["question"][1] == "第1问\n(A) 甲\n(B) 乙\n(C) 丙"
    wanted = {
        "benchmark": "safetybench", "version": 1, "metric": "accuracy", "direction": "higher",
        "model": "m", "family": "f", "judge": "", "judge_family": "", "n": 6,
        "states": {"read": 6}, "complete": True,
    }  # fmt: skip
    assert {name: facts[name] for name in wanted} == wanted
    assert facts.pop("spent") == 0
    assert store.manifest(tmp_path / "e") == facts
    assert "seconds" not in facts
    assert set(store.read_json(tmp_path / "e" / "timing.json")) == {"seconds", "cost"}


def test_the_same_evaluation_is_not_run_again_and_another_is(tmp_path: Path) -> None:
    model = Answering(lambda asked: "A")
    first = run(tmp_path, model)
    assert first.pop("spent") == 0
    assert run(tmp_path, model) == first
    assert model.asked == 6
    other = [*items(5), Item(id="5", question="别的", group="g1", options=OPTIONS, gold="A")]
    again = run(tmp_path, model, items=other)
    assert again["fingerprint"] != first["fingerprint"]
    assert model.asked == 7


def test_bytes_are_the_same_in_another_folder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        run(tmp_path / name, Answering(lambda asked: "A"))
    one, two = (
        {
            path.name: path.read_bytes()
            for path in (tmp_path / name / "e").iterdir()
            if path.name != "timing.json"
        }
        for name in ("a", "b")
    )
    assert one == two


def test_what_failed_is_counted_and_asked_again(tmp_path: Path) -> None:
    down = Answering(lambda asked: Failure("timeout", "60 s") if "第3" in asked else "A")
    facts = run(tmp_path, down)
    assert facts["states"] == {"failed": 1, "read": 5}
    assert not facts["complete"]
    assert table(tmp_path).row(3, named=True)["reason"] == "timeout: 60 s"
    up = Answering(lambda asked: "A")
    facts = run(tmp_path, up)
    assert (facts["complete"], facts["states"], up.asked) == (True, {"read": 6}, 1)


def test_what_can_never_be_asked_does_not_keep_it_open(tmp_path: Path) -> None:
    model = Answering(lambda asked: Failure("too long") if "第3" in asked else "A")
    facts = run(tmp_path, model)
    assert (facts["complete"], facts["states"]) == (True, {"failed": 1, "read": 5})
    judge = Answering(lambda asked: Failure("too long", "8192"), name="j")
    short = [Item(id="1", question="问", group="math", rubric="评")]
    facts = run(tmp_path, model, benchmark=BelleEval(), items=short, judge=judge)
    assert facts["complete"]


def test_one_budget_holds_for_model_and_judge(tmp_path: Path) -> None:
    asked = [
        Item(id=str(n), question=f"{n}" + "问" * 100, group="math", rubric="评") for n in range(20)
    ]
    price = Price(prompt=1e6 / 1000, reply=0.0)
    more = {"benchmark": BelleEval(), "items": asked, "price": price, "judge_price": price}
    judge = Answering(lambda told: "得分: 1", name="j")
    facts = run(tmp_path, Answering(lambda told: "答"), judge=judge, most=2.0, **more)
    assert not facts["complete"]
    assert facts["states"]["unsent"] > 0
    assert store.read_json(tmp_path / "e" / "timing.json")["cost"] <= 2.0
    assert sum(facts["states"].values()) == 20


def test_prices_in_two_currencies_cannot_be_capped_together(tmp_path: Path) -> None:
    judge = Answering(name="j")
    with pytest.raises(UserError, match="CNY and USD can't be added up"):
        run(
            tmp_path, Answering(), benchmark=BelleEval(), items=[], judge=judge, most=1.0,
            price=Price(prompt=1), judge_price=Price(prompt=1, currency="USD"),
        )  # fmt: skip


class Dumb(Answering):
    async def choose(self, request: Choosing) -> Outcome:
        return Failure("not offered")


def test_a_model_without_log_probabilities_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"tells no log-probabilities.*--mode generate"):
        run(tmp_path, Dumb(name="dumb"), benchmark=SafetyBench())


def test_items_more_than_a_batch_keep_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "BATCH", 4)
    many = [*items(9), Item(id="x", question="", unasked="no key"), *items(0)]
    many.insert(2, Item(id="y", question="", unasked="no key"))
    model = Answering(lambda asked: "A" if "第5" in asked else "B")
    facts = run(tmp_path, model, items=many)
    found = table(tmp_path)
    assert found["item"].to_list() == [one.id for one in many]
    assert found.filter(score=1.0)["item"].to_list() == ["5"]
    assert facts["states"] == {"read": 9, "unasked": 2}


def test_no_items_are_no_bug(tmp_path: Path) -> None:
    facts = run(tmp_path, Answering(), items=[])
    assert (facts["n"], facts["states"], facts["complete"]) == (0, {}, True)
    shown = summary(table(tmp_path), SafetyBench().metric)
    assert shown["mean"].to_list() == [None, None]


def test_ahead_nothing_is_sent(tmp_path: Path) -> None:
    model = Answering(lambda asked: "A")
    more = {"benchmark": SafetyBench(mode="generate"), "model": model}
    cache = tmp_path / "r.sqlite"
    price = Price(prompt=10.0, reply=10.0)
    ahead = forecast(items=items(), cache=cache, price=price, **more)  # type: ignore[arg-type]
    assert (ahead["requests"], ahead["cached"], model.asked) == (6, 0, 0)
    assert ahead["cost_at_most"] == pytest.approx(ahead["tokens_at_most"] * 10 / 1e6)
    run(tmp_path, model)
    ahead = forecast(items=items(), cache=cache, price=price, **more)  # type: ignore[arg-type]
    assert (ahead["requests"], ahead["cached"], ahead["cost_at_most"]) == (0, 6, 0.0)


def test_ahead_the_judge_is_counted_with_the_longest_answer(tmp_path: Path) -> None:
    asked = [Item(id="1", question="问", group="math", rubric="评")]
    ahead = forecast(
        benchmark=BelleEval(max_tokens=500, judge_tokens=100), items=asked, model=Answering(),
        cache=tmp_path / "r.sqlite", judge_price=Price(reply=1e6),
    )  # fmt: skip
    assert ahead["judge_requests"] == 1
    assert ahead["judge_tokens_at_most"] > 600
    assert ahead["cost_at_most"] == pytest.approx(100)


def outcome(score: float | None, group: str = "g", cluster: str = "") -> dict[str, object]:
    state = "unreadable" if score is None else "read"
    return {"group": group, "state": state, "score": score, "cluster": cluster}


def frame(*rows: dict[str, object]) -> pl.DataFrame:
    named = [{**row, "cluster": row["cluster"] or str(n)} for n, row in enumerate(rows)]
    return pl.DataFrame(named, schema_overrides={"score": pl.Float64})


def test_wilsons_interval_by_its_formula() -> None:
    mean, low, high = interval(frame(*[outcome(1.0)] * 8, *[outcome(0.0)] * 2))
    z, n, p = 1.959964, 10, 0.8
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert mean == 0.8
    assert low == pytest.approx(middle - half)
    assert high == pytest.approx(middle + half)


def test_items_of_one_passage_widen_the_interval() -> None:
    alone = frame(*[outcome(float(n % 2)) for n in range(40)])
    held = frame(*[outcome(float(n // 4 % 2), cluster=str(n // 4)) for n in range(40)])
    spread = [high - low for _, low, high in (interval(alone), interval(held))]  # type: ignore[operator]
    assert spread[1] > 1.8 * spread[0]


def test_one_cluster_has_no_interval() -> None:
    mean, *bounds = interval(frame(outcome(0.25, cluster="c"), outcome(0.75, cluster="c")))
    assert (mean, bounds) == (0.5, [None, None])


def test_a_group_without_a_number_leaves_no_mean_of_groups() -> None:
    rows = [outcome(1.0, "a"), outcome(0.5, "a"), outcome(None, "b")]
    shown = summary(frame(*rows), ReferenceLoss().metric)
    means = dict(shown.select("group", "mean").iter_rows())
    assert means == {"a": 0.75, "b": None, MICRO: 0.75, MACRO: None}


def test_a_group_that_nobody_could_ask_is_not_in_the_mean_of_groups_which_says_so() -> None:
    rows = [outcome(1.0, "a"), outcome(0.5, "b"), outcome(None, "c") | {"state": "unasked"}]
    shown = summary(frame(*rows), ReferenceLoss().metric)
    means = dict(shown.select("group", "mean").iter_rows())
    assert means[f"{MACRO}, 2 of 3 groups"] == 0.75
    assert MACRO not in means


@pytest.mark.slow
def test_ten_thousand_items(tmp_path: Path) -> None:
    facts = run(tmp_path, Scripted(), benchmark=SafetyBench(), items=items(10_000))
    assert facts["n"] == 10_000


def test_a_model_that_says_nothing_is_unreadable_and_the_result_complete(tmp_path: Path) -> None:
    facts = run(tmp_path, Answering(lambda asked: Failure("empty")))
    assert (facts["states"], facts["complete"]) == ({"unreadable": 6}, True)
    assert table(tmp_path)["reason"].unique().to_list() == ["the reply is empty"]


def test_a_local_model_reads_through_its_own_template(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="the extra train is not installed")
    from cqia.llm.local import Local
    from tests.llm.tiny import tiny_model

    model = Local(name="tiny", folder=tiny_model(tmp_path / "model"))
    render = render_of(model)
    text = render((("user", "问<|im_end|>"),))
    assert text.endswith("<|im_start|>assistant\n")
    assert text.count("<|im_end|>") == 1
    bare = Local(name="tiny", folder=model.folder, template=False)
    assert render_of(bare)((("user", "问"),)) == "问\n\n"
    asked = [Item(id="1", question="春眠不觉晓", gold="处处闻啼鸟")]
    facts = evaluate(
        folder=tmp_path / "e", benchmark=ReferenceLoss(), items=asked, model=model,
        cache=tmp_path / "r.sqlite",
    )  # fmt: skip
    assert facts["states"] == {"read": 1}
    (row,) = table(tmp_path).iter_rows(named=True)
    assert 0 < row["score"] < 40
    assert row["characters"] == 5
