from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cqia import ledger, store
from cqia.cleaners.base import Cleaner
from cqia.errors import UserError
from cqia.filters.base import Filter, TextFilter
from cqia.raw import plan as planning
from cqia.recipe import Outcome, Step, apply, keys, parse
from cqia.record import SCHEMA
from cqia.sources.base import Form, Source
from cqia.stages.curate import curate, records_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip(Cleaner):
    def clean(self, text: pl.Expr) -> pl.Expr:
        return text.str.strip_chars()

    def counts(self, text: pl.Expr) -> pl.Expr:
        return pl.struct(spaces=text.str.count_matches(" "))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chars(TextFilter):
    def measure(self) -> pl.Expr:
        return pl.col(self.field).str.len_chars()


@dataclass(frozen=True, slots=True, kw_only=True)
class Likes(Filter):
    def measure(self) -> pl.Expr:
        return pl.col("votes")


STEPS: tuple[Step, ...] = (Strip(), Chars(low=2, high=10), Likes(low=5))


def read_rows(raw: pl.DataFrame) -> pl.DataFrame:
    return raw.select(
        "file",
        "row",
        key=pl.col("k"),
        instruction=pl.col("q"),
        output=pl.col("a"),
        votes=pl.col("v"),
        fault=pl.when(pl.col("q").is_null()).then(pl.lit("no question")),
    )


def source(steps: tuple[Step, ...] = STEPS) -> Source:
    fields = {"k": pl.String, "q": pl.String, "a": pl.String, "v": pl.Int64}
    form = Form(kind="json", read=read_rows, schema=pl.Struct(fields))
    return Source(
        name="test",
        family="test",
        type="social",
        title="测试",
        origin="here",
        licence="none",
        forms=(form,),
        steps=steps,
        labels={"task_major": ["问答"], "answer_from": "llm"},
    )


def write(path: Path, rows: list[object]) -> str:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return str(path)


ROWS: list[object] = [
    {"k": "1", "q": " 问 ", "a": "一二三", "v": 9},
    {"k": "2", "q": "问", "a": "一", "v": 9},
    {"k": "3", "q": "问", "a": "一二三", "v": 1},
    {"k": "4", "q": "问", "a": "一", "v": 1},
    {"k": "5", "q": "问", "a": "一二三"},
    {"k": "6"},
    {"k": "1", "q": "又", "a": "一二三四", "v": 9},
]


def test_every_record_ends_in_one_place_with_its_rule(tmp_path: Path) -> None:
    facts = curate(source(), [write(tmp_path / "x.jsonl", ROWS)], work=tmp_path / "w")
    assert {name: facts[name] for name in ("items", "bad", "read", "kept", "dropped")} == {
        "items": 7,
        "bad": 1,
        "read": 6,
        "kept": 2,
        "dropped": 4,
    }
    assert facts["rules"] == {"SameId": 1, "Chars.output": 2, "Likes": 1}
    assert facts["unmeasured"] == {"Likes": 1}
    assert facts["found"] == {"Strip": 1, "Strip.spaces": 2}
    work = tmp_path / "w"
    kept = ledger.scan(work, "test", "kept").collect()
    assert kept["id"].to_list() == ["test-1", "test-5"]
    assert kept["instruction"].to_list() == ["问", "问"]
    assert kept["task_major"].to_list() == [["问答"], ["问答"]]
    assert kept["answer_from"].to_list() == ["llm", "llm"]
    assert dict(kept.schema) == SCHEMA
    dropped = ledger.scan(work, "test", "dropped").select("id", "rule", "value", "low", "high")
    assert dropped.collect().rows() == [
        ("test-2", "Chars.output", 1.0, 2.0, 10.0),
        ("test-3", "Likes", 1.0, 5.0, None),
        ("test-4", "Chars.output", 1.0, 2.0, 10.0),
        ("test-1~2", "SameId", 2.0, None, 1.0),
    ]
    bad = ledger.scan(work, "test", "bad").select("row", "reason").collect()
    assert bad.rows() == [(6, "no question")]
    changes = ledger.scan(work, "test", "changes").collect()
    assert changes.select("id", "before_instruction", "cleaners", "Strip.spaces").rows() == [
        ("test-1", " 问 ", ["Strip"], 2)
    ]


