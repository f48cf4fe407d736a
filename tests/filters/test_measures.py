"""The filters that count characters and read the source's own numbers."""

from datetime import date

import pytest

from cqia.filters.echo import SameAsInstruction
from cqia.filters.emptiness import NearEmpty
from cqia.filters.length import Length, PromptLength
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.shares import DigitShare, HanShare, LatinShare, SymbolShare, UrlShare
from cqia.filters.signals import Comments, Published, Votes
from tests.filters.measuring import measure


def test_length_counts_code_points_with_white_space() -> None:
    assert measure(Length(), output=["春 风", "👍🏽", "", None]) == [3, 2, 0, None]
    assert measure(Length(field="instruction"), instruction=["问题？"]) == [3]
    assert Length(field="question").key == "Length.question"


def test_prompt_length_adds_instruction_and_input() -> None:
    assert measure(PromptLength(), instruction=["翻译", "甲"], input=["这句话", None]) == [5, 1]


def test_shares_leave_white_space_out() -> None:
    assert measure(HanShare(), output=["汉 字\nab", "abc", " \n"]) == [0.5, 0.0, None]
    assert measure(LatinShare(), output=["汉 字\nab"]) == [0.5]
    assert measure(DigitShare(), output=["电话12", "①②"]) == [0.5, 1.0]
    assert measure(SymbolShare(), output=["好，", "★☆★☆", "a+b"]) == [
        0.5,
        1.0,
        pytest.approx(1 / 3),
    ]


def test_url_share_ends_an_address_at_the_first_chinese_character() -> None:
    texts = ["见https://a.cn/b，好", "没有网址", "www.ab.cn", "  "]
    assert measure(UrlShare(), output=texts) == [pytest.approx(14 / 17), 0.0, 1.0, None]


def test_an_empty_input_is_unmeasured_and_not_dropped() -> None:
    for rule in (HanShare, LatinShare, DigitShare, SymbolShare, UrlShare, LineRepetition):
        assert measure(rule(field="input"), input=[""]) == [None]


def test_repetition() -> None:
    assert measure(LineRepetition(), output=["甲乙\n 甲乙 \n丙丁", "甲\n乙"]) == [
        pytest.approx(1 / 3),
        0.0,
    ]
    assert measure(NgramRepetition(length=2), output=["甲乙甲乙甲乙", "甲"]) == [0.6, None]
    with pytest.raises(ValueError, match="at least 1"):
        NgramRepetition(length=0)


def test_signals_are_null_where_the_source_says_nothing() -> None:
    assert measure(Votes(), votes=[7, None]) == [7, None]
    assert measure(Comments(), comments=[0, None]) == [0, None]
    days: list[object] = [date(2019, 3, 8), date(2020, 12, 31), None]
    assert measure(Published(), date=days) == [20190308, 20201231, None]


@pytest.mark.parametrize("text", ["", "  \n", "……！！", "👍👍", "---", "\u200b\u200b", "。"])
def test_near_empty_texts_measure_nothing(text: str) -> None:
    assert measure(NearEmpty(), output=[text]) == [0]


@pytest.mark.parametrize("text", ["B", "√", "×", "5", "好", "あ"])
def test_the_shortest_answers_are_not_empty(text: str) -> None:
    assert measure(NearEmpty(), output=[text]) == [1]


def test_an_unwritten_answer_is_not_an_empty_one() -> None:
    assert measure(NearEmpty(), output=[None, "x"]) == [None, 1]


@pytest.mark.parametrize(
    ("instruction", "given", "output", "expected"),
    [
        ("什么是云？", "", "什么是云", 1),
        ("改写", "天黑了。", "“天黑了”", 1),
        ("翻译", "Hello", "翻译：hello", 1),
        ("什么是云？", "", "什么是云？云是水汽凝成的。", 0),
        ("求x+1", "", "求x-1", 0),
        ("问", "", "", 0),
        ("？？", "", "！！", 0),
    ],
)
def test_same_as_instruction(instruction: str, given: str, output: str, expected: int) -> None:
    columns: dict[str, list[object]] = {"instruction": [instruction], "input": [given]}
    assert measure(SameAsInstruction(), output=[output], **columns) == [expected]
