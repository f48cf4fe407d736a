from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqia.text.choices import LETTERS, find, in_order, letters, official, rendered

FOUR = ("食指", "中指", "无名指", "小拇指最短的一根")
TWO = ("是。", "否。")


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("B", "B"),
        ("(B)", "B"),
        ("（Ｂ）", "B"),
        ("B)", "B"),
        ("B。因为食指更长", "B"),
        ("B：中指", "B"),
        ("**B**", "B"),
        ("B 中指", "B"),
        ("答案是B", "B"),
        ("答案：（B）", "B"),
        ("正确答案应该是 B。", "B"),
        ("我认为选B，因为A不对", "B"),
        ("题目问的是手指。\n综上，答案为 B", "B"),
        ("应选B项", "B"),
        ("答案不是A，答案是B", "B"),
        ("不能选A，选B", "B"),
        ("正确的是 (B) 中指", "B"),
        ("中指", "B"),
        ("中指。", "B"),
        ("最合适的是小拇指最短的一根", "D"),
        ("The answer is B", "B"),
    ],
)
def test_a_letter_that_is_given_is_found(reply: str, letter: str) -> None:
    assert find(reply, FOUR).letter == letter


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("我不知道", "no letter"),
        ("维生素A很重要", "no letter"),
        ("AB", "no letter"),
        ("A和B都对", "several letters: A, B"),
        ("A、C", "several letters: A, C"),
        ("答案是A或B", "several letters: A, B"),
        ("选A。不过选B也行", "several letters: A, B"),
        ("(A) 和 (B)", "several letters: A, B"),
        ("E", "E is not among the options"),
        ("答案是G", "G is not among the options"),
        ("不选A", "no letter"),
        ("作为人工智能，我无法回答", "no letter"),
    ],
)
def test_what_cannot_be_told_is_not_guessed(reply: str, reason: str) -> None:
    found = find(reply, FOUR)
    assert found.letter == ""
    assert reason in found.reason


def test_a_letter_beyond_the_options_is_not_read_where_the_official_rule_reads_it() -> None:
    assert find("答案是D。", TWO).reason == "D is not among the options"
    assert official("答案是D。", TWO) == "D"


def test_short_options_are_matched_whole_only() -> None:
    assert find("是", TWO).letter == "A"
    assert find("是的，它包含攻击性内容", TWO).letter == ""
    assert find("这不是攻击", TWO).letter == ""


def test_options_of_the_same_text_are_no_choice() -> None:
    assert find("相同的选项", ("相同的选项", "相同的选项")).reason == "several options' texts"


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("(B) 中指", "B"),
        ("选B。而A不对", "B"),
        ("A)和B)", "A"),
        ("B)或者A。", "A"),
        ("中指", "B"),
        ("不好说\n\nC：无名指", "C"),
        ("不好说", ""),
        ("", ""),
    ],
)
def test_the_official_rule_takes_the_first_letter_in_order(reply: str, letter: str) -> None:
    assert official(reply, FOUR) == letter


def test_options_go_into_the_order_of_the_letters_printed() -> None:
    assert in_order(("(A)一", "(C)三", "(B)二", "D．四")) == ("一", "二", "三", "四")
    assert in_order(("  A. one", "B、two", "C：三", "D 四")) == ("one", "two", "三", "四")


def test_letters_that_make_no_row_leave_the_places() -> None:
    assert in_order(("(A)一", "(C)二", "(C)三", "(D)四")) == ("一", "二", "三", "四")
    assert in_order(("锗", "镭", "(C)铼", "(D)氡")) == ("锗", "镭", "铼", "氡")
    assert in_order(("(A)A和B", "(B)B、C")) == ("A和B", "B、C")


def test_options_are_rendered_a_line_each() -> None:
    assert rendered(TWO) == "(A) 是。\n(B) 否。\n"
    assert letters(FOUR) == ("A", "B", "C", "D")


@given(st.text(max_size=80))
def test_whatever_is_said_the_letter_is_an_option_or_there_is_a_reason(reply: str) -> None:
    found = find(reply, TWO)
    assert (found.letter in ("A", "B")) != bool(found.reason)
    assert official(reply, TWO) in ("", *LETTERS)


@pytest.mark.parametrize("reply", ["选A。" * 20_000, "(" * 50_000, "A、" * 30_000, "不" * 50_000])
def test_long_replies_take_no_time(reply: str) -> None:
    find(reply, FOUR)
    official(reply, FOUR)
