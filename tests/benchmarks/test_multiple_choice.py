from __future__ import annotations

import json
import zipfile
from pathlib import Path

import polars as pl
import pytest

from cqia.benchmarks.base import plainly
from cqia.benchmarks.catalogue import BENCHMARKS, benchmark
from cqia.benchmarks.multiple_choice import AGI_EVAL, C_EVAL, C_MMLU
from cqia.benchmarks.subjects import AGIEVAL, CEVAL, CMMLU
from cqia.errors import UserError
from cqia.llm.protocol import Choosing
from tests.benchmarks.answering import Answering, outcomes

VAL = "id,question,A,B,C,D,answer\n0,一加一,一,二,三,四,B\n1,二加二,一,二,三,四,D\n2,三加三,五,六,七,八,B\n"
CMMLU_FILE = ",Question,A,B,C,D,Answer\n0,水稻喜,水,火,沙,冰,A\n1,小麦怕,水,涝,土,风,B\n"


def put(folder: Path, name: str, body: str) -> str:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(body, encoding="utf-8")
    return str(folder / name)


def test_tables_of_subjects_are_whole() -> None:
    assert [len(table) for table in (CEVAL, CMMLU, AGIEVAL)] == [52, 67, 10]
    for table in (CEVAL, CMMLU, AGIEVAL):
        assert len({one.name for one in table}) == len(table)
        assert len({one.title for one in table}) == len(table)


def test_c_evals_layout(tmp_path: Path) -> None:
    (first, *_, last) = C_EVAL.items([put(tmp_path, "val/logic_val.csv", VAL)])
    assert (first.id, first.group, first.category, first.gold) == (
        "logic_val-0", "logic", "Humanities", "B",
    )  # fmt: skip
    assert last.options == ("五", "六", "七", "八")
    asked = C_EVAL.ask(first, plainly)
    assert isinstance(asked, Choosing)
    assert asked.text.startswith("下面是逻辑学的单项选择题")
    assert asked.text.endswith("(D) 四\n答案：(")


def test_cmmlus_layout_in_its_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "cmmlu.zip", "w") as archive:
        archive.writestr("test/agronomy.csv", CMMLU_FILE)
        archive.writestr("dev/agronomy.csv", CMMLU_FILE)
        archive.writestr("README.md", "x")
    items = C_MMLU.items([str(tmp_path / "cmmlu.zip")])
    assert [(one.id, one.group, one.gold) for one in items] == [
        ("agronomy-0", "agronomy", "A"),
        ("agronomy-1", "agronomy", "B"),
    ]


def test_a_test_without_keys_is_unasked(tmp_path: Path) -> None:
    body = "id,question,A,B,C,D\n0,一加一,一,二,三,四\n"
    (item,) = C_EVAL.items([put(tmp_path, "test/logic_test.csv", body)])
    assert (item.unasked, item.gold) == ("no key", "")


def test_five_shots_come_from_the_dev_file(tmp_path: Path) -> None:
    rows = "".join(f"{n},例{n},甲,乙,丙,丁,C,解\n" for n in range(6))
    names = [
        put(tmp_path, "val/logic_val.csv", VAL),
        put(tmp_path, "dev/logic_dev.csv", f"id,question,A,B,C,D,answer,explanation\n{rows}"),
    ]
    five = benchmark("ceval", {"shots": 5})
    items = five.items(names)
    assert len(items) == 3
    asked = five.ask(items[0], plainly)
    assert isinstance(asked, Choosing)
    assert asked.text.count("答案：(C)\n\n") == 5
    with pytest.raises(UserError, match=r"0 solved examples of logic.*--shots 0"):
        five.items(names[:1])


def test_right_wrong_and_unreadable(tmp_path: Path) -> None:
    written = benchmark("ceval", {"mode": "generate"})
    items = written.items([put(tmp_path, "val/logic_val.csv", VAL)])
    said = {"一加一": "选B", "二加二": "选A", "三加三": "也许吧"}
    model = Answering(lambda asked: next(one for key, one in said.items() if key in asked))
    table = outcomes(tmp_path, written, items, model)
    assert table["state"].to_list() == ["read", "read", "unreadable"]
    assert table["score"].to_list() == [1.0, 0.0, None]
    named = {one.name: one.value for one in written.totals(table)}
    assert named["micro, a missing answer counts as wrong"] == pytest.approx(1 / 3)
    assert named["Humanities, mean of its subjects"] == 0.5


def agieval(folder: Path, *rows: dict[str, object]) -> str:
    base = {"passage": None, "question": "问", "options": ["(A)一", "(B)二"], "label": "A"}
    body = "\n".join(json.dumps({**base, **row}, ensure_ascii=False) for row in rows)
    return put(folder, "gaokao-history.jsonl", body)


def test_agievals_layout_and_its_traps(tmp_path: Path) -> None:
    name = agieval(
        tmp_path,
        {"passage": "长文"},
        {"passage": "长文", "label": "B"},
        {"label": None, "options": None},
        {"label": ["A", "B"]},
        {"label": "A B"},
        {"options": ["(A)甲", "(C)丙", "(B)乙", "(D)丁"], "label": "B"},
    )
    items = AGI_EVAL.items([name])
    assert items[0].cluster == items[1].cluster != ""
    assert [one.unasked for one in items] == [
        "", "", "no options", "the key names several letters", "the key names several letters", "",
    ]  # fmt: skip
    assert items[5].options == ("甲", "乙", "丙", "丁")
    assert "材料：长文\n问题：问" in AGI_EVAL.ask(items[0], plainly).text  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"label": "E"}, r"gaokao-history\.jsonl:1: the key 'E' is no option's letter"),
        ({"label": "C"}, "no option's letter"),
        ({"options": "一二"}, "no list of texts"),
        ({"question": None}, "no field 'question'"),
    ],
)
def test_broken_items_are_named_with_their_line(
    tmp_path: Path, row: dict[str, object], problem: str
) -> None:
    with pytest.raises(UserError, match=problem):
        AGI_EVAL.items([agieval(tmp_path, row)])


def test_files_of_no_subject_are_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no subject of ceval"):
        C_EVAL.items([put(tmp_path, "renamed.csv", VAL)])


def test_the_catalogue_offers_the_right_name_and_setting() -> None:
    assert all(name == one.name for name, one in BENCHMARKS.items())
    with pytest.raises(UserError, match="did you mean safetybench"):
        benchmark("safetybanch", {})
    with pytest.raises(UserError, match="reference-loss has no --mode"):
        benchmark("reference-loss", {"mode": "generate", "shots": None})


def test_agieval_as_it_is_published(data: Path) -> None:
    items = AGI_EVAL.items([str(one) for one in sorted((data / "agieval_zh").glob("*.jsonl"))])
    assert len(items) == 2_723
    why = pl.Series([one.unasked for one in items]).value_counts()
    assert dict(why.iter_rows()) == {
        "": 2_563, "no options": 118, "the key names several letters": 42,
    }  # fmt: skip
    by_id = {one.id: one for one in items}
    assert by_id["logiqa-zh-115"].options[1] == "有些北方人不是工人。"
    passages = {one.cluster for one in items if one.group == "gaokao-english"}
    assert 1 < len(passages) < 306
