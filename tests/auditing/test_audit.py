import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqia.auditing.audit import Audited, audit, kinds
from cqia.auditing.finding import excerpt
from cqia.auditing.rules import TEXT_RULES
from cqia.contamination import Benchmark
from cqia.errors import UserError

GOOD = "先把米洗净，加水浸泡半小时，再用小火慢慢煮到软烂为止。"
LONG = "春天的早晨，河边的柳树刚刚发芽，孩子们沿着堤岸奔跑，风筝在天上飘着，老人坐在长椅上晒太阳。"
Row = dict[str, Any]


def release(**fields: object) -> Row:
    row = {
        "instruction": "怎样煮粥？",
        "input": "",
        "output": GOOD,
        "task_type": {"major": ["问答"], "minor": ["百科问答"]},
        "domain": ["生活"],
        "metadata": "暂无元数据信息",
        "answer_from": "human",
        "human_verified": False,
        "copyright": "示例作者",
    }
    return row | fields


def alpaca(**fields: object) -> Row:
    return {"instruction": "怎样煮粥？", "input": "", "output": GOOD, "source": "甲", **fields}


def chat(*turns: tuple[str, str], **fields: object) -> Row:
    return {"conversations": [{"from": who, "value": told} for who, told in turns], **fields}


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Audited]:
    def get(*rows: Row, name: str = "some.jsonl", **options: Any) -> Audited:  # noqa: ANN401
        path = tmp_path / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
        return audit([str(path)], folder=tmp_path / "audit", **options)

    return get


def found(result: Audited) -> set[str]:
    return set(result.findings["kind"]) - {"licence_gap"}


DEFECTS: dict[str, list[Row]] = {
    "latex": [release(output="由题得 $\x0crac{1}{2}$，所以答案是二分之一。")],
    "control": [release(output="第一步\x03把水烧开，然后放入面条煮熟即可。")],
    "line_end": [release(output="第一步把水烧开。\r\n第二步放入面条。")],
    "invisible": [release(output="第一步\u200b把水烧开，然后放入面条煮熟即可。")],
    "space": [release(output="第一步\u3000把水烧开，然后放入面条煮熟即可。")],
    "replacement": [release(output="第一步把水烧\ufffd，然后放入面条煮熟即可。")],
    "private_use": [release(output="第一步\ue00c把水烧开，然后放入面条煮熟即可。")],
    "mojibake": [release(output="锟斤拷把水烧开，然后放入面条煮熟即可。")],
    "entity": [release(output="比值&lt;1提示功能减退，应当尽早到医院检查。")],
    "html": [release(output='第一步<a href="x">把水烧开</a>，然后放入面条。')],
    "escape": [release(output=r"第一步把水烧开。\n第二步放入面条。")],
    "personal.email": [release(output="有问题请写信到 laowang@mail.cn 询问。")],
    "personal.id_card": [release(output="他的号码是 11010519491231002X 没错。")],
    "personal.bank_card": [release(output="卡号 6222020200112233446 请收好。")],
    "personal.mobile": [release(output="有问题请打 13912345678 询问。")],
    "personal.landline": [release(output="有问题请打 010-82345678 询问。")],
    "personal.wechat": [release(output="他的微信：laowang_88 已经不用了。")],
    "personal.qq": [release(output="有问题请加 QQ群：123456789 询问。")],
    "personal.plate": [release(output="那辆车的牌照是京A12345，停在楼下。")],
    "refusal": [release(output="作为一个人工智能助手，我无法回答这个问题。")],
    "advert": [release(output="想要的姐妹加我微信，转发抽奖送十份好礼。")],
    "disguised_advert": [release(output="想要的姐妹看我主页，这个品、牌真的好用，薇 信见。")],
    "truncated": [release(output="做这道菜需要的材料有：土豆、")],
    "no_end_mark": [
        release(
            output="春天的早晨，河边的柳树刚刚发芽，孩子们沿着堤岸奔跑，风筝在天上飘着，老人坐在长椅上晒太"
        )
    ],
    "echo": [release(instruction="怎样煮粥又快又好吃呢？", output="怎样煮粥又快又好吃呢？")],
    "missing_context": [release(instruction="如图所示，求阴影部分的面积。")],
    "repeated_lines": [release(output="\n".join(["这一行重复了很多很多次。"] * 6))],
    "repeated_ngrams": [release(output="哈" * 200 + "。")],
    "sensitive.gambling": [release(output="这个时时彩计划群稳赚不赔，百家乐上分。")],
    "unreadable": [],
    "keys": [{**release(), "extra": 1}],
    "type": [release(human_verified="no")],
    "turns": [chat(("human", "在吗？"), ("human", "有人吗？"), source="甲")],
    "empty": [release(output="  ")],
    "label": [release(task_type={"major": ["聊天"], "minor": ["百科问答"]})],
    "exact_duplicate": [release(), release(output=GOOD.replace("，", ", "))],
    "near_duplicate": [
        release(output=LONG),
        release(instruction="写景。", output=LONG[:-4] + "。"),
    ],
    "same_question": [release(), release(output=LONG)],
}
"""A file that shows the kind, for each kind: every defect that was measured in the release, and
others."""


