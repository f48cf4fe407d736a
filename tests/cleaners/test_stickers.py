from __future__ import annotations

from collections.abc import Callable

import pytest

from cqia.cleaners.base import Cleaner
from cqia.cleaners.stickers import Stickers

Clean = Callable[[Cleaner, str], str]
Count = Callable[[Cleaner, str], dict[str, int]]


@pytest.mark.parametrize(
    ("text", "wanted", "number"),
    [
        ("好[doge]啊[捂脸][捂脸]", "好啊", 3),
        ("美[偷笑R]", "美", 1),
        ("[do[doge]ge]", "", 2),
        ("][doge", "][doge", 0),
    ],
)
def test_stickers_go(clean: Clean, count: Count, text: str, wanted: str, number: int) -> None:
    assert clean(Stickers(), text) == wanted
    assert count(Stickers(), text) == {"stickers": number}


@pytest.mark.parametrize(
    "text",
    [
        "[1][注][美]",
        "a[i]",
        "[捂脸](https://a.b)",
        "[手机号]",
        "【大笑】",
        "数组[索引]",
        "[ABR]",
        "[]",
    ],
)
def test_other_brackets_stay(clean: Clean, text: str) -> None:
    assert clean(Stickers(), text) == text
