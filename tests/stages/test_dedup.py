from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from cqia import store
from cqia.contamination import Benchmark, items
from cqia.errors import UserError
from cqia.sources.generic import Layout, generic
from cqia.stages.curate import curate
from cqia.stages.dedup import dedup

LONG = "水在常压下加热到一百度就会沸腾，变成看不见的水蒸气；高山上气压低，不到一百度水就开了，所以饭不容易煮熟。"
MAP = {"instruction": "q", "output": "a", "key": "k", "votes": "v", "question": "g"}


def add(
    work: Path,
    name: str,
    rows: Sequence[tuple[str, str, str, int | None]],
    *,
    answers: int | None = 1,
) -> None:
    file = work.parent / f"{name}.jsonl"
    file.parent.mkdir(exist_ok=True)
    lines = [
        json.dumps({"k": k, "q": q, "a": a, "v": v, "g": None}, ensure_ascii=False)
        for k, q, a, v in rows
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    layout = Layout(reader="jsonl", map=MAP)
    curate(generic(name=name, layout=layout, steps=(), answers=answers), [str(file)], work=work)


def dropped(work: Path) -> dict[str, tuple[str, str | None]]:
    frame = pl.read_parquet(work / "dedup" / "dropped.parquet")
    return {id: (rule, keeper) for id, rule, keeper in frame.select("id", "rule", "keeper").rows()}


def test_the_better_of_exact_duplicates_stays_whatever_width_script_or_spaces(
    tmp_path: Path,
) -> None:
    work = tmp_path / "w"
    add(work, "a", [("1", "水为什么会开？", LONG, 3)])
    add(work, "b", [("1", "水爲什麼會開 ?", LONG.replace("，", ", "), 9)])
    facts = dedup(work=work)
    assert dropped(work) == {"a-1": ("ExactDuplicate", "b-1")}
    assert facts["read"] == facts["kept"] + facts["dropped"] == 2
    assert facts["across"] == {"a -> b": 1}


def test_one_answer_a_question_unless_the_source_wants_several(tmp_path: Path) -> None:
    rows = [
        (str(n), "怎么学好数学？", f"第{n}种办法" + LONG[n * 9 : n * 9 + 30], n) for n in range(4)
    ]
    add(tmp_path / "w", "one", rows)
    add(tmp_path / "v", "all", rows, answers=None)
    add(tmp_path / "u", "two", rows, answers=2)
    for name in "wvu":
        dedup(work=tmp_path / name)
    assert set(dropped(tmp_path / "w")) == {"one-0", "one-1", "one-2"}
    assert set(dropped(tmp_path / "v")) == set()
    assert set(dropped(tmp_path / "u")) == {"two-0", "two-1"}
    assert dropped(tmp_path / "u")["two-0"] == ("SameQuestion", "two-3")


def test_answers_to_one_question_are_no_near_duplicates_where_several_are_wanted(
    tmp_path: Path,
) -> None:
    rows = [("1", LONG + "？", "是的。", 1), ("2", LONG + "？", "不是。", 2)]
    add(tmp_path / "w", "all", rows, answers=None)
    assert dedup(work=tmp_path / "w")["dropped"] == 0


def test_near_duplicates_leave_the_best_of_a_chain(tmp_path: Path) -> None:
    rows = [
        ("1", "水一", LONG, 1),
        ("2", "水二", LONG.replace("一百度", "100度", 1), 5),
        ("3", "水三", LONG.replace("看不见的", "无色的", 1), 2),
        ("4", "诗", "床前明月光，疑是地上霜。举头望明月，低头思故乡。", 9),
    ]
    add(tmp_path / "w", "a", rows)
    facts = dedup(work=tmp_path / "w", near="output", threshold=0.6)
    assert dropped(tmp_path / "w") == {
        "a-1": ("NearDuplicate", "a-2"),
        "a-3": ("NearDuplicate", "a-2"),
    }
    assert facts["rules"] == {"NearDuplicate": 2}
    frame = pl.read_parquet(tmp_path / "w" / "dedup" / "dropped.parquet")
    assert frame["value"].min() >= 0.6  # type: ignore[operator]
    groups = pl.read_parquet(tmp_path / "w" / "dedup" / "groups.parquet")
    assert groups["id"].to_list() == ["a-1", "a-2", "a-3"]
    assert groups["group"].n_unique() == 1


def test_preference_is_a_parameter(tmp_path: Path) -> None:
    rows = [("1", "问", LONG, 1), ("2", "问", LONG + "就是这样。", 0)]
    add(tmp_path / "w", "a", rows)
    dedup(work=tmp_path / "w", prefer=("length",))
    assert set(dropped(tmp_path / "w")) == {"a-1"}
    dedup(work=tmp_path / "w", prefer=("votes",))
    assert set(dropped(tmp_path / "w")) == {"a-2"}


def test_a_second_run_does_nothing_and_gives_the_same_bytes(tmp_path: Path) -> None:
    add(tmp_path / "w", "a", [("1", "问", LONG, 1), ("2", "问", LONG, 0)])
    first = dedup(work=tmp_path / "w")
    place = tmp_path / "w" / "dedup"
    before = {path.name: path.read_bytes() for path in place.glob("*.*")}
    assert dedup(work=tmp_path / "w") == first
    (place / "manifest.json").unlink()
    dedup(work=tmp_path / "w")
    assert {path.name: path.read_bytes() for path in place.glob("*.*")} == before
    assert not list((tmp_path / "w").glob("near-*"))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"near": "recrod"}, "unknown text to compare 'recrod'; did you mean record"),
        ({"prefer": ("likes",)}, "unknown preference 'likes'"),
        ({"threshold": 70.0}, "a similarity lies between 0 and 1, not at 70"),
        ({"permutations": 100}, "100 permutations can't be cut into 42 bands"),
    ],
)
def test_parameters_that_can_not_be(
    tmp_path: Path, parameters: dict[str, object], message: str
) -> None:
    add(tmp_path / "w", "a", [("1", "问", LONG, 1)])
    with pytest.raises(UserError, match=message):
        dedup(work=tmp_path / "w", **parameters)  # type: ignore[arg-type]


