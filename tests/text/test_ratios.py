import unicodedata
from collections import Counter
from math import isqrt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqia.text import ratios
from cqia.text.ratios import Kind

TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=80)
LOOP = st.text(alphabet="ab春\n😀 ", max_size=60)


def value(expr: pl.Expr, text: str | None) -> float | None:
    found: float | None
    found = pl.DataFrame({"t": [text]}, schema={"t": pl.String}).select(v=expr)["v"].item()
    return found


@pytest.mark.parametrize(
    ("char", "kind"),
    [
        ("\u3000", Kind.SPACE), ("\xa0", Kind.SPACE), ("\n", Kind.SPACE),
        ("汉", Kind.HAN), ("〇", Kind.HAN), ("々", Kind.HAN), ("㐀", Kind.HAN), ("𠀀", Kind.HAN),
        ("a", Kind.LATIN), ("é", Kind.LATIN), ("Ｚ", Kind.LATIN),
        ("α", Kind.LETTER), ("あ", Kind.LETTER), ("한", Kind.LETTER),
        ("7", Kind.DIGIT), ("７", Kind.DIGIT), ("⑦", Kind.DIGIT), ("½", Kind.DIGIT),
        ("√", Kind.SIGN), ("×", Kind.SIGN), ("✓", Kind.SIGN), ("∞", Kind.SIGN),
        ("，", Kind.SYMBOL), ("+", Kind.SYMBOL), ("😀", Kind.SYMBOL), ("\u200b", Kind.SYMBOL),
        ("\ufffd", Kind.SYMBOL), ("\U0010ffff", Kind.SYMBOL),
    ],
)  # fmt: skip
def test_the_class_of_a_character(char: str, kind: Kind) -> None:
    assert ratios.kinds()[ord(char)] == kind
    assert value(ratios.characters(pl.col("t"), kind), f"{char}{char}") == 2


@given(TEXT)
def test_counts_equal_a_count_in_python(text: str) -> None:
    kinds = Counter(int(ratios.kinds()[ord(char)]) for char in text)
    for kind in Kind:
        assert value(ratios.characters(pl.col("t"), kind), text) == kinds[kind]
    seen = sum(kinds.values()) - kinds[Kind.SPACE]
    expected = kinds[Kind.HAN] / seen if seen else None
    assert value(ratios.share(pl.col("t"), Kind.HAN), text) == expected


def test_all_han_letters_of_python_are_han() -> None:
    kinds = ratios.kinds().tolist()
    for point in range(0x3400, 0x323B0, 3):
        if unicodedata.name(chr(point), "").startswith("CJK UNIFIED"):
            assert kinds[point] == Kind.HAN


def plain_ngrams(text: str, length: int) -> float | None:
    counts = Counter(text[at : at + length] for at in range(len(text) - length + 1))
    if not counts:
        return None
    repeated = sorted((n for n in counts.values() if n > 1), reverse=True)
    return sum(repeated[: isqrt(len(counts))]) / counts.total()


@given(LOOP, st.integers(1, 12))
def test_ngram_repetition_equals_its_definition(text: str, length: int) -> None:
    assert value(ratios.ngram_repetition(pl.col("t"), length), text) == plain_ngrams(text, length)


def test_ngram_repetition_of_a_loop_is_high_and_of_prose_zero() -> None:
    assert value(ratios.ngram_repetition(pl.col("t"), 10), "我们明天再来看看吧。" * 40) == 1.0 * (
        plain_ngrams("我们明天再来看看吧。" * 40, 10) or 0
    )
    assert value(ratios.ngram_repetition(pl.col("t"), 10), "春天来了，燕子从南方飞回旧巢。") == 0.0


def plain_lines(text: str) -> float | None:
    seen: set[str] = set()
    total = repeats = 0
    for line in text.split("\n"):
        bare = "".join(char for char in line if not char.isspace())
        total += len(bare)
        repeats += len(bare) * (bare in seen and bare != "")
        seen.add(bare)
    return repeats / total if total else None


@given(LOOP)
def test_line_repetition_equals_its_definition(text: str) -> None:
    assert value(ratios.line_repetition(pl.col("t")), text) == plain_lines(text)


def test_rows_do_not_reach_into_each_other() -> None:
    texts = ["甲乙丙丁" * 5, "甲乙丙丁", None, "甲乙丙丁" * 5, ""]
    frame = pl.DataFrame({"t": texts}).select(
        ngrams=ratios.ngram_repetition(pl.col("t"), 3), lines=ratios.line_repetition(pl.col("t"))
    )
    alone = plain_ngrams("甲乙丙丁" * 5, 3)
    assert frame["ngrams"].to_list() == [alone, 0.0, None, alone, None]
    assert frame["lines"].to_list() == [0.0, 0.0, None, 0.0, None]
