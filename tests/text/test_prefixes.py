from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from cqia.text.prefixes import may_hold, pairs

ALPHABET = "加微信领取赌博vVxX1 ，𠮷😀"


@given(
    st.lists(st.text(ALPHABET, min_size=1, max_size=4), min_size=1, max_size=30),
    st.lists(st.text(ALPHABET, max_size=12), min_size=1, max_size=8),
)
def test_no_text_that_holds_a_phrase_is_passed_over(phrases: list[str], texts: list[str]) -> None:
    found = may_hold(pl.Series(texts), pairs(phrases))
    for text, held in zip(texts, found, strict=True):
        if any(phrase.lower() in text.lower() for phrase in phrases):
            assert held


def test_texts_without_the_pair_are_told_apart() -> None:
    wanted = pairs(["加微信", "V信", "赌"])
    texts = pl.Series(["加入微信群", "请加微博", "v信", "一个V 信", "赌", "", None, "微信加"])
    assert may_hold(texts, wanted).to_list() == [
        False, True, True, False, True, False, False, False,
    ]  # fmt: skip


def test_an_empty_list_holds_nothing() -> None:
    assert may_hold(pl.Series(["任何文字"]), pairs([])).to_list() == [False]