@pytest.mark.parametrize("kind", [one for one in DEFECTS if one != "unreadable"])
def test_every_kind_of_defect_is_found(kind: str, look: Callable[..., Audited]) -> None:
    result = look(*DEFECTS[kind])
    assert found(result) == {kind}
    row = result.findings.filter(kind=kind).row(0, named=True)
    severity, _, fixable = kinds()[kind]
    assert (row["severity"], row["fixable"]) == (severity, fixable)
    assert row["line"] == len(DEFECTS[kind])
    assert row["context"]


def test_a_sound_file_has_no_findings(look: Callable[..., Audited]) -> None:
    result = look(release(), release(instruction="写一段春天。", output=LONG))
    assert result.findings.is_empty()
    assert result.files.row(0)[1:] == ("release", 2, 0, 0, 0, 0)


RIGHT = {
    "emoji joiners": "一家人👨‍👩‍👧‍👦出门去玩，彩虹旗🏳️‍🌈在风里飘，医生👩🏽‍⚕️也来了。",
    "Persian joiners": "波斯语的“می‌خواهم”意思是“我想要”，中间有一个零宽非连接符。",
    "fenced code": '这样写：\n\n```html\n<div class="a">&nbsp;<br>\\n</div>\n```\n\n就可以了。',
    "inline code": "用 `<br>` 换行，用 `&lt;` 写小于号，`\\n` 也行。",
    "talk of tags": "HTML 里的 <b> 标签表示加粗，&lt;b&gt; 才会显示出来。",
    "comparison": "如果 a<b 且 c>d，那么 a & b 的值小于 5<x 的解。",
    "formulas": r"$\frac{1}{2}$、$\nabla f \neq 0$、$\nu\times\theta$ 与 \text{元} 都是公式。",
    "table": "| 名称 | 数量 |\n| --- | --- |\n| 苹果 | 3 |\n",
    "drawing": "```\n+--------+\n| 读数据 |\n+--------+\n| 训练   |\n+--------+\n| 评估   |\n+--------+\n```",
    "tabs": "姓名\t年龄\n小明\t8\n",
    "law": "《刑法》第二百三十四条；报警请拨打110，法律援助热线12348，投诉电话12315。",
    "amounts": "人民币13912345678元，比例为0.13912345678，编号ISBN 978-7-111-12345-6。",
    "helpline": "北京心理危机研究与干预中心的热线是010-82951332，全天都可以打。",
    "example address": "把 user@example.com 换成你自己的邮箱地址就可以了。",
    "windows path": r"文件在 C:\new\user 里，打开即可。",
    "artificial intelligence": "人工智能作为一种技术，已经走进千家万户的日常生活。",
    "traditional": "學而時習之，不亦說乎？有朋自遠方來，不亦樂乎？",
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_not_touched(
    name: str, look: Callable[..., Audited], tmp_path: Path
) -> None:
    result = look(release(output=RIGHT[name]), fix=True)
    assert result.findings.filter(pl.col("severity") != "note").is_empty()
    assert result.fixed == {}
    copy = tmp_path / "audit" / "fixed" / "some.jsonl"
    assert copy.read_bytes() == (tmp_path / "some.jsonl").read_bytes()


def test_private_glyphs_are_reported_and_stay(look: Callable[..., Audited], tmp_path: Path) -> None:
    result = look(*DEFECTS["private_use"], *DEFECTS["space"], fix=True)
    assert result.findings.filter(kind="private_use")["fixable"].to_list() == [False]
    text = (tmp_path / "audit" / "fixed" / "some.jsonl").read_text()
    assert "\ue00c" in text
    assert "\u3000" not in text


def everything() -> list[Row]:
    rows: list[Row] = []
    for number, (kind, group) in enumerate(DEFECTS.items()):
        for row in group:
            if kind != "turns":
                lead = f"第{number}题：" if kind not in ("echo", "same_question") else ""
                rows.append(row | {"instruction": lead + row["instruction"]})
    return rows


def test_a_repaired_copy_has_nothing_left_to_mend(
    look: Callable[..., Audited], tmp_path: Path
) -> None:
    look(*everything(), fix=True)
    again = audit([str(tmp_path / "audit/fixed/some.jsonl")], folder=tmp_path / "again")
    assert not again.findings["fixable"].any()
    assert found(again) >= {"replacement", "private_use", "refusal", "truncated", "html"}


def test_changes_lead_from_the_file_to_its_copy(
    look: Callable[..., Audited], tmp_path: Path
) -> None:
    rows = everything()
    result = look(*rows, fix=True)
    lines = (tmp_path / "audit" / "changes.jsonl").read_text().splitlines()
    gone = set()
    for change in map(json.loads, lines):
        row = rows[change["item"] - 1]
        if change["after"] is None:
            gone.add(change["item"])
            assert json.loads(change["before"]) == row
        else:
            assert row[change["path"]] == change["before"]
            row[change["path"]] = change["after"]
    mended = [row for number, row in enumerate(rows, 1) if number not in gone]
    copy = (tmp_path / "audit" / "fixed" / "some.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in copy] == mended
    assert len(copy) == len(rows) - result.fixed["exact_duplicate"]


def test_what_cannot_be_read_is_counted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    lone = json.dumps(alpaca()).replace("\\u", "\\ud83d\\u", 1)
    lines = [json.dumps(alpaca()), '{"instruction": "断', lone, "[1, 2]"]
    path.write_bytes("\n".join(lines).encode() + b"\n\xff\xfe\n")
    result = audit([str(path)], folder=tmp_path / "audit", fix=True)
    bad = result.findings.filter(kind="unreadable")
    assert bad["line"].to_list() == [2, 3, 4, 5]
    assert result.files.row(0, named=True) | {"read": 5, "unreadable": 4} == result.files.row(
        0, named=True
    )
    assert result.fixed == {"unreadable": 4}
    assert len((tmp_path / "audit/fixed/some.jsonl").read_text().splitlines()) == 1


def write_array(path: Path, rows: list[Row]) -> None:
    path.write_text(json.dumps(rows, ensure_ascii=False))


def write_indented(path: Path, rows: list[Row]) -> None:
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=2))