def test_measures_of_all_filters_are_kept_for_every_record(tmp_path: Path) -> None:
    curate(source(), [write(tmp_path / "x.jsonl", ROWS)], work=tmp_path / "w")
    measures = ledger.scan(tmp_path / "w", "test", "measures").collect()
    assert measures.select("id", "Chars.output", "Likes").rows() == [
        ("test-1", 3, 9),
        ("test-2", 1, 9),
        ("test-3", 3, 1),
        ("test-4", 1, 1),
        ("test-5", 3, None),
        ("test-1~2", 4, 9),
    ]


def digest(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_ids_are_unique_over_parts_and_doing_it_twice_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "TASK_FILES", 1)
    files = [write(tmp_path / f"{name}.jsonl", ROWS) for name in "abc"]
    work = tmp_path / "w"
    facts = curate(source(), files, work=work)
    assert facts["read"] == facts["kept"] + facts["dropped"] == 18
    ids = ledger.scan(work, "test", "measures").select("id").collect()["id"]
    assert ids.n_unique() == 18
    assert facts["rules"]["SameId"] == 13
    before = digest(work)
    (work / "curate" / "test" / "manifest.json").unlink()
    assert curate(source(), files, work=work) == facts
    assert digest(work) == before


def test_the_same_inputs_give_the_same_bytes_with_any_number_of_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "TASK_FILES", 1)
    monkeypatch.setattr("cqia.workers.SMALL", 0)
    files = [write(tmp_path / f"{name}.jsonl", ROWS) for name in "ab"]
    curate(source(), files, work=tmp_path / "one")
    curate(source(), files, work=tmp_path / "two", workers=2)
    one, two = (digest(tmp_path / name / "curate") for name in ("one", "two"))
    assert one == two


def test_a_changed_file_or_recipe_is_done_anew(tmp_path: Path) -> None:
    file = write(tmp_path / "x.jsonl", ROWS)
    work = tmp_path / "w"
    first = curate(source(), [file], work=work)
    again = curate(source((Strip(), Chars(low=1), Likes(low=5))), [file], work=work)
    assert again["fingerprint"] != first["fingerprint"]
    assert again["kept"] == 3
    write(tmp_path / "x.jsonl", ROWS[:1])
    assert curate(source(), [file], work=work)["read"] == 1


def test_a_reader_that_loses_an_item_is_a_bug_and_not_a_smaller_dataset(tmp_path: Path) -> None:
    def lose(raw: pl.DataFrame) -> pl.DataFrame:
        return read_rows(raw).filter(pl.col("instruction").is_not_null())

    form = Form(kind="json", read=lose, schema=source().forms[0].schema)
    (batch,) = planning.read(
        planning.plan([write(tmp_path / "x.jsonl", ROWS)], ["json"])[0], form.schema
    )
    with pytest.raises(RuntimeError, match=r"lost 1 items, the first at .*x\.jsonl:6"):
        records_of(batch, source(), form)


def test_ids_without_a_key_depend_on_the_content_alone(tmp_path: Path) -> None:
    rows: list[object] = [{"q": "甲", "a": "一二"}, {"q": "乙", "a": "一二"}]
    curate(source(), [write(tmp_path / "a.jsonl", rows)], work=tmp_path / "w")
    curate(source(), [write(tmp_path / "b.jsonl", rows[::-1])], work=tmp_path / "v")
    one, two = (
        ledger.scan(tmp_path / name, "test", "measures").select("id").collect()["id"].to_list()
        for name in ("w", "v")
    )
    assert one == two[::-1]
    assert len(set(one)) == 2


def test_no_files_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no files for source test"):
        curate(source(), [], work=tmp_path)


def test_names_of_steps_that_stand_twice_are_numbered() -> None:
    assert keys((Strip(), Chars(), Strip(), Chars(field="input"))) == [
        "Strip",
        "Chars.output",
        "Strip#2",
        "Chars.input",
    ]


def test_a_step_is_rebuilt_from_its_repr_and_nothing_is_evaluated() -> None:
    known: dict[str, type[Step]] = {"Strip": Strip, "Chars": Chars}
    for step in (Strip(fields=("output",)), Chars(low=2, high=10.5)):
        assert parse(repr(step), known) == step
    for text in ("Likes(low=1)", "Chars(low=__import__('os'))", "Chars(", "1", "Chars(width=1)"):
        assert parse(text, known) is None


