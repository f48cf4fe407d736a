from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqia.text.han import simplify, traditional
from cqia.text.matching import exact_key, matching_view


def view(*texts: str | None) -> list[str | None]:
    return matching_view(pl.Series("text", texts, dtype=pl.String)).to_list()


SAME = [
    ("你好，世界！", "你好 世界"),
    ("Ｈｅｌｌｏ　Ｗｏｒｌｄ", "hello, world"),
    ("１２３", "123"),
    ("①②", "12"),
    ("x + 1", "x+1"),
    ("x\u22121", "x-1"),
    ("- 苹果\n- 香蕉", "* 苹果\n* 香蕉"),
    ("**重点**", "重点"),
    ("好\u200b的", "好的"),
    ("好👨‍👩‍👧的", "好的"),
    ("e\u0301te\u0301", "été"),
    ("ｶﾞ", "ガ"),
    ("１\ufe0f\u20e3", "1"),
    ("漢語", "汉语"),
    ("㎡", "m2"),
    ("A、苹果", "A. 苹果"),
    ("STRASSE", "strasse"),
]
DIFFERENT = [
    ("x+1", "x-1"),
    ("x = -1", "x-1"),
    ("1,2", "12"),
    ("3.14", "314"),
    ("f(x)=(y)", "f(x)+(y)"),
    ("涨50%", "涨50"),
    ("a(b+c)", "ab+c"),
    ("C++", "C"),
    ("the rapist", "therapist"),
    ("a<b", "a>b"),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_what_reads_the_same_has_one_view(left: str, right: str) -> None:
    assert view(left) == view(right)


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_what_reads_otherwise_has_two_views(left: str, right: str) -> None:
    assert len(set(view(left, right))) == 2


def test_rows_keep_their_place_their_name_and_their_nulls() -> None:
    text = pl.Series("output", ["甲，", None, "", "㎏", "，。！ ", "乙"])
    seen = matching_view(text)
    assert seen.to_list() == ["甲", None, "", "kg", "", "乙"]
    assert seen.name == "output"


def test_a_slice_is_seen_like_a_whole_column() -> None:
    text = pl.Series(["不要", "甲。", "㎏乙", "不要"])
    assert matching_view(text.slice(1, 2)).to_list() == ["甲", "kg乙"]


def test_no_rows() -> None:
    assert view() == []


def test_characters_of_the_far_planes_survive() -> None:
    assert view("\U00020000\U00030000，\U000e0041") == ["\U00020000\U00030000"]


TEXT = st.text(st.characters(codec="utf-8", max_codepoint=0x2FFFF, exclude_categories=["Cn", "Co"]))


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXT, max_size=5))
def test_the_view_is_normal_lower_case_and_without_punctuation(texts: list[str]) -> None:
    for seen in view(*texts):
        assert seen is not None
        assert seen == seen.strip()
        assert not any(
            unicodedata.category(char) in ("Po", "Zs", "Cc", "So")
            for char in seen.replace(" ", "").replace("*", "").replace("/", "").replace("%", "")
        )


@settings(max_examples=100, deadline=None)
@given(st.text("甲乙漢ａＡb１2，。 +-*/=.()\n<>", max_size=20))
def test_a_view_is_its_own_view(text: str) -> None:
    once = view(text)
    assert view(*once) == once


def test_exact_key_tells_columns_apart() -> None:
    left = exact_key(pl.Series(["ab", "a", None]), pl.Series(["", "b", None]))
    right = exact_key(pl.Series(["ab", "ab", ""]), pl.Series(["", "", ""]))
    assert (left == right).to_list() == [True, False, True]
    assert left.dtype == pl.UInt64
    assert left.null_count() == 0


@given(st.lists(st.text("乾隆圖薴无無\n\x1e\U0010fffe軟a、", max_size=8), max_size=6))
def test_texts_are_simplified_together_as_each_alone(texts: list[str]) -> None:
    together = simplify(pl.Series(texts, dtype=pl.String))
    assert together.to_list() == [simplify(pl.Series([text]))[0] for text in texts]
    assert simplify(together).equals(together)
    assert not together.str.contains(traditional()).any()