def write_gzip(path: Path, rows: list[Row]) -> None:
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))


def write_zip(path: Path, rows: list[Row]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inner.jsonl", "\n".join(map(json.dumps, rows)))


def write_parquet(path: Path, rows: list[Row]) -> None:
    pl.DataFrame(rows).write_parquet(path)


@pytest.mark.parametrize(
    ("name", "write", "copy"),
    [
        ("a.json", write_array, "a.json"),
        ("a.json", write_indented, "a.json"),
        ("a.jsonl.gz", write_gzip, "a.jsonl"),
        ("a.zip", write_zip, "inner.jsonl"),
        ("a.parquet", write_parquet, "a.parquet"),
    ],
)
@pytest.mark.parametrize("form", ["release", "alpaca", "sharegpt", "messages"])
def test_every_layout_of_every_form_is_read_and_mended(
    form: str, name: str, write: Callable[[Path, list[Row]], None], copy: str, tmp_path: Path
) -> None:
    asked, told = "怎样煮粥？", "先洗米\u200b，再加水，用小火慢慢煮到软烂为止。"
    rows = {
        "release": [release(output=told), release(), release()],
        "alpaca": [alpaca(output=told), alpaca(), alpaca()],
        "sharegpt": [
            chat(("system", "你是厨师。"), ("human", asked), ("gpt", text), source="甲")
            for text in (told, GOOD, GOOD)
        ],
        "messages": [
            {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": t}]}
            for t in (told, GOOD, GOOD)
        ],
    }[form]
    write(tmp_path / name, rows)
    result = audit([str(tmp_path / name)], folder=tmp_path / "audit", fix=True)
    assert result.files["form"].to_list() == [form]
    assert found(result) == {"invisible", "exact_duplicate", "same_question"}
    (first,) = result.findings.filter(kind="invisible").iter_rows(named=True)
    assert first["item"] == 1
    assert first["path"] in ("output", "conversations[2].value", "messages[1].content")
    place = tmp_path / "audit" / "fixed" / copy
    read = pl.read_parquet if copy.endswith("parquet") else pl.read_ndjson
    fixed = json.loads(place.read_text()) if copy.endswith("json") else read(place).to_dicts()
    assert len(fixed) == 2
    assert json.dumps(rows[1], sort_keys=True) == json.dumps(fixed[1], sort_keys=True)
    assert "\u200b" not in json.dumps(fixed, ensure_ascii=False)


def test_the_same_work_in_two_files_is_told(tmp_path: Path) -> None:
    for name, start in (("films", "影片"), ("cartoons", "动画")):
        row = release(instruction=f"介绍{start}《春风》的故事。", output=f"{LONG}{start}。")
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row))
    paths = [str(tmp_path / f"{name}.jsonl") for name in ("films", "cartoons")]
    result = audit(paths, folder=tmp_path / "audit")
    assert found(result) == {"same_work", "near_duplicate"}
    row = result.findings.filter(kind="same_work").row(0, named=True)
    assert (row["file"], row["other"], row["context"]) == (paths[1], f"{paths[0]}:1", "《春风》")


