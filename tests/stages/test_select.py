from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cqia import store
from cqia.decisions import DECISIONS
from cqia.errors import UserError
from cqia.queries.why import why
from cqia.scorers.catalogue import FREE
from cqia.scores import SCORES, folder_of
from cqia.selection.results import folder_of as selection_folder
from cqia.selection.results import made, selected
from cqia.stages.assemble import assemble
from cqia.stages.measure import measure
from cqia.stages.select import METHODS, select
from cqia.stages.selections import compare
from cqia.thresholds import Threshold
from tests.cli.conftest import cli
from tests.workbench import cure, doubles, rows

LETTERS = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳"


def waiting(work: Path, id: str) -> None:
    """Take a record's answer away, as if nobody had answered."""
    for path in (work / "curate" / id.partition("-")[0]).glob("*/kept.parquet"):
        none = pl.when(pl.col("id") == id).then(pl.lit("")).otherwise("output")
        store.write_frame(path, pl.read_parquet(path).with_columns(output=none))


def texts(count: int, seed: int) -> list[str]:
    draw = np.random.default_rng(seed)
    return ["".join(draw.choice(list(LETTERS), 30)) for _ in range(count)]


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Two sources of 40 and 20, three tasks, one record without an answer, two duplicates."""
    place = tmp_path / "work"
    for name, count in (("a", 40), ("b", 20)):
        made = [
            {**row, "output": text, "task_minor": [["问答", "摘要", "翻译"][n % 7 // 3]]}
            for n, (row, text) in enumerate(zip(rows(count), texts(count, count), strict=True))
        ]
        cure(place, name, made)
        waiting(place, f"{name}-k1")
    doubles(place, ["a-k2", "b-k2"])
    return place


def scored(work: Path, said: dict[str, float | None], name: str = "quality@m") -> None:
    """Write what `score` would leave; None: unreadable."""
    kinds = {"id": pl.String, "score": pl.Float64}
    table = pl.DataFrame(list(said.items()), schema=kinds, orient="row").with_columns(
        source=pl.col("id").str.head(1),
        state=pl.when(pl.col("score").is_null())
        .then(pl.lit("unreadable"))
        .otherwise(pl.lit("read")),
    )
    judge, _, model = name.partition("@")
    folder = folder_of(work, judge, model)
    store.begin(folder, "m")
    with store.part(folder, "00000") as place:
        whole = pl.concat([pl.DataFrame(schema=SCORES), table], how="diagonal")
        store.write_frame(place / "scores.parquet", whole)
    store.seal(folder, "m", {"fingerprint": "m", "states": {"read": len(said)}, "complete": True})


def every_score(work: Path) -> dict[str, float | None]:
    ids = [f"{s}-k{n}" for s, count in (("a", 40), ("b", 20)) for n in range(count)]
    return {one: float(n * 7 % 31) for n, one in enumerate(ids)}


def run(work: Path, method: str, amount: int = 12, **more: object) -> store.Facts:
    if method in ("top", "deita") and "score" not in more:
        more["score"] = "quality@m"
    return select(work=work, method=method, amount=amount, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("amount", [1, 12, 999])
def test_every_candidate_is_taken_or_left_with_its_reason(
    method: str, amount: int, work: Path
) -> None:
    scored(work, every_score(work))
    facts = run(work, method, amount)
    chosen = selected(work, method)
    left = pl.read_parquet(selection_folder(work, method) / "left.parquet")
    assert facts["kept"] == 60
    assert facts["candidates"] == facts["selected"] + facts["left"] == 58
    assert len(chosen) == min(amount, 56)
    assert chosen["order"].to_list() == list(range(1, len(chosen) + 1))
    assert chosen["reason"].str.len_chars().min() > 5  # type: ignore[operator]
    both = [*chosen["id"], *left["id"]]
    assert len(both) == len(set(both)) == 58
    assert left["rule"].null_count() == 0
    assert left.filter(rule="NoAnswer")["id"].sort().to_list() == ["a-k1", "b-k1"]


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_reading_changes_nothing_and_the_seed_decides_between_equals(
    method: str, work: Path, tmp_path: Path
) -> None:
    scored(work, dict.fromkeys(every_score(work), 5.0))
    run(work, method, 10)
    first = selected(work, method)
    run(work, method, 10)
    assert selected(work, method).equals(first)
    other = tmp_path / "other"
    other.mkdir()
    for name in ("b", "a"):
        raw = [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()]
        cure(other / "work", name, raw[::-1])
        waiting(other / "work", f"{name}-k1")
    doubles(other / "work", ["b-k2", "a-k2"])
    scored(other / "work", dict.fromkeys(reversed(every_score(work)), 5.0))
    run(other / "work", method, 10)
    assert selected(other / "work", method).equals(first)
    if method != "cover":
        run(work, method, 10, seed=5)
        assert set(selected(work, method)["id"]) != set(first["id"])


def test_unreadable_scores_are_never_zero(work: Path) -> None:
    said = every_score(work)
    said |= {"a-k5": None, "b-k5": None}
    del said["a-k6"]
    scored(work, said)
    for method in ("top", "deita", "cover"):
        facts = run(work, method, 999, score="quality@m", lowest=True)
        assert facts["selected"] == 53
        assert facts["rules"] == {"NoAnswer": 2, "Unscored.quality@m": 3}
        left = pl.read_parquet(selection_folder(work, method) / "left.parquet")
        mine = left.filter(rule="Unscored.quality@m")
        assert mine["value"].to_list() == mine["bound"].to_list() == [None] * 3
        assert selected(work, method)["score"].null_count() == 0


def test_thresholds_leave_with_value_and_bound(work: Path) -> None:
    scored(work, every_score(work))
    limits = [Threshold(judge="quality", model="m", low=10, high=20)]
    facts = run(work, "random", 999, thresholds=limits)
    left = pl.read_parquet(selection_folder(work, "random") / "left.parquet")
    low = left.filter(rule="Score.quality@m")
    assert facts["selected"] + len(low) == 56
    assert all(
        (value < 10 and bound == 10) or (value > 20 and bound == 20)
        for value, bound in low.select("value", "bound").iter_rows()
    )


def test_random_keeps_shares_and_balance_makes_them_equal(work: Path) -> None:
    run(work, "random", 28, stratify="")
    sources = selected(work, "random")["source"].value_counts()
    assert dict(sources.iter_rows()) == {"a": 19, "b": 9}
    run(work, "balance", 15, stratify="task_minor")
    tasks = {reason.rpartition(" of ")[2] for reason in selected(work, "balance")["reason"]}
    assert tasks == {"问答", "摘要", "翻译"}
    counts = selected(work, "balance")["reason"].value_counts()
    assert counts["count"].to_list() == [5, 5, 5]
    run(work, "balance", 30, stratify="task_minor")
    counts = selected(work, "balance")["reason"].value_counts(sort=True)
    assert counts["count"].to_list() == [12, 11, 7]


def test_vectors_stand_for_ngrams(work: Path, tmp_path: Path) -> None:
    scored(work, every_score(work))
    ids = [one for one in every_score(work) if one != "a-k7"]
    draw = np.random.default_rng(0)
    frame = pl.DataFrame({"id": [*ids, "stranger"], "vector": draw.normal(size=(60, 4)).tolist()})
    frame.write_parquet(tmp_path / "v.parquet")
    facts = run(work, "deita", 999, vectors=tmp_path / "v.parquet", bound=0.8)
    assert facts["rules"]["NoVector"] == 1
    own = dict(frame.rows())
    found = np.array([own[one] for one in selected(work, "deita")["id"]])
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    similar = found @ found.T - 2 * np.eye(len(found))
    assert 0.5 < similar.max() < 0.8
    compare(work=work, vectors=tmp_path / "v.parquet")


def test_the_report_stands_beside_random_draws(work: Path) -> None:
    scored(work, every_score(work))
    for method in METHODS:
        run(work, method, 12)
    run(work, "top", 12, name="low", lowest=True)
    found = compare(work=work, seeds=4)
    table = found.tables["selections"]
    names = table["selection"].to_list()
    assert names[:2] == ["candidates", "balance"]
    assert names[-3:] == [f"random of 12: {of} of 4" for of in ("mean", "least", "most")]
    row = {one["selection"]: one for one in table.iter_rows(named=True)}
    assert (row["candidates"]["records"], row["candidates"]["coverage"]) == (56, 1)
    assert row["cover"]["nearest"] > row["random of 12: most of 4"]["nearest"]
    scores = found.tables["scores"].filter(score="quality@m")
    means = {one["selection"]: one for one in scores.iter_rows(named=True)}
    assert means["low"]["high"] < means["random of 12: least of 4"]["mean"]
    assert means["top"]["low"] > means["random of 12: most of 4"]["mean"]
    assert (means["top"]["n"], means["top"]["unscored"]) == (12, 0)
    overlap = {one["selection"]: one for one in found.tables["overlap"].iter_rows(named=True)}
    assert (overlap["top"]["top"], overlap["top"]["low"]) == (1, 0)
    sources = found.tables["by-source"]
    assert sources.filter(source="a")["candidates"].to_list() == [38]
    assert sources["top"].sum() == 12
    files = {path.name for path in (work / "select" / "report").iterdir()}
    assert files == {f"{name}.{kind}" for name in found.tables for kind in ("md", "csv", "json")}
    assert made(work) == sorted([*METHODS, "low"])


def test_a_dataset_is_made_of_a_selection_until_its_records_change(
    work: Path, tmp_path: Path
) -> None:
    run(work, "cover", 12)
    facts = assemble(work=work, selection="cover")
    assert (facts["chosen"], facts["rules"]) == (12, {"NoAnswer": 2, "NotSelected.cover": 44})
    chosen = pl.read_parquet(work / "assemble" / "chosen.parquet")["id"]
    assert set(chosen) == set(selected(work, "cover")["id"])
    with pytest.raises(UserError, match="unknown selection 'covr'"):
        assemble(work=work, selection="covr")
    cure(work, "c", rows(3))
    doubles(work, ["a-k2"])
    with pytest.raises(UserError, match="older than what it was made of"):
        assemble(work=work, selection="cover")
    with pytest.raises(UserError, match="no selection of these records"):
        compare(work=work)
    run(work, "random", 12)
    assert compare(work=work).stale == ["cover"]


def test_what_people_decided_holds(work: Path) -> None:
    """One is turned away by hand, a duplicate comes back, one is mended."""
    (work / "review").mkdir()
    told = [("a-k0", "drop", None), ("a-k2", "restore", None), ("a-k3", "keep", "天地玄黄" * 9)]
    table = pl.DataFrame(told, schema=["id", "verdict", "new_output"], orient="row")
    table = table.with_columns(source=pl.lit("a"), verified=pl.lit(True), raters=1)
    whole = pl.concat([pl.DataFrame(schema=DECISIONS), table], how="diagonal_relaxed")
    store.write_frame(work / "review" / "decisions.parquet", whole)
    facts = run(work, "cover", 999)
    assert (facts["candidates"], facts["selected"]) == (59, 56)
    assert facts["rules"] == {"NoAnswer": 2, "Reviewed": 1}
    ids = selected(work, "cover")["id"].to_list()
    assert "a-k2" in ids
    assert "a-k0" not in ids
    assert assemble(work=work, selection="cover")["chosen"] == 56
    assert compare(work=work).tables["selections"]["records"][0] == 56


def test_why_tells_what_each_selection_did(work: Path) -> None:
    scored(work, every_score(work))
    run(work, "top", 5)
    run(work, "deita", 5, bound=0.001)
    best = selected(work, "top")["id"][0]
    told = {(one.what, one.step): one.detail for one in why(work, best, steps={}).events}
    assert told["selected", "top"].startswith("number 1: score 30")
    left = pl.read_parquet(selection_folder(work, "deita") / "left.parquet")
    refused = left.filter(rule="TooSimilar").row(0, named=True)
    told = {(e.what, e.step): e.detail for e in why(work, refused["id"], steps={}).events}
    assert told["not selected", "deita"].startswith("TooSimilar ")
    assert told["not selected", "deita"].endswith(f"like {refused['other']}")


MISTAKES: list[tuple[dict[str, object], str]] = [
    ({"method": "best"}, "unknown method 'best'"),
    ({"method": "top", "score": ""}, "top needs a score; name one"),
    ({"method": "top", "score": "quality"}, "is no score; write it as SCORER@MODEL"),
    ({"method": "top", "score": "x@m"}, "nothing was scored by x@m; run: cqia score x"),
    ({"method": "random", "amount": 0}, "an amount is 1 or more"),
    ({"method": "random", "score": "quality@m"}, "random uses no score"),
    ({"method": "random", "bound": 0.5}, "a bound is deita's"),
    ({"method": "deita", "bound": 0.0}, "a bound is deita's"),
    ({"method": "random", "stratify": "x"}, "unknown column to stratify by"),
    ({"method": "random", "name": "../x"}, "can't be called '../x'"),
    ({"method": "random", "name": "report"}, "can't be called 'report'"),
    ({"method": "random", "vectors": Path("v")}, "looks at no similarity"),
    ({"method": "cover", "vectors": Path("none.parquet")}, "no such file"),
]


@pytest.mark.parametrize(("asked", "told"), MISTAKES, ids=[told for _, told in MISTAKES])
def test_mistakes(asked: dict[str, object], told: str, work: Path) -> None:
    scored(work, every_score(work))
    with pytest.raises(UserError, match=told):
        run(work, **asked)  # type: ignore[arg-type]
    assert made(work) == []


def test_nothing_to_choose_from(work: Path) -> None:
    scored(work, {})
    facts = run(work, "deita")
    assert (facts["selected"], facts["rules"]) == (0, {"NoAnswer": 2, "Unscored.quality@m": 56})
    assert compare(work=work).tables["overlap"]["deita"].to_list() == [None, None]


def test_from_the_command_line(work: Path) -> None:
    place = ("--work", str(work))
    assert "characters" not in cli("score", "length", *place).output
    for method in ("random", "balance", "cover"):
        cli("select", "--method", method, "--amount", "9", *place)
    told = cli(
        "select", "--method", "top", "--amount", "9", "--score", "length@rules", *place
    ).output
    assert "left: NotTop" in told
    assert "next       cqia assemble --selection top" in told
    table = json.loads(cli("select", "--report", *place, "--format", "json").output)
    assert [one["records"] for one in table[:5]] == [56, 9, 9, 9, 9]
    told = cli("assemble", "--selection", "top", *place).output
    assert "NotSelected.top" in told
    id_ = selected(work, "top")["id"][0]
    assert "selected     top" in cli("why", id_, *place).output


def test_real_answers(data: Path, tmp_path: Path) -> None:
    """Real questions with two models' answers and their scores; docs/selection.md tells more."""
    work = tmp_path / "work"
    pairs: dict[str, float | None] = {}
    made_ = []
    for line in (data / "ruozhiba_qa" / "questions.jsonl").read_text().splitlines():
        one = json.loads(line)
        if len(one["kimi_full_answer"] or "") > 1:
            made_.append({"key": one["id"], "instruction": one["question"],
                          "output": one["kimi_full_answer"]})  # fmt: skip
            pairs[f"a-{one['id']}"] = float(one["original_difficulty_score"])
    cure(work, "a", made_)
    scored(work, pairs)
    measure(work, FREE["ngram"])
    for method in METHODS:
        run(work, method, 200)
    table = compare(work=work).tables["selections"]
    row = {one["selection"]: one for one in table.iter_rows(named=True)}
    assert row["candidates"]["records"] > 1_400
    assert row["cover"]["nearest"] > row["random of 200: most of 5"]["nearest"]
    assert row["top"]["records"] == 200
