from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqia import store
from cqia.errors import UserError
from cqia.sampling import components, hold_out, sample, shares
from cqia.stages.assemble import Take, assemble
from tests.workbench import cure, doubles, kept, rows


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Two families: a (2 sources), b (1 source)."""
    work = tmp_path / "work"
    minor = {"task_minor": lambda n: ["甲"] if n % 10 < 7 else ["乙"]}
    cure(work, "one", rows(100, minor), family="a")
    cure(work, "two", rows(50, start=1000), family="a")
    cure(work, "three", rows(30, start=2000), family="b", type="exam")
    return work


def chosen(work: Path) -> pl.DataFrame:
    return pl.read_parquet(work / "assemble" / "chosen.parquet")


def left(work: Path) -> pl.DataFrame:
    return pl.read_parquet(work / "assemble" / "left.parquet")


def test_without_takes_all_kept_records_are_chosen_in_the_order_read(work: Path) -> None:
    facts = assemble(work=work)
    assert chosen(work)["id"].to_list() == [
        *kept(work, "one"),
        *kept(work, "three"),
        *kept(work, "two"),
    ]
    assert facts["splits"] == {"train": 180}
    assert left(work).is_empty()


def test_duplicates_are_no_candidates(work: Path) -> None:
    doubles(work, ["one-k3", "two-k1004"])
    facts = assemble(work=work)
    assert not {"one-k3", "two-k1004"} & set(chosen(work)["id"])
    assert (facts["kept"], facts["duplicates"], facts["candidates"]) == (180, 2, 178)
    assert facts["sources"]["one"]["duplicates"] == {"NearDuplicate": 1}


def test_what_is_left_has_a_rule_and_the_takes_bound(work: Path) -> None:
    facts = assemble(work=work, takes=[Take(source="one", amount=20)])
    assert left(work).columns == ["id", "source", "rule", "bound"]
    tally = left(work).group_by("source", "rule", "bound").len().sort("source").rows()
    assert tally == [
        ("one", "NotSampled", 20.0, 80),
        ("three", "NotTaken", None, 30),
        ("two", "NotTaken", None, 50),
    ]
    assert facts["rules"] == {"NotSampled": 80, "NotTaken": 80}
    assert len(chosen(work)) + len(left(work)) == facts["candidates"] == 180


def test_a_sample_keeps_the_proportions_of_its_strata(work: Path) -> None:
    assemble(work=work, takes=[Take(source="one", amount=10), Take(source="three")])
    texts = pl.concat([pl.read_parquet(p) for p in work.glob("curate/one/*/kept.parquet")])
    minors = texts.join(chosen(work), on="id").explode("task_minor")["task_minor"]
    assert minors.value_counts().sort("task_minor").rows() == [("乙", 3), ("甲", 7)]


def test_a_family_is_sampled_over_its_sources(work: Path) -> None:
    facts = assemble(work=work, takes=[Take(family="a", amount=15, stratify="")])
    assert [facts["sources"][name]["records"] for name in ("one", "two", "three")] == [10, 5, 0]


def test_another_seed_chooses_others_and_the_same_seed_the_same(work: Path) -> None:
    takes = [Take(source="one", amount=30)]
    first = assemble(work=work, takes=takes, seed=1)
    ids = chosen(work)["id"].to_list()
    shutil.rmtree(work / "assemble")
    assert assemble(work=work, takes=takes, seed=1) == first
    assert chosen(work)["id"].to_list() == ids
    assemble(work=work, takes=takes, seed=2)
    assert set(chosen(work)["id"]) != set(ids)


def test_files_are_the_same_bytes_when_made_again(work: Path) -> None:
    def made() -> list[bytes]:
        assemble(work=work, takes=[Take(source="one", amount=30)], validation=0.2, seed=1)
        names = ("chosen.parquet", "left.parquet", "manifest.json")
        return [(work / "assemble" / name).read_bytes() for name in names]

    first = made()
    shutil.rmtree(work / "assemble")
    assert made() == first


def test_a_finished_result_is_not_made_again(work: Path) -> None:
    facts = assemble(work=work)
    (work / "assemble" / "chosen.parquet").unlink()
    assert assemble(work=work) == facts
    assert not (work / "assemble" / "chosen.parquet").exists()
    assemble(work=work, seed=1)
    assert (work / "assemble" / "chosen.parquet").exists()


def test_asking_for_more_than_there_is_takes_all_and_says_so(work: Path) -> None:
    facts = assemble(work=work, takes=[Take(source="three", amount=500)])
    assert facts["chosen"] == 30
    assert [(t["take"], t["asked"], t["available"], t["taken"]) for t in facts["takes"]] == [
        ("source three", 500, 30, 30)
    ]


def test_a_total_is_shared_out_by_weight_after_the_amounts(work: Path) -> None:
    takes = [
        Take(source="three", amount=10),
        Take(source="one", weight=2.0),
        Take(source="two", weight=1.0),
    ]
    facts = assemble(work=work, takes=takes, total=70)
    assert [take["taken"] for take in facts["takes"]] == [10, 40, 20]


def test_a_total_without_takes_samples_everything(work: Path) -> None:
    facts = assemble(work=work, total=18)
    assert [facts["sources"][name]["records"] for name in ("one", "two", "three")] == [10, 5, 3]


def test_characters_are_never_exceeded_and_hardly_missed(work: Path) -> None:
    facts = assemble(work=work, takes=[Take(source="one", amount=500)], unit="characters")
    take = facts["takes"][0]
    assert 500 - 20 < take["taken"] == take["characters"] <= 500
    assert facts["sources"]["one"]["characters"] == take["taken"]
    assert take["available"] > 1000


def test_fifths_of_length_are_sampled_evenly(work: Path) -> None:
    assemble(work=work, takes=[Take(source="one", amount=20, stratify="length")])
    texts = pl.concat([pl.read_parquet(p) for p in work.glob("curate/one/*/kept.parquet")])
    size = texts.select("id", fifth=(pl.col("output").str.len_chars().rank("ordinal") - 1) // 20)
    assert size.join(chosen(work), on="id")["fifth"].value_counts()["count"].to_list() == [4] * 5


@pytest.mark.parametrize(
    ("takes", "more", "said"),
    [
        ([Take()], {}, "either a source or a family"),
        ([Take(source="one", family="a")], {}, "either a source or a family"),
        ([Take(source="oen")], {}, "did you mean one"),
        ([Take(family="z")], {}, "known: a, b"),
        ([Take(source="one"), Take(family="a", amount=1)], {}, "wanted twice"),
        ([Take(source="one", amount=0)], {}, "amount"),
        ([Take(source="one", amount=1, weight=1.0)], {"total": 5}, "without a weight"),
        ([Take(source="one", weight=1.0)], {}, "needs the recipe's total"),
        ([Take(source="one", weight=float("nan"))], {"total": 5}, "above 0"),
        ([Take(source="one")], {"total": 5}, "needs a weight or an amount"),
        (
            [Take(source="one", amount=6), Take(source="two", weight=1)],
            {"total": 5},
            "amounts are 6",
        ),
        ([Take(source="one", amount=4)], {"total": 5}, "amounts are 4"),
        ([Take(source="one", stratify="votes")], {}, "column to stratify by"),
        ([Take(source="one", temperature=0.5)], {}, "a temperature is 1 or more"),
        ([Take(source="one", temperature=2.0)], {"unit": "characters"}, "needs the unit records"),
        ([], {"total": 0}, "total of 0"),
        ([], {"validation": 1.0}, "validation share"),
        ([], {"unit": "tokens"}, "unknown unit"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(
    work: Path, takes: list[Take], more: dict[str, object], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        assemble(work=work, takes=takes, **more)  # type: ignore[arg-type]
    assert not (work / "assemble").exists()


def test_nothing_curated_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing was curated"):
        assemble(work=tmp_path)


def test_a_dedup_older_than_a_source_is_refused(work: Path) -> None:
    doubles(work, [])
    cure(work, "one", rows(5), family="a")
    with pytest.raises(UserError, match="run: cqia dedup"):
        assemble(work=work)


def test_a_duplicate_that_curate_did_not_keep_breaks_the_conservation(work: Path) -> None:
    doubles(work, ["one-nobody"])
    with pytest.raises(RuntimeError, match="180 \\+ 1 != 180"):
        assemble(work=work)
    assert store.manifest(work / "assemble") is None


def test_an_empty_source_is_no_trouble(work: Path) -> None:
    cure(work, "empty", rows(3, {"output": "x"}), family="a")
    facts = assemble(work=work, takes=[Take(family="a", amount=10)], validation=0.5)
    assert facts["sources"]["empty"]["kept"] == 0
    assert facts["chosen"] == 10
    shutil.rmtree(work / "assemble")
    assert assemble(work=work, takes=[Take(source="empty", amount=1)])["chosen"] == 0


def test_each_source_holds_out_its_share(work: Path) -> None:
    facts = assemble(work=work, validation=0.1, seed=3)
    assert [facts["sources"][one]["splits"]["validation"] for one in ("one", "two", "three")] == [
        10,
        5,
        3,
    ]


def test_what_belongs_together_stands_on_one_side(tmp_path: Path) -> None:
    work = tmp_path / "work"
    cure(work, "one", rows(40, {"question": lambda n: f"q{n // 4}"}))
    same = rows(20, {"instruction": lambda n: f"题，{n % 5}！" if n % 2 else f"题{n % 5}"})
    cure(work, "two", same)
    doubles(work, [], [["one-k0", "one-k39"], ["one-k1", "two-k0"]])
    for seed in range(5):
        assemble(work=work, validation=0.3, seed=seed)
        split = dict(chosen(work).select("id", "split").iter_rows())
        assert set(split.values()) == {"train", "validation"}
        for number in range(40):
            assert split[f"one-k{number}"] == split[f"one-k{number // 4 * 4}"]
        for number in range(20):
            assert split[f"two-k{number}"] == split[f"two-k{number % 5}"]
        assert split["one-k0"] == split["one-k39"] == split["one-k1"] == split["two-k0"]


def test_the_same_question_id_in_two_sources_ties_nothing(tmp_path: Path) -> None:
    work = tmp_path / "work"
    asked = {"question": lambda n: str(n % 100)}
    cure(work, "one", rows(20, asked))
    cure(work, "two", rows(20, asked, start=100))
    assemble(work=work, validation=0.5)
    split = dict(chosen(work).select("id", "split").iter_rows())
    assert any(split[f"one-k{n}"] != split[f"two-k{100 + n}"] for n in range(20))


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=20), st.integers(0, 10**7))
def test_shares_add_up(weights: list[float], budget: int) -> None:
    parts = shares(budget, weights)
    assert sum(parts) == budget
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - budget * weight / sum(weights)) < 1.001


POOLS = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 50), st.integers(0, 3)),
    min_size=1,
    max_size=60,
)


@given(POOLS, st.integers(0, 80), st.sampled_from(["records", "characters"]))
def test_a_sample_is_within_its_budget_and_fair(
    rows: list[tuple[str | None, int, int]], budget: int, unit: str
) -> None:
    pool = pl.DataFrame(
        rows, schema={"kind": pl.String, "characters": pl.UInt32, "lot": pl.UInt64}, orient="row"
    ).with_row_index("row")
    for strata in ([], ["kind"]):
        got = sample(pool, budget=budget, unit=unit, strata=strata)
        assert got.n_unique() == len(got)
        assert (
            got.sort().to_list()
            == sample(pool.reverse(), budget=budget, unit=unit, strata=strata).sort().to_list()
        )
        if unit == "characters":
            size = int(pool.filter(pl.col("row").is_in(got.implode()))["characters"].sum())
            assert size <= budget
            assert size > budget - 51 or len(got) == len(pool)
        else:
            assert len(got) == min(budget, len(pool))
            if strata and budget < len(pool):
                taken = pool.filter(pl.col("row").is_in(got.implode()))
                for kind in ("a", "b", None):
                    mine = pl.col("kind").eq_missing(kind)
                    exact = len(pool.filter(mine)) * budget / len(pool)
                    assert abs(len(taken.filter(mine)) - exact) < 1


def test_components_reach_along_chains_of_any_length() -> None:
    count = 3_000
    table = pl.DataFrame(
        {
            "p": [number // 2 for number in range(count)],
            "q": [(number + 1) // 2 for number in range(count)],
        }
    )
    assert components(table, ["p", "q"]).unique().to_list() == [0]
    assert components(table, ["p"]).n_unique() == count // 2
    alone = pl.DataFrame({"p": pl.Series([None, None, 1], dtype=pl.Int64)})
    assert components(alone, ["p"]).to_list() == [0, 1, 2]


def test_a_component_is_held_out_whole_or_not_at_all() -> None:
    table = pl.DataFrame(
        {
            "id": [f"i{number}" for number in range(1000)],
            "source": ["s"] * 1000,
            "tie": [number // 3 for number in range(1000)],
        }
    )
    held = hold_out(table, share=0.1, seed=0, ties=["tie"])
    assert 97 < int(held.sum()) <= 100
    by_tie = table.with_columns(held=held).group_by("tie").agg(pl.col("held").n_unique())
    assert by_tie["held"].max() == 1
    other = hold_out(table, share=0.1, seed=1, ties=["tie"])
    assert held.to_list() != other.to_list()


def test_a_component_too_large_for_the_split_leaves_it_to_others() -> None:
    table = pl.DataFrame(
        {
            "id": [f"i{number}" for number in range(1000)],
            "source": ["s"] * 1000,
            "tie": [max(number - 400, 0) for number in range(1000)],
        }
    )
    for seed in range(20):
        held = hold_out(table, share=0.1, seed=seed, ties=["tie"])
        assert int(held.sum()) == 100
        assert not held.head(400).any()
