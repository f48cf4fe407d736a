import json
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqia import experiment, store
from cqia.errors import UserError
from cqia.ledger import scan
from cqia.play import play
from cqia.raw.plan import plan, read
from cqia.recipe import apply
from cqia.sources.base import Source
from cqia.sources.generic import READERS, Layout, generic
from cqia.stages.assemble import assemble, export
from cqia.stages.curate import curate, records_of

ROOT = Path(__file__).parents[2]
QA = {"instruction": "q", "output": "a"}
Found = tuple[list[dict[str, Any]], list[tuple[int, str]]]


def made(reader: str, **given: Any) -> Source:  # noqa: ANN401
    map_, templates = given.pop("map", {}), tuple(given.pop("templates", ()))
    return generic(name="t", layout=Layout(reader=reader, map=map_, templates=templates), **given)


def found(source: Source, *files: Path, columns: tuple[str, ...] = ()) -> Found:
    """The records, and the bad items' rows and reasons."""
    good, bad = [], []
    for task in plan([str(file) for file in files], {source.forms[0].kind}):
        for batch in read(task, source.forms[0].schema, columns):
            records, faults = records_of(batch, source, source.forms[0])
            good += records.to_dicts()
            bad += faults.select("row", "reason").rows()
    return good, bad


def lines(place: Path, *rows: object) -> Path:
    path = place / "x.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def text(place: Path, name: str, body: str) -> Path:
    (place / name).write_text(body, "utf-8")
    return place / name


def share(order: str, *texts: str | None) -> dict[str, Any]:
    names = {"u": "human", "a": "gpt", "s": "system", "t": "tool"}
    values = texts or [f"{who}{number}" for number, who in enumerate(order)]
    pairs = zip(order, values, strict=True)
    return {"conversations": [{"from": names[who], "value": value} for who, value in pairs]}


def told(order: str) -> dict[str, Any]:
    names = {"human": "user", "gpt": "assistant", "system": "system"}
    turns = share(order)["conversations"]
    return {"messages": [{"role": names[one["from"]], "content": one["value"]} for one in turns]}


# JSON with a mapping


def test_fields_inside_objects_numbers_and_labels(tmp_path: Path) -> None:
    path = lines(
        tmp_path,
        {"q": "问", "a": {"t": {"v": "答"}}, "id": 12, "likes": 7, "day": "2023/3/8", "x": [1]},
        {"q": 1.5, "a": {"t": {"v": True}}, "id": "十二", "likes": "many", "day": "soon"},
    )
    names = {"key": "id", "votes": "likes", "date": "day"}
    labels: dict[str, object] = {"task_major": ["问答"], "answer_from": "llm"}
    source = made(
        "jsonl",
        map={"instruction": "q", "output": "a.t.v", **names},
        labels=labels,
        licence="MIT",
    )
    good, bad = found(source, path)
    assert bad == []
    first, second = good
    assert (first["id"], first["output"], first["votes"], str(first["date"])) == (
        *("t-12", "答", 7),
        "2023-03-08",
    )
    assert (second["instruction"], second["output"]) == ("1.5", "true")
    assert (second["votes"], second["date"]) == (None, None)
    assert second["id"].startswith("t-")
    for record in good:
        assert (record["task_major"], record["answer_from"], record["licence"]) == (
            *(["问答"], "llm"),
            "MIT",
        )
        assert (record["input"], record["history"], record["human_verified"]) == ("", [], False)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"a": {"t": "答"}}, "no instruction (field 'q' is missing or empty)"),
        ({"q": " \u3000", "a": {"t": "答"}}, "no instruction (field 'q' is missing or empty)"),
        ({"q": "问", "a": {"t": None}}, "no output (field 'a.t' is missing or empty)"),
        ({"q": "问", "a": None}, "no output (field 'a.t' is missing or empty)"),
        ({"q": "问"}, "no output (field 'a.t' is missing or empty)"),
        (
            {"q": "问", "a": [{"t": "答"}]},
            "field 'a': Struct({'t': String}) is needed, this is an array",
        ),
        ({"q": {"x": 1}, "a": {"t": "答"}}, "field 'q': String is needed, this is an object"),
        (["问", "答"], "a JSON object is needed, this is an array"),
        (None, "a JSON object is needed, this is null"),
    ],
)
def test_a_bad_row_says_why_and_its_neighbours_stay(
    row: object, reason: str, tmp_path: Path
) -> None:
    fine = {"q": "问", "a": {"t": "答"}}
    source = made("jsonl", map={"instruction": "q", "output": "a.t"})
    good, bad = found(source, lines(tmp_path, fine, row, fine))
    assert bad == [(2, reason)]
    assert [one["row"] for one in good] == [1, 3]


