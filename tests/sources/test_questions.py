import polars as pl
import pytest

from cqia.sources.questions import kind, lines, paper, right, solved

END = "故本题选{}。"


def test_options_get_the_letters_of_their_places() -> None:
    frame = pl.DataFrame(
        {"o": [["A. 甲", "乙", "(C) 丙", " D、丁 "], ["B．一", None, "二"], [], None]}
    )
    assert frame.select(lines(pl.col("o")))["o"].to_list() == [
        "A. 甲\nB. 乙\nC. 丙\nD. 丁",
        "A. 一\nB. 二",
        "",
        None,
    ]


@pytest.mark.parametrize(
    ("answer", "letters"),
    [
        *[("B", "B"), ("答案：C", "C"), ("(D)", "D"), ("A、C、D", "ACD"), ("DCA", "ACD")],
        *[
            ("acd。", "ACD"),
            ("【答案】AC", "AC"),
            ("正确答案是 B", "B"),
            ("A, B", "AB"),
            ("Ａ", "A"),
        ],
        *[("Because", None), ("A是对的", None), ("", None), (None, None), ("甲", None)],
    ],
)
def test_the_letters_of_the_right_options(answer: str | None, letters: str | None) -> None:
    frame = pl.DataFrame({"a": [answer]}, schema={"a": pl.String})
    assert frame.select(right(pl.col("a"))).item() == letters


@pytest.mark.parametrize(
    ("said", "letters", "name"),
    [
        ("一、单项选择题", None, "单项选择题"),
        ("不定项选择", "A", "多项选择题"),
        ("选择题", "AB", "选择题"),
        ("", "AB", "多项选择题"),
        (None, "B", "单项选择题"),
        ("三、简答题", None, "简答题"),
        ("案例分析题", None, "分析题"),
        ("法条分析题", None, "法条分析题"),
        ("论述题", None, "论述题"),
        ("", None, "简答题"),
    ],
)
def test_the_kind_of_a_question(said: str | None, letters: str | None, name: str) -> None:
    frame = pl.DataFrame({"s": [said], "l": [letters]}, schema={"s": pl.String, "l": pl.String})
    assert frame.select(kind(pl.col("s"), pl.col("l"))).item() == name


@pytest.mark.parametrize(
    ("letters", "analysis", "output"),
    [
        ("B", "【解析】因为甲。", "因为甲。\n故本题选B。"),
        ("B", "因为甲，故本题选B。", "因为甲，故本题选B。"),
        ("AC", "因为甲。因此答案为AC", "因为甲。因此答案为AC"),
        ("B", "", ""),
        (None, "解析：因为甲。", "因为甲。"),
        ("B", None, ""),
    ],
)
def test_an_explanation_ends_with_the_choice(
    letters: str | None, analysis: str | None, output: str
) -> None:
    frame = pl.DataFrame({"l": [letters], "w": [analysis]}, schema={"l": pl.String, "w": pl.String})
    assert frame.select(solved(pl.col("l"), pl.col("w"), END)).item() == output


PAPER = r"""# 2019 年全国硕士研究生招生考试 数学（一）

## 一、选择题

1. 当 $x \to 0$ 时，若 $x-\tan x$ 与 $x^k$ 同阶，则 $k=$（4分）
A. 1
B. 2
C. 3
D. 4

【答案】C

【解析】由泰勒公式得三阶。

## 三、解答题

（15）（本题满分10分）求通解。
第一行。

【解】
1. 先求齐次方程。
2. 再求特解。

16、证明级数收敛。
"""


def test_a_paper_is_cut_into_its_questions() -> None:
    first, second, third = paper(PAPER)
    assert first == {
        "number": "1",
        "kind": "一、选择题",
        "score": "4",
        "question": r"当 $x \to 0$ 时，若 $x-\tan x$ 与 $x^k$ 同阶，则 $k=$",
        "options": ["1", "2", "3", "4"],
        "answer": "C",
        "analysis": "由泰勒公式得三阶。",
    }
    assert (second["number"], second["score"], second["kind"]) == ("15", "10", "三、解答题")
    assert second["question"] == "求通解。\n第一行。"
    assert second["analysis"] == "1. 先求齐次方程。\n2. 再求特解。"
    assert (third["number"], third["question"], third["answer"]) == ("16", "证明级数收敛。", "")


def test_a_text_without_questions_is_no_paper() -> None:
    assert paper("考研须知：带好准考证。") == []
    assert paper("") == []
