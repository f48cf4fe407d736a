from __future__ import annotations

from collections.abc import Callable

import pytest

from cqia.cleaners.base import Cleaner
from cqia.cleaners.white_space import WhiteSpace

Clean = Callable[[Cleaner, str], str]
Count = Callable[[Cleaner, str], dict[str, int]]

PDF = WhiteSpace(unspace_han=True)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("\n \n甲  \n乙\t\n\n\n\n丙 \n", "甲\n乙\n\n丙"),
        ("甲   乙\t丙 丁", "甲 乙 丙 丁"),
        ("选A    对，   B", "选A 对， B"),
        ("  缩进\n    再缩", "  缩进\n    再缩"),
        (
            "甲\n```py\nx  =  1  \n\n\n\n中  文\n```\n乙  丙",
            "甲\n```py\nx  =  1  \n\n\n\n中  文\n```\n乙 丙",
        ),
        ("a  =  b", "a  =  b"),
        ("   ", ""),
    ],
)
def test_folding(clean: Clean, text: str, wanted: str) -> None:
    assert clean(WhiteSpace(), text) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("源 于 生 活", "源于生活"),
        ("（ 6分） “ 易服 ”。", "（6分）“易服”。"),
        ("原因是    ，结果", "原因是  ，结果"),
        ("Python 语言 is good", "Python 语言 is good"),
        ("  甲 乙", "  甲乙"),
    ],
)
def test_spaces_that_pdf_leaves(clean: Clean, text: str, wanted: str) -> None:
    assert clean(PDF, text) == wanted
