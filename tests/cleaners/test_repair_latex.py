from __future__ import annotations

from collections.abc import Callable

import pytest

from cqia.cleaners.base import Cleaner
from cqia.cleaners.repair_latex import RepairLatex

Clean = Callable[[Cleaner, str], str]
Count = Callable[[Cleaner, str], dict[str, int]]


@pytest.mark.parametrize(
    "command",
    [r"\frac{1}{2}", r"\forall x", r"\beta", r"\begin{cases}", r"\bar{z}", r"\binom", r"\alpha", r"\approx 1", r"\vec{a}",
     r"\varphi", r"\times 2", r"\theta", r"\text{cm}", r"\right)", r"\rho_1", r"\rightarrow", r"\rangle"],
)  # fmt: skip
def test_the_backslash_comes_back(clean: Clean, count: Count, command: str) -> None:
    broken = "由{}得".format(command.encode().decode("unicode_escape"))
    assert broken != f"由{command}得"
    assert clean(RepairLatex(), broken) == f"由{command}得"
    assert count(RepairLatex(), broken) == {"escapes": 1}


@pytest.mark.parametrize(
    "text",
    [
        "名\ttimes\tan\text",
        "a\r\nho\rhome\rright",
        "\x0c第二页",
        "\x08",
        "\x07larm",
        r"\frac{1}{2}",
        "\neq",
        "\tan x",
    ],
)
def test_what_may_be_a_word_stays(clean: Clean, text: str) -> None:
    assert clean(RepairLatex(), text) == text