@pytest.mark.parametrize(
    ("day", "date"),
    [
        ("2023-03-08", "2023-03-08"),
        ("2023-03-08T23:59:59+08:00", "2023-03-08"),
        ("2023.3.8", "2023-03-08"),
        ("2023年3月8日", "2023-03-08"),
        ("2023-02-30", "None"),
        ("08/03/2023", "None"),
        ("", "None"),
        (None, "None"),
    ],
)
def test_a_date_does_not_depend_on_its_neighbours(
    day: str | None, date: str, tmp_path: Path
) -> None:
    row = {"q": "问", "a": "答", "d": day}
    source = made("jsonl", map={**QA, "date": "d"})
    other = {"q": "问", "a": "答", "d": "2020/1/2"}
    for path in (lines(tmp_path, row), lines(tmp_path, row, other)):
        assert str(found(source, path)[0][0]["date"]) == date


# Alpaca


def test_alpaca_rows_with_input_system_and_history(tmp_path: Path) -> None:
    full = {"instruction": "问", "input": "文", "output": "答", "system": "命", "extra": 1}
    (tmp_path / "x.json").write_text(
        json.dumps([full | {"history": [["早", "好"], ["吃了？", None]]}, {**full, "input": None}])
    )
    good, bad = found(made("alpaca"), tmp_path / "x.json")
    assert bad == []
    assert [one["input"] for one in good] == ["文", ""]
    assert good[0]["system"] == "命"
    assert good[0]["history"] == [
        {"instruction": "早", "output": "好"},
        {"instruction": "吃了？", "output": None},
    ]
    assert good[1]["history"] == []


@pytest.mark.parametrize("history", [[["早"]], [["早", "好", "再见"]], ["早", "好"], [[]], [None]])
def test_a_history_of_anything_but_pairs_is_bad(history: object, tmp_path: Path) -> None:
    row = {"instruction": "问", "output": "答", "history": history}
    _, bad = found(made("alpaca"), lines(tmp_path, row))
    assert bad == [(1, "history must hold pairs of question and answer")]


def test_an_alpaca_row_without_output_is_bad(tmp_path: Path) -> None:
    _, bad = found(made("alpaca"), lines(tmp_path, {"instruction": "问", "output": ""}))
    assert bad == [(1, "no output (field 'output' is missing or empty)")]


def test_a_mapping_renames_what_a_form_has(tmp_path: Path) -> None:
    row = {"instruction": "问", "output": "旧", "answer": "新", "uid": 3}
    source = made("alpaca", map={"output": "answer", "key": "uid"})
    (record,), _ = found(source, lines(tmp_path, row))
    assert (record["id"], record["output"]) == ("t-3", "新")


# Conversations


@pytest.mark.parametrize("make", [share, told])
@pytest.mark.parametrize("order", ["ua", "sua", "uaua", "suauaua"])
def test_the_last_exchange_is_the_record_and_the_others_its_history(
    make: Callable[[str], dict[str, Any]], order: str, tmp_path: Path
) -> None:
    reader = "sharegpt" if make is share else "messages"
    (record,), bad = found(made(reader), lines(tmp_path, make(order)))
    assert bad == []
    texts = [f"{who}{number}" for number, who in enumerate(order) if who != "s"]
    history = [turn for pair in record["history"] for turn in pair.values()]
    assert [*history, record["instruction"], record["output"]] == texts
    assert record["system"] == ("s0" if order[0] == "s" else "")