QUESTION = "下列关于水的沸点与海拔高度关系的说法中，正确的一项是哪一项？"
OPTIONS = ["(A)海拔越高沸点越低一些", "(B)海拔越高沸点越高一些"]


def bank(folder: Path, rows: list[object], name: str = "bank.jsonl") -> str:
    path = folder / name
    path.write_text(
        "\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8"
    )
    return str(path)


def test_contamination_sees_through_option_order_width_and_script(tmp_path: Path) -> None:
    work = tmp_path / "w"
    swapped = "下列關於水的沸點與海拔高度關係的説法中,正確的一項是哪一項? A．海拔越高沸點越高一些 B．海拔越高沸點越低一些"
    add(work, "a", [("1", swapped, "选 B", None), ("2", "你好吗？", "我很好。", None)])
    file = bank(
        tmp_path,
        [
            {"question": QUESTION, "options": OPTIONS},
            {"question": "别的题目，与此完全无关的一道题。"},
        ],
    )
    benchmark = Benchmark(name="bank", files=(file,), fields=("question", "options"), threshold=0.9)
    facts = dedup(work=work, benchmarks=[benchmark])
    counts = facts["contamination"]["bank"]
    assert (counts["items"], counts["hits"], counts["items_hit"]) == (2, 1, 1)
    assert facts["dropped"] == 0
    hits = pl.read_parquet(work / "dedup" / "contamination" / "bank.parquet")
    assert hits.select("id", "item", "share").rows() == [("a-1", f"{file}:1", 1.0)]
    assert QUESTION in hits["text"][0]
    assert swapped in hits["record"][0]


def test_contaminated_records_are_dropped_only_when_asked(tmp_path: Path) -> None:
    work = tmp_path / "w"
    add(work, "a", [("1", QUESTION, "A", None)])
    file = bank(tmp_path, [{"question": QUESTION}])
    dedup(work=work, benchmarks=[Benchmark(name="bank", files=(file,), drop=True)])
    assert dropped(work) == {"a-1": ("Contamination.bank", None)}


def test_a_benchmark_s_nested_fields_and_its_mistakes(tmp_path: Path) -> None:
    file = bank(tmp_path, [{"example": [{"q": "甲"}, {"q": "乙"}]}])
    nested = items(Benchmark(name="x", files=(file,), fields=("example.q",)))
    assert [item.segments for item in nested] == [("甲", "乙")]
    with pytest.raises(UserError, match="unknown field 'exampel'; did you mean example"):
        items(Benchmark(name="x", files=(file,), fields=("exampel",)))
    with pytest.raises(UserError, match=r"no\.jsonl: no such file"):
        items(Benchmark(name="x", files=(str(tmp_path / "no.jsonl"),)))


def test_nothing_curated_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing was curated here"):
        dedup(work=tmp_path)


def test_the_order_of_work_does_not_matter(tmp_path: Path) -> None:
    rows = [(str(n), f"问{n}", LONG + str(n), n) for n in range(6)]
    add(tmp_path / "w", "a", rows[:3])
    add(tmp_path / "w", "b", rows[3:])
    add(tmp_path / "v", "b", rows[3:])
    add(tmp_path / "v", "a", rows[:3])
    first, second = dedup(work=tmp_path / "w"), dedup(work=tmp_path / "v")
    assert dropped(tmp_path / "w") == dropped(tmp_path / "v")
    assert first["rules"] == second["rules"]
    assert store.manifest(tmp_path / "w" / "dedup") == first


def test_the_rules_give_the_same_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(3)
    texts = ["".join(rng.choices("天地人日月山水", k=40)) for _ in range(12)]
    rows = [(str(n), f"问{rng.randrange(9)}", rng.choice(texts), n % 5) for n in range(60)]
    found = []
    for place, at_once in (("whole", 2_000_000), ("pieces", 7)):
        monkeypatch.setattr("cqia.duplicates.ROWS", at_once)
        add(tmp_path / place / "w", "t", rows, answers=2)
        dedup(work=tmp_path / place / "w")
        found.append(pl.read_parquet(tmp_path / place / "w/dedup/dropped.parquet"))
    assert found[0]["rule"].n_unique() > 1
    assert found[0].equals(found[1])


def test_more_records_than_rows_can_be_numbered_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tmp_path / "w", "t", [("1", "水为什么会开？", LONG, 3), ("2", "为什么？", LONG, 3)])
    monkeypatch.setattr("cqia.stages.dedup.MOST", 1)
    with pytest.raises(UserError, match="2 records are more"):
        dedup(work=tmp_path / "w")


def test_a_run_with_a_benchmark_is_not_done_again(tmp_path: Path) -> None:
    add(tmp_path / "w", "t", [("1", "水为什么会开？", LONG, 3)])
    bank = tmp_path / "bank.jsonl"
    bank.write_text(json.dumps({"question": LONG}, ensure_ascii=False), encoding="utf-8")
    against = Benchmark(name="bank", files=(str(bank),))
    first = dedup(work=tmp_path / "w", benchmarks=[against])
    told: list[str] = []
    again = dedup(
        work=tmp_path / "w", benchmarks=[against], progress=lambda n, of, what: told.append(what)
    )
    assert again == first
    assert told == []
