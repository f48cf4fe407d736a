from __future__ import annotations

from collections.abc import Callable

import pytest

from cqia.cleaners.base import Cleaner
from cqia.cleaners.half_width import HalfWidth

Clean = Callable[[Cleaner, str], str]
Count = Callable[[Cleaner, str], dict[str, int]]


def test_letters_and_digits_only(clean: Clean) -> None:
    assert clean(HalfWidth(), "Ａｚ０９，（）：％＋　。") == "Az09，（）：％＋　。"


@pytest.mark.parametrize("text", ["", "普通，文字。", "ABC 123", "①②Ⅳ"])
def test_the_rest_stays(clean: Clean, text: str) -> None:
    assert clean(HalfWidth(), text) == text