def test_a_benchmark_s_items_are_found_in_the_records(
    look: Callable[..., Audited], tmp_path: Path
) -> None:
    bank = tmp_path / "bank.jsonl"
    asked = "老师发现班上有同学作弊，应该当众批评还是私下谈话比较妥当？"
    bank.write_text(json.dumps({"question": asked}))
    benchmark = Benchmark(name="bank", files=(str(bank),))
    result = look(release(), release(instruction=asked), benchmarks=[benchmark])
    row = result.findings.filter(kind="contamination").row(0, named=True)
    assert (row["line"], row["other"]) == (2, f"{bank}:1")
    assert row["context"].startswith("100%")


def test_licence_gaps_are_told_once_a_file(look: Callable[..., Audited], tmp_path: Path) -> None:
    rows = [release(copyright="暂无版权及作者信息"), release(output=LONG, instruction="写景。")]
    (row,) = look(*rows).findings.filter(kind="licence_gap").iter_rows(named=True)
    assert (row["line"], row["finds"], row["context"]) == (0, 1, "1 of 2 records")
    card = tmp_path / "README.md"
    card.write_text("a licence: none")
    assert look(*rows).findings["kind"].to_list() == ["licence_gap"]
    card.write_text("---\nlicense: mit\n---\n")
    assert look(*rows).findings.is_empty()
    card.unlink()
    (tmp_path.parent / "LICENSE").write_text("CC0")
    try:
        assert look(*rows).findings.is_empty()
    finally:
        (tmp_path.parent / "LICENSE").unlink()