@pytest.mark.parametrize("order", ["aua", "uu", "u", "a", "uau", "uaa", "ssua", "uas", "s", "uta"])
def test_another_order_is_a_fault(order: str, tmp_path: Path) -> None:
    _, bad = found(made("sharegpt"), lines(tmp_path, share(order), share("ua")))
    seen = order.replace("t", "?")
    assert bad == [(1, f"turns must be question and answer in turn, these are {seen}")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({}, "no turns (field 'conversations' is missing or empty)"),
        ({"conversations": None}, "no turns (field 'conversations' is missing or empty)"),
        ({"conversations": []}, "no turns (field 'conversations' is missing or empty)"),
        (share("ua", "问", ""), "the last answer is empty"),
        (share("ua", "问", None), "the last answer is empty"),
        (share("uaua", "问", "答", "\n", "答"), "the last question is empty"),
        (
            {"conversations": [None, *share("ua")["conversations"]]},
            "turns must be question and answer in turn, these are ?ua",
        ),
        (
            {"conversations": [{"value": "问"}, *share("a")["conversations"]]},
            "turns must be question and answer in turn, these are ?a",
        ),
    ],
)
def test_a_faulty_conversation_says_why(row: object, reason: str, tmp_path: Path) -> None:
    assert found(made("sharegpt"), lines(tmp_path, row)) == ([], [(1, reason)])


def test_an_empty_system_turn_does_not_cost_the_history(tmp_path: Path) -> None:
    row = share("suaua", None, "早", "好", "问", "答")
    (record,), _ = found(made("sharegpt"), lines(tmp_path, row))
    assert record["history"] == [{"instruction": "早", "output": "好"}]
    assert record["system"] == ""


def test_a_system_text_may_stand_beside_the_turns(tmp_path: Path) -> None:
    beside = share("ua") | {"system": "旁"}
    good, _ = found(made("sharegpt"), lines(tmp_path, beside, share("sua") | {"system": "旁"}))
    assert [one["system"] for one in good] == ["旁", "s0"]


def test_fields_named_like_the_reader_s_own_columns_are_mapped(tmp_path: Path) -> None:
    row = share("ua") | {"order": "甲", "texts": "乙"}
    source = made("sharegpt", map={"key": "order", "metadata": "texts"})
    (record,), _ = found(source, lines(tmp_path, row))
    assert record["metadata"] == "乙"


def test_a_conversation_alone_is_read_as_among_others(tmp_path: Path) -> None:
    rows = [share(order) for order in ("ua", "suaua", "aua", "uauaua", "u")] + [{}]
    source = made("sharegpt")
    together, bad = found(source, lines(tmp_path, *rows))
    alone = [found(source, lines(tmp_path, row)) for row in rows]
    apart = [record for good, _ in alone for record in good]
    drop = {"row", "id"}
    assert [{k: v for k, v in one.items() if k not in drop} for one in apart] == [
        {k: v for k, v in one.items() if k not in drop} for one in together
    ]
    assert sum(len(faults) for _, faults in alone) == len(bad) == 3


# Tables


def test_csv_with_a_header(tmp_path: Path) -> None:
    path = text(
        tmp_path, "x.csv", '\ufeffq,a,n\r\n问,"答\n二",3\r\n"问，""二""",,4\r\n问三,答,5\r\n'
    )
    good, bad = found(made("csv", map={**QA, "votes": "n"}), path)
    assert bad == [(4, "no output (field 'a' is missing or empty)")]
    assert [(one["row"], one["output"], one["votes"]) for one in good] == [
        (2, "答\n二", 3),
        (5, "答", 5),
    ]


