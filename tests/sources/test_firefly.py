"""The three sources that are kinds of firefly-train-1.1M: chengyu, poem, translate_classical_chinese."""

from collections.abc import Callable

import polars as pl
import pytest

from cqia.sources.firefly import SCHEMA, reader
from cqia.sources.translate_classical_chinese import TRANSLATE_CLASSICAL_CHINESE
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]


def items(*lines: str) -> pl.DataFrame:
    raw = pl.Series("json", lines).str.json_decode(SCHEMA).to_frame().unnest("json")
    return raw.with_columns(file=pl.lit("f.jsonl"), row=pl.int_range(1, pl.len() + 1))


def test_an_item_of_another_kind_is_read_and_marked() -> None:
    made = reader("Dictionary")(
        items(
            '{"kind": "Dictionary", "input": " 解释：一心一意 ", "target": "专心。"}',
            '{"kind": "NLI", "input": "判断", "target": "蕴涵"}',
        )
    )
    assert made["metadata"].to_list() == ["kind:Dictionary", "kind:NLI, 状态:不是这一类任务"]
    assert made["instruction"].to_list() == ["解释：一心一意", "判断"]
    assert made["fault"].to_list() == [None, None]


def test_what_lacks_a_field_is_a_fault() -> None:
    made = reader("NLI")(
        items('{"kind": "NLI", "input": " ", "target": "a"}', '{"kind": "NLI", "input": "a"}', "{}")
    )
    assert made["fault"].to_list() == [
        "the item has no input",
        "the item has no target",
        "the item has no kind",
    ]


@pytest.mark.parametrize(
    ("asked", "way"),
    [
        ("翻译成现代文：\n学而时习之", "文译白"),
        ("将下面的文言文翻译成现代汉语：", "文译白"),
        ("这句文言文用现代文怎么说：", "文译白"),
        ("下面这句话是什么意思？\n勿施于人", "文译白"),
        ("把下面的句子翻译成文言文：", "白译文"),
        ("把下面的现代汉语翻译成文言文：", "白译文"),
        ("请翻译成古文：我爱读书", "白译文"),
        ("这句话的古文怎么写", "白译文"),
        ("译一下：善", None),
    ],
)
def test_the_phrase_tells_the_way(asked: str, way: str | None) -> None:
    read = TRANSLATE_CLASSICAL_CHINESE.forms[0].read
    frame = pl.DataFrame({"kind": "ClassicalChinese", "input": asked, "target": "。", "file": "f"})
    (metadata,) = read(frame.with_columns(row=pl.lit(1)))["metadata"]
    told = f", 方向:{way}" if way else ""
    assert metadata == f"kind:ClassicalChinese{told}"


@pytest.mark.parametrize(
    ("source", "asked", "answer"),
    [
        ("chengyu", "解释成语：塞翁失马", "比喻虽然一时受到损失，也许反而因此能得到好处，也指坏事在一定条件下可变为好事。"),
        ("chengyu", "请解释成语：南辕北辙", "想往南走却驾着车往北去，比喻行动和目的正好相反。"),
        ("chengyu", "“望梅止渴”是什么意思？", "望着梅子解渴，比喻愿望无法实现，用空想来安慰自己。"),
        ("poem", "续写下面的古诗：\n远上寒山石径斜，白云生处有人家。", "停车坐爱枫林晚，霜叶红于二月花。"),
        ("poem", "请续写：\n清明时节雨纷纷，路上行人欲断魂。", "借问酒家何处有？牧童遥指杏花村。"),
        ("translate_classical_chinese", "请翻译成古文：\n我从小就很喜欢读书。", "余幼时即嗜学。"),
        ("translate_classical_chinese", "翻译成现代文：\n海内存知己，天涯若比邻。", "只要四海之内有知心的朋友，即使远在天边也好像近邻一样。"),
    ],
)  # fmt: skip
def test_kept_records_are_clean(sample: Sample, source: str, asked: str, answer: str) -> None:
    kept = dict(sample(source).outcome.kept.select("instruction", "output").iter_rows())
    assert kept[asked] == answer


@pytest.mark.parametrize("source", ["chengyu", "poem", "translate_classical_chinese"])
def test_personal_data_is_masked(sample: Sample, source: str) -> None:
    kept = sample(source).outcome.kept["output"]
    assert not kept.str.contains(r"1380013|126\.com").any()
    assert kept.str.contains("<|\\[", literal=False).any()