def test_an_ignored_kind_is_neither_told_nor_mended(
    look: Callable[..., Audited], tmp_path: Path
) -> None:
    rows = [*DEFECTS["personal.mobile"], *DEFECTS["space"], release(), release()]
    result = look(*rows, ignore=["personal", "exact_duplicate"], fix=True)
    assert "personal.mobile" not in found(result)
    copy = (tmp_path / "audit" / "fixed" / "some.jsonl").read_text()
    assert "13912345678" in copy
    assert len(copy.splitlines()) == len(rows)
    with pytest.raises(UserError, match="did you mean personal"):
        look(*rows, ignore=["persona"])


def test_texts_of_another_form_are_looked_at(look: Callable[..., Audited]) -> None:
    result = look(
        {"question": "问\u200b？", "answers": [{"deep": {"text": "答&nbsp;。"}}], "url": "x"}
    )
    assert set(result.findings["path"]) == {"question", "answers[0].deep.text"}
    assert result.files["form"].to_list() == ["other"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: p.mkdir(), "this is a folder"),
        (lambda p: None, "no such file"),
    ],
)
def test_a_path_that_is_no_file(make: Callable[[Path], None], said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    make(path)
    with pytest.raises(UserError, match=said):
        audit([str(path)], folder=tmp_path / "audit")


def test_a_file_of_another_kind_or_named_twice(tmp_path: Path) -> None:
    page = tmp_path / "x.html"
    page.write_text("<p>x</p>")
    with pytest.raises(UserError, match="unknown file ending"):
        audit([str(page)], folder=tmp_path / "audit")
    lines = tmp_path / "x.jsonl"
    lines.write_text("{}\n")
    with pytest.raises(UserError, match="named twice"):
        audit([str(lines), str(lines)], folder=tmp_path / "audit")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"[]", b"null"])
def test_files_with_nothing_in_them(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    result = audit([str(path)], folder=tmp_path / "audit", fix=True)
    assert set(result.findings["kind"]) <= {"unreadable"}
    assert result.files["form"].to_list() == ["nothing"]


def test_broken_turns_are_findings_and_no_crash(look: Callable[..., Audited]) -> None:
    rows: list[Row] = [
        {"conversations": []},
        {"conversations": ["x", 3, None]},
        {"conversations": [{"from": "human"}, {"from": "gpt", "value": None}]},
        {"conversations": [{"from": 7, "value": {"a": 1}}]},
        {"conversations": [{"role": "user", "content": [{"type": "text", "text": "问？"}]}]},
    ]
    result = look(*rows)
    assert set(result.findings.filter(pl.col("line") > 0)["line"]) == {1, 2, 3, 4, 5}


def test_deep_nesting_is_walked(tmp_path: Path) -> None:
    lines = ['{"a":' * depth + '"x\u200b"' + "}" * depth for depth in (100, 900)]
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    result = audit([str(tmp_path / "x.jsonl")], folder=tmp_path / "audit", fix=True)
    assert result.fixed == {"invisible": 1, "unreadable": 1}


SPICE = st.sampled_from(
    ["\u200b", "\u200d", "👩", "\x0c", "rac", "\r\n", "&lt;", "&amp;", "`", "```\n", "<b>", "</b>",
     "\ue001", "\ufffd", "\u3000", "13912345678", "QQ", "：", "@", "a.cn", "\\n", "中", "x", "$"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(SPICE, st.text(max_size=4)), max_size=14).map("".join))
def test_a_mend_leaves_none_of_its_finds_and_touches_nothing_else(text: str) -> None:
    for rule in TEXT_RULES:
        spans = rule.find(text)
        assert all(0 <= start < end <= len(text) for start, end in spans)
        guarded = pl.Series([text]).str.contains(rule.guard)[0]
        assert guarded or not spans
        if rule.mend and spans:
            assert rule.find(rule.mend(text)) == []


@given(st.text(), st.integers(0, 50))
def test_an_excerpt_is_one_safe_line(text: str, at: int) -> None:
    start = min(at, len(text))
    shown = excerpt(text, start, start + 3)
    assert "\n" not in shown
    assert all(char.isprintable() for char in shown)
