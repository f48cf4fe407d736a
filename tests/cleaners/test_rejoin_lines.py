from __future__ import annotations

from collections.abc import Callable

import pytest

from cqia.cleaners.base import Cleaner
from cqia.cleaners.rejoin_lines import RejoinLines

Clean = Callable[[Cleaner, str], str]
Count = Callable[[Cleaner, str], dict[str, int]]

LONG = "从题目给出的材料可以看出这一时期沿海各省的工商业都有了相当明显的发"
NEXT = "展，因此选择第三项。"


def test_a_broken_sentence_is_joined(clean: Clean) -> None:
    assert clean(RejoinLines(), f"{LONG} \n{NEXT}\n下一段。") == f"{LONG}{NEXT}\n下一段。"


@pytest.mark.parametrize(
    "start",
    [
        "A．甲",
        "B. 乙",
        "(C) 丙",
        "（1）甲",
        "①甲",
        "12．题",
        "一、题",
        "材料二",
        "- 甲",
        "## 题",
        "| 甲 |",
        "  缩进",
        "【解析】",
        "$x$",
        "",
        "故选B",
    ],
)
def test_what_begins_anew_stays_apart(clean: Clean, start: str) -> None:
    text = LONG + "\n" + start
    assert clean(RejoinLines(), text) == text


@pytest.mark.parametrize("end", ["。", "！”", "：", "；", "……", "$"])
def test_what_has_ended_stays_apart(clean: Clean, end: str) -> None:
    text = LONG + end + "\n" + NEXT
    assert clean(RejoinLines(), text) == text


def test_short_lines_stay_and_hanging_signs_join(clean: Clean) -> None:
    verse = "床前看月光\n地上像白霜"
    assert clean(RejoinLines(), verse) == verse
    assert clean(RejoinLines(), "甲乙\n，丙（\n丁）") == "甲乙，丙（丁）"


def test_words_keep_their_space_and_code_its_lines(clean: Clean) -> None:
    line = "the quick brown fox jumps over the lazy dog and"
    assert clean(RejoinLines(), line + " more\nruns away.") == line + " more runs away."
    code = "```\n" + LONG + "\n" + NEXT + "\n```"
    assert clean(RejoinLines(), code) == code
