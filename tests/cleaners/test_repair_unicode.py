from __future__ import annotations

from collections.abc import Callable

import pytest

from cqia.cleaners.base import Cleaner
from cqia.cleaners.repair_unicode import RepairUnicode

Clean = Callable[[Cleaner, str], str]
Count = Callable[[Cleaner, str], dict[str, int]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("\ufeff甲\u200b乙\u202a丙\u00ad", "甲乙丙"),
        ("甲\r\n乙\r丙\x0c丁\u2028戊", "甲\n乙\n丙\n丁\n戊"),
        ("a\u00a0b\u3000c\u202fd", "a b c d"),
        ("a\x00b\x1fc\x7fd\x85e\t\n", "abcde\t\n"),
        ("中\u200d文\u200c字", "中文字"),
        ("\u200d😀\u200c", "😀"),
        ("😀\u200b\u200d😀", "😀\u200d😀"),
    ],
)
def test_the_invisible_goes(clean: Clean, text: str, wanted: str) -> None:
    assert clean(RepairUnicode(), text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "👨\u200d👩\u200d👧",
        "❤\ufe0f\u200d🔥",
        "🏳\ufe0f\u200d🌈",
        "👩🏽\u200d🚀",
        "می\u200cخواهم",
        "क्\u200dष",
        "\ufffd\ue000",
        "正常，（文字）。\n\t缩进",
    ],
)
def test_what_means_something_stays(clean: Clean, text: str) -> None:
    assert clean(RepairUnicode(), text) == text


def test_counts(count: Count) -> None:
    found = count(RepairUnicode(), "\x00\x0c\ufeff\u200b\ufffd\ue000\U000f0000\u3000\u00a0")
    assert found == {"controls": 2, "invisible": 2, "replacement": 1, "private_use": 2, "spaces": 2}
