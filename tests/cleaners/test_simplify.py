from __future__ import annotations

from collections.abc import Callable

import pytest

from cqia.cleaners.base import Cleaner
from cqia.cleaners.simplify import Simplify

Clean = Callable[[Cleaner, str], str]
Count = Callable[[Cleaner, str], dict[str, int]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("漢語與「詩」『詞』", "汉语与「诗」『词』"),
        ("乾隆皇帝擦乾淨", "乾隆皇帝擦干净"),
        ("著作與說", "著作与说"),
        ("薴", "苎"),
        ("漢\0字", "汉\0字"),
    ],
)
def test_traditional_becomes_simplified(clean: Clean, text: str, wanted: str) -> None:
    assert clean(Simplify(), text) == wanted


@pytest.mark.parametrize(
    "text",
    ["简体著作，瞭望乾坤", "名叫李乾佑的人", "ひらがなカタカナ", "Latin 123", "「引」『号』", ""],
)
def test_simplified_stays(clean: Clean, text: str) -> None:
    assert clean(Simplify(), text) == text