TEXTS = st.text(alphabet="中文 ab\n，。１", max_size=12)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(TEXTS, TEXTS, st.none() | st.integers(-3, 9)), max_size=20),
    st.none() | st.integers(0, 6),
    st.none() | st.integers(0, 9),
)
def test_read_is_kept_and_dropped_whatever_the_bounds(
    rows: list[tuple[str, str, int | None]], low: int | None, high: int | None
) -> None:
    table = pl.DataFrame(
        [
            {"id": f"test-{n}", "instruction": q, "output": a, "votes": v}
            for n, (q, a, v) in enumerate(rows)
        ],
        schema={name: SCHEMA[name] for name in ("id", "instruction", "output", "votes")},
    )
    records = table.with_columns(
        pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in SCHEMA.items()
        if name not in table.columns
    ).select(*SCHEMA)
    outcome = apply(records, (Strip(fields=("output",)), Chars(low=low, high=high), Likes(low=0)))
    assert sorted([*outcome.kept["id"], *outcome.dropped["id"]]) == sorted(records["id"])
    assert outcome.measures["id"].to_list() == records["id"].to_list()
    for row in outcome.dropped.iter_rows(named=True):
        too_low = row["low"] is not None and row["value"] < row["low"]
        too_high = row["high"] is not None and row["value"] > row["high"]
        assert too_low or too_high
    for value in outcome.kept["output"].str.len_chars():
        assert low is None or value >= low
        assert high is None or value <= high


def test_the_manifest_has_no_clock_in_it(tmp_path: Path) -> None:
    facts = curate(source(), [write(tmp_path / "x.jsonl", ROWS)], work=tmp_path / "w")
    assert not {"seconds", "time", "date", "host"} & set(facts)
    assert store.manifest(tmp_path / "w" / "curate" / "test") == facts


def test_what_stood_before_the_last_turn_is_cleaned_too(tmp_path: Path) -> None:
    from cqia.cleaners.mask_personal_data import MaskPersonalData
    from cqia.sources.generic import Layout, generic

    turns = [
        ("system", "客服电话 13800138000"),
        ("human", "我的手机是13900139000，"),
        ("gpt", "记下了 13900139000。"),
        ("human", "什么时候送到？"),
        ("gpt", "明天。"),
    ]
    row = {"conversations": [{"from": who, "value": what} for who, what in turns]}
    plain = {"conversations": [{"from": "human", "value": "你好"}, {"from": "gpt", "value": "好"}]}
    work = tmp_path / "w"
    made = generic(name="talk", layout=Layout(reader="sharegpt"), steps=(MaskPersonalData(),))
    curate(made, [write(tmp_path / "x.jsonl", [plain, row])], work=work)
    kept = ledger.scan(work, "talk", "kept").collect()
    assert kept["system"].to_list() == ["", "客服电话 [手机号]"]
    assert kept["history"].to_list() == [
        [],
        [{"instruction": "我的手机是[手机号]，", "output": "记下了 [手机号]。"}],
    ]
    changes = ledger.scan(work, "talk", "changes").collect()
    assert changes["id"].to_list() == kept["id"].to_list()[1:]


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz"])
def test_a_file_that_vanishes_or_changes_under_the_reader_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(planning, "TASK_BYTES", 1)
    names = [write(tmp_path / f"{n}.jsonl", ROWS) for n in range(3)]
    if kind == "jsonl.gz":
        for name in names:
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(Path(name).read_bytes()))
        names = [f"{name}.gz" for name in names]
    fresh, calls = Path(names[1]).read_bytes(), iter(range(9))

    def gone(records: pl.DataFrame, steps: tuple[Step, ...]) -> Outcome:
        if next(calls) == 0:
            Path(names[1]).unlink()
        return apply(records, steps)

    monkeypatch.setattr("cqia.stages.curate.apply", gone)
    with pytest.raises(UserError, match=r"can't be read .No such file.*goes on from what is done"):
        curate(source(), names, work=tmp_path / "w")
    Path(names[1]).write_bytes(fresh)

    def other(records: pl.DataFrame, steps: tuple[Step, ...]) -> Outcome:
        Path(names[1]).write_bytes(fresh + b"\n")
        return apply(records, steps)

    monkeypatch.setattr("cqia.stages.curate.apply", other)
    with pytest.raises(UserError, match="changed while it was read"):
        curate(source(), names, work=tmp_path / "w")
    monkeypatch.setattr("cqia.stages.curate.apply", apply)
    Path(names[1]).write_bytes(fresh)
    assert curate(source(), names, work=tmp_path / "w")["items"] == 21
