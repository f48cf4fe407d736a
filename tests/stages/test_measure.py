from __future__ import annotations

import math
from pathlib import Path

import pytest

from cqia.errors import UserError
from cqia.llm import protocol
from cqia.llm.protocol import Choosing, Failure, Outcome, Reply, Weight
from cqia.llm.scripted import Scripted
from cqia.scorers.catalogue import FREE, WEIGHED
from cqia.scores import agreement, folder_of, read
from cqia.stages.assemble import assemble
from cqia.stages.measure import forecast, measure, weigh
from cqia.thresholds import Threshold, at_most
from tests.stages.test_select import waiting
from tests.workbench import cure, doubles, rows

LETTERS = "天地玄黄宇宙洪荒日月盈昃辰宿列张"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    made = [{**one, "output": LETTERS[n % 9 :] + f"第{n}号" * 3} for n, one in enumerate(rows(30))]
    cure(tmp_path / "work", "a", made)
    waiting(tmp_path / "work", "a-k3")
    return tmp_path / "work"


def test_measures_stand_in_the_ledger_as_scores_do(work: Path) -> None:
    done = measure(work, FREE["length"])
    assert done.facts["states"] == {"read": 29, "unasked": 1}
    table = read(work, "length", "rules")
    assert table.filter(state="unasked").select("id", "score", "reply").rows() == [
        ("a-k3", None, None)
    ]
    (row,) = agreement(work, "length", "rules").iter_rows(named=True)
    assert (row["records"], row["read"], row["unasked"], row["n"]) == (30, 29, 1, 29)
    limit = Threshold(judge="length", model="rules", low=20)
    facts = assemble(work=work, thresholds=[limit])
    assert facts["chosen"] == table["score"].ge(20).sum()
    assert facts["rules"]["NoAnswer"] == 1


def test_ceilings(work: Path) -> None:
    measure(work, FREE["length"])
    scores = read(work, "length", "rules")["score"]
    both = Threshold(judge="length", model="rules", low=20, high=24, unscored="keep")
    facts = assemble(work=work, thresholds=[both])
    assert facts["chosen"] == scores.is_between(20, 24).sum()
    assert facts["rules"] == {
        "NoAnswer": 1,
        "Score.length@rules": 29 - scores.is_between(20, 24).sum(),
    }
    assert at_most("ifd@proxy-3m=1").high == 1
    with pytest.raises(UserError, match="needs low, high or both"):
        assemble(work=work, thresholds=[Threshold(judge="length", model="rules")])


def test_a_second_run_does_nothing_and_duplicates_are_not_scored(work: Path) -> None:
    doubles(work, ["a-k5"])
    first = measure(work, FREE["ngram"])
    folder = folder_of(work, "ngram", "rules")
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}
    assert measure(work, FREE["ngram"]).facts == first.facts
    after = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}
    assert before == after
    assert "a-k5" not in read(work, "ngram", "rules")["id"].to_list()
    with pytest.raises(UserError, match="4 records have an answer, 20 are needed"):
        measure(work, FREE["ngram"], limit=5)


class Weigher(Scripted):
    """Finds an answer as likely as its length and its question say."""

    def __init__(self, said: dict[str, Outcome] | None = None) -> None:
        super().__init__(name="weigher")
        self.said = said or {}

    async def choose(self, request: Choosing) -> Outcome:
        self.asked += 1
        (answer,) = request.continuations
        for part, outcome in self.said.items():
            if part in answer:
                return outcome
        value = -math.log(2) * len(answer) * (0.5 if request.text else 1)
        return Reply(protocol.told([Weight(value, len(answer))]))


def test_perplexity_and_ifd_through_a_model(work: Path) -> None:
    cache = work.parent / "r.sqlite"
    said: dict[str, Outcome] = {
        "第4号": Failure("server", "503"),
        "第7号": Reply("很难"),
        "第8号": Failure("too long", "300 tokens; the model reads 256"),
    }
    model = Weigher(said)
    ahead = forecast(work, WEIGHED["ifd"], model, cache=cache)
    assert (ahead["records"], ahead["unasked"], ahead["requests"], ahead["cached"]) == (
        30,
        1,
        58,
        0,
    )
    done = weigh(work, WEIGHED["ifd"], model, cache=cache)
    assert done.facts["states"] == {"failed": 2, "read": 26, "unasked": 1, "unreadable": 1}
    assert not done.facts["complete"]
    table = read(work, "ifd", "weigher")
    assert set(table.filter(state="read")["score"]) == {0.5}
    assert table.filter(state="unreadable")["reply"].to_list() == ["很难\n很难"]
    assert table.filter(state="failed")["reason"].to_list()[0] == "server: 503"
    model.said.pop("第4号")
    sent = model.asked
    done = weigh(work, WEIGHED["ifd"], model, cache=cache)
    assert done.facts["states"] == {"failed": 1, "read": 27, "unasked": 1, "unreadable": 1}
    assert done.facts["complete"], "what is too long stays so and need not be asked again"
    assert model.asked - sent == 4
    assert weigh(work, WEIGHED["ifd"], model, cache=cache).tally.asked == 0
    bits = weigh(work, WEIGHED["perplexity"], model, cache=cache)
    assert bits.facts["states"]["read"] == 27
    assert read(work, "perplexity", "weigher")["score"].drop_nulls().to_list() == pytest.approx(
        [1.0] * 27
    )
    assert done.facts["mismatched"] == 0


def test_mismatched_pairs_are_flagged(work: Path) -> None:
    class Contrary(Weigher):
        async def choose(self, request: Choosing) -> Outcome:
            (answer,) = request.continuations
            return Reply(protocol.told([Weight(-9.0 if request.text else -8.0, len(answer))]))

    done = weigh(work, WEIGHED["ifd"], Contrary(), cache=work.parent / "r.sqlite", limit=10)
    assert done.facts["mismatched"] == 9
    facts = assemble(work=work, thresholds=[at_most("ifd@weigher=1")])
    assert facts["rules"]["Score.ifd@weigher"] == 9


def test_a_local_model(work: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the extra train is not installed")
    from cqia.llm.local import Local
    from tests.llm.tiny import tiny_model

    model = Local(name="tiny", folder=tiny_model(tmp_path / "tiny"))
    cache = work.parent / "r.sqlite"
    for name in ("perplexity", "ifd"):
        done = weigh(work, WEIGHED[name], model, cache=cache, limit=6)
        assert done.facts["states"] == {"read": 5, "unasked": 1}
        assert read(work, name, "tiny")["score"].drop_nulls().min() > 0  # type: ignore[operator]