def test_csv_without_a_header(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes("问,答\n问二\n问三,答三\n".encode("gb18030"))
    good, bad = found(made("csv", map=QA), tmp_path / "x.csv", columns=("q", "a"))
    assert [one["output"] for one in good] == ["答", "答三"]
    assert bad == [(2, "1 columns, 2 are needed")]


@pytest.mark.parametrize(
    ("header", "map_", "message"),
    [
        ("question,a", QA, r"x\.csv:2: unknown column 'q'; known: a, question"),
        ("qu,a", {"instruction": "que", "output": "a"}, r"unknown column 'que'; did you mean qu\?"),
        ("q,a", {"instruction": "q.t", "output": "a"}, r"x\.csv:2: there is no 'q\.t': 'q' is Str"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_its_place(
    header: str, map_: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        found(made("csv", map=map_), text(tmp_path, "x.csv", f"{header}\n1,2\n"))


def test_parquet_with_columns_inside_columns(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    rows = [{"q": 1, "a": {"t": "答"}, "l": ["x"], "a.b": "点"}, {"q": None, "a": None, "l": None}]
    pl.DataFrame(rows).write_parquet(path)
    names = {"instruction": "q", "output": "a.t", "metadata": "a.b"}
    (record,), bad = found(made("parquet", map=names), path)
    assert (record["instruction"], record["output"], record["metadata"]) == ("1", "答", "点")
    assert bad == [(2, "no instruction (field 'q' is missing or empty)")]
    for field, message in {
        "l": r"x\.parquet:1: column 'l' is List\(String\), single values are needed; map a field",
        "l.t": r"x\.parquet:1: there is no 'l\.t': 'l' is List\(String\)",
        "a": r"column 'a' is Struct\(.*\), single values are needed",
        "a.u": r"there is no 'a\.u': 'a' is Struct",
    }.items():
        with pytest.raises(UserError, match=message):
            found(made("parquet", map={"instruction": "q", "output": field}), path)


# Pages


def test_text_files_are_named_by_their_file(tmp_path: Path) -> None:
    files = [text(tmp_path, f"{name}.txt", "正文。") for name in ("潮汐", "第1.2节")]
    good, bad = found(made("text"), *files, text(tmp_path, "空.txt", " \n"))
    assert [(one["instruction"], one["output"]) for one in good] == [
        ("潮汐", "正文。"),
        ("第1.2节", "正文。"),
    ]
    assert bad == [(1, "the file is empty")]


def test_wiki_pages_with_their_number_as_key(tmp_path: Path) -> None:
    page = "<page><title>{}</title><ns>0</ns><id>{}</id><revision><text>{}</text></revision></page>"
    body = (
        page.format("灯塔", 7, "灯塔是……") + page.format("空页", 8, "") + page.format("", 9, "无题")
    )
    path = text(tmp_path, "x.xml", f"<mediawiki>{body}</mediawiki>")
    source = made("mediawiki", map={"key": "page"}, templates=["请介绍{title}。"])
    (record,), bad = found(source, path)
    assert (record["id"], record["instruction"]) == ("t-7", "请介绍灯塔。")
    assert bad == [
        (2, "the page has no text"),
        (3, "no title (field 'title' is missing or empty)"),
    ]


def test_html_pages_by_their_main_text(tmp_path: Path) -> None:
    story = "".join(f"<p>第{number}段说的是灯塔怎样给夜里的船指路。</p>" for number in range(9))
    head = "<title>灯塔</title>"
    page = text(tmp_path, "a.html", f"<html><head>{head}</head><body>{story}</body></html>")
    bare = text(tmp_path, "b.html", f"<html><head>{head}</head><body></body></html>")
    (record,), bad = found(made("html", templates=["介绍{title}"]), page, bare)
    assert record["instruction"] == "介绍灯塔"
    assert "第8段" in record["output"]
    assert bad == [(1, "no main text was found")]
    assert found(made("html"), page)[0][0]["instruction"] == "灯塔"


def test_html_pages_by_selectors(tmp_path: Path) -> None:
    page = """<title>站</title><h1>灯塔</h1><span class=time>2020年3月4日 08:00</span>
    <div class=ad>广告</div><div class=text><p>灯塔<b>指路</b>。</p><ul><li>一</ul></div>"""
    path = text(tmp_path, "a.html", page)
    bare = text(tmp_path, "b.html", "<h1>空</h1>")
    chosen = {"title": "h1", "output": "div.text", "date": ".time", "metadata": "div.none"}
    (record,), bad = found(made("html", map=chosen, templates=["介绍{title}"]), path, bare)
    assert (record["instruction"], record["output"]) == ("介绍灯塔", "灯塔**指路**。\n\n- 一")
    assert record["date"] == date(2020, 3, 4)
    assert bad == [(1, "no main text was found")]
    with pytest.raises(UserError, match=r"'a\[\[' is no CSS selector; mend map.output"):
        found(made("html", map={"output": "a[["}), path)


# Templates


def test_templates_are_filled_by_content_and_not_by_place(tmp_path: Path) -> None:
    rows = [{"n": f"词{number} $1 {{x}}", "a": "义"} for number in range(40)]
    source = made(
        "jsonl", map={"title": "n", "output": "a"}, templates=["{title}是什么？", "说说{title}。"]
    )
    good, _ = found(source, lines(tmp_path, *rows))
    wordings = {
        one["instruction"].replace(row["n"], "_") for one, row in zip(good, rows, strict=True)
    }
    assert wordings == {"_是什么？", "说说_。"}
    (tmp_path / "other").mkdir()
    moved, _ = found(source, lines(tmp_path / "other", *reversed(rows)))
    assert {one["id"] for one in moved} == {one["id"] for one in good}


def test_a_row_without_what_its_template_needs_is_bad(tmp_path: Path) -> None:
    source = made(
        "jsonl", map={"title": "n", "output": "a", "key": "k"}, templates=["{title}是什么？"]
    )
    good, bad = found(source, lines(tmp_path, {"a": "义"}, {"n": "词", "a": "义"}))
    assert bad == [(1, "no title (field 'n' is missing or empty)")]
    assert good[0]["instruction"] == "词是什么？"


def test_a_title_is_the_instruction_where_nothing_else_is(tmp_path: Path) -> None:
    source = made("jsonl", map={"title": "n", "output": "a"})
    assert found(source, lines(tmp_path, {"n": "词", "a": "义"}))[0][0]["instruction"] == "词"


# What can't be


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"reader": "jsnol"}, r"unknown reader 'jsnol'; did you mean jsonl\?"),
        ({"reader": "csv"}, r"reader 'csv' needs to know .*; add map = \{ instruction"),
        ({"reader": "jsonl", "map": {"answer": "a"}}, "unknown record column 'answer'"),
        ({"reader": "jsonl", "map": {"instruction": "a..b"}}, r"'a\.\.b' is no field"),
        ({"reader": "jsonl", "map": {"instruction": ""}}, "'' is no field for 'instruction'"),
        (
            {"reader": "text", "templates": ["说说{titel}"]},
            r"unknown slot of a template 'titel'; did you mean title\?",
        ),
        ({"reader": "alpaca", "templates": ["{output}"]}, "templates make the instruction, and"),
        ({"reader": "text", "type": "news"}, "unknown type 'news'; known: exam, knowledge"),
        ({"reader": "text", "family": "../up"}, r"'\.\./up' is no name for a source or a family"),
    ],
)
def test_a_layout_that_can_not_be_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        made(given.pop("reader"), **given)


@pytest.mark.parametrize("name", ["", "a/b", "..", "a b"])
def test_a_name_that_is_no_folder_s_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="is no name for a source"):
        generic(name=name, layout=Layout(reader="text"))


@pytest.mark.parametrize("reader", READERS)
def test_an_empty_frame_is_read(reader: str) -> None:
    kind = READERS[reader]
    (form,) = made(reader, map={} if kind in ("html", "mediawiki", "text") else QA).forms
    own = {"mediawiki": ("title", "text"), "text": ("text",), "html": ("html",)}
    fields = (
        dict(form.schema.to_schema())
        if form.schema
        else dict.fromkeys(own.get(kind, "qa"), pl.String)
    )
    empty = pl.DataFrame(schema={**fields, "file": pl.String, "row": pl.Int64})
    assert form.read(empty).is_empty()


# Through the stages


def test_conversations_come_out_of_the_exporters_as_they_went_in(tmp_path: Path) -> None:
    work, out = tmp_path / "work", tmp_path / "out"
    rows = [told("suaua"), told("uaua")]
    rows[1]["messages"][0]["content"] = "另一个开头"
    source = generic(name="t", layout=Layout(reader="messages"), steps=())
    curate(source, [str(lines(tmp_path, *rows))], work=work)
    assemble(work=work)
    export(work=work, folder=out, formats=["messages", "alpaca"])
    (file,) = (out / "messages").glob("*.jsonl")
    read_back = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert sorted(map(str, read_back)) == sorted(map(str, rows))
    (file,) = (out / "alpaca").glob("*-turns.jsonl")
    again, bad = found(made("alpaca"), file)
    assert bad == []
    kept = scan(work, "t", "kept").collect().to_dicts()
    columns = ("instruction", "input", "output", "system", "history")
    assert sorted(str([one[c] for c in columns]) for one in again) == sorted(
        str([one[c] for c in columns]) for one in kept
    )


def test_all_answers_are_kept_where_answers_is_none(tmp_path: Path) -> None:
    from cqia.stages.dedup import dedup

    path = lines(
        tmp_path, *[{"q": "哪里好玩？", "a": answer} for answer in ("海边", "山里", "湖上")]
    )
    for answers, left in ((1, 1), (2, 2), (None, 3)):
        work = tmp_path / f"work{answers}"
        curate(made("jsonl", map=QA, steps=(), answers=answers), [str(path)], work=work)
        assert dedup(work=work)["kept"] == left


def test_a_finished_source_is_not_read_again_when_its_toml_moves(tmp_path: Path) -> None:
    block = '[[source]]\nname = "t"\nreader = "alpaca"\nfiles = ["x.jsonl"]\n'
    lines(tmp_path, {"instruction": "问", "output": "答案"})
    marks = set()
    for number, before in enumerate(("", "# a comment\n\n")):
        toml = text(tmp_path, f"{number}.toml", before + block)
        for _ in play(experiment.read(toml, work=tmp_path / "work")):
            pass
        marks.add((store.manifest(tmp_path / "work" / "curate" / "t") or {})["fingerprint"])
    assert len(marks) == 1


# The samples

FATES = {
    "home_tips": (8, {"Refusals.output": 1}, 1),
    "helpdesk": (8, {"NearEmpty.output": 1}, 1),
    "clinic": (8, {"NearEmpty.output": 1, "Refusals.output": 1}, 1),
    "law_faq": (9, {"Length.instruction": 1, "Refusals.output": 1}, 1),
    "glossary": (8, {"NearEmpty.output": 1}, 1),
}
"""Source -> items, dropped by rule, bad items."""


@pytest.mark.parametrize("name", FATES)
def test_the_samples_meet_their_fates(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    demo = experiment.read(ROOT / "experiments" / "demo.toml")
    (one,) = [one for one in demo.inputs if one.source.name == name]
    source = one.source
    items, frames, bad = 0, [], 0
    for task in plan(one.files, {source.forms[0].kind}):
        for batch in read(task, source.forms[0].schema, one.columns):
            records, faults = records_of(batch, source, source.forms[0])
            items += len(batch.items) + len(batch.bad)
            frames.append(records)
            bad += len(faults)
    outcome = apply(pl.concat(frames), source.steps)
    dropped = dict(outcome.dropped.group_by("rule").len().rows())
    assert (items, dropped, bad) == FATES[name]
    left = outcome.kept.select(pl.concat_str("instruction", "input", "output"))
    assert not left.to_series().str.contains(r"<[a-z]|\x{200b}|\x{a0}|\x0c|1\d{10}").any()
    assert left.to_series().str.len_chars().min() > 60  # type: ignore[operator]


# What is read is kept, dropped or bad

TEXTS = (
    st.none()
    | st.sampled_from(["", " ", "……", "<p></p>", "抱歉，我不能回答"])
    | st.text(max_size=9)
)
VALUES = TEXTS | st.integers() | st.booleans() | st.lists(st.text(max_size=2), max_size=2)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["q", "a", "k", "v", "d"]), VALUES, max_size=5) | VALUES,
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(ROWS)
def test_no_row_vanishes(rows: Sequence[object]) -> None:
    rows = [{"q": "问", "a": "答"}, *rows]  # or a file that begins with [ would be read as an array
    names = {**QA, "key": "k", "votes": "v", "date": "d"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        facts = curate(made("jsonl", map=names), [str(path)], work=Path(folder) / "work")
    assert facts["items"] == len(rows)
    assert facts["read"] == facts["kept"] + facts["dropped"]
    assert facts["read"] + facts["bad"] == facts["items"]
