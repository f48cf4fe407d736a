from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqia.errors import UserError
from cqia.llm import protocol
from cqia.llm.protocol import Failure, Outcome, Reply, Weight
from cqia.scorers.base import Texts
from cqia.scorers.catalogue import FREE, WEIGHED
from cqia.scorers.ngram import FOLDS, Batches, _folds, learning
from cqia.scorers.weighed import IFD, PERPLEXITY


def score(name: str, *outputs: str) -> list[float | None]:
    frame = pl.DataFrame({"id": [str(n) for n in range(len(outputs))], "output": outputs})
    return FREE[name].learn(lambda: [frame])(frame).to_list()


def test_reading_measures_by_hand() -> None:
    assert score("length", "一 二\n三", "a1，") == [3, 3]
    assert score("sentence_length", "今天好。明天更好！", "没有句号", "。。！") == [
        9 / 2,
        4,
        None,
    ]
    assert score("common", "的一鼯", "abc") == [pytest.approx(2 / 3), None]
    assert score("distinct", "ababa", "abc", "a") == [pytest.approx(2 / 4), 1, None]
    assert score("variety", "aab", "啊" * 300) == [pytest.approx(2 / 3), pytest.approx(0.01)]


@pytest.mark.parametrize("name", [name for name in FREE if name != "ngram"])
def test_no_text_is_no_number(name: str) -> None:
    assert score(name, "", " \n\t") == [None, None]


@given(st.text(max_size=300))
def test_variety_and_distinct_are_what_they_say(text: str) -> None:
    if not text.strip():
        return
    size = min(100, len(text))
    windows = [len(set(text[at : at + size])) / size for at in range(len(text) - size + 1)]
    assert score("variety", text) == [pytest.approx(sum(windows) / len(windows))]
    pairs = [text[at : at + 2] for at in range(len(text) - 1)]
    expected = len(set(pairs)) / len(pairs) if pairs else None
    assert score("distinct", text) == [expected if expected is None else pytest.approx(expected)]


def collection(texts: Iterable[str]) -> pl.DataFrame:
    frame = pl.DataFrame({"output": list(texts)})
    return frame.with_columns(id=pl.format("a-{}", pl.int_range(pl.len())))


def batched(frame: pl.DataFrame, size: int) -> Batches:
    return lambda: frame.iter_slices(size)


def naive(texts: list[str], folds: list[int], text: str, fold: int) -> float:
    """Witten-Bell as the formula says it."""
    known = len({char for one in texts for char in one}) + 1
    grams: Counter[str] = Counter()
    for one, of in zip(texts, folds, strict=True):
        padded = "\0\0\0" + one
        for at in range(3, len(padded)):
            grams.update(padded[at - order + 1 : at + 1] for order in (1, 2, 3, 4) if of != fold)
    padded, bits = "\0\0\0" + text, 0.0
    for at in range(3, len(padded)):
        chance = 1 / known
        for order in (1, 2, 3, 4):
            context = padded[at - order + 1 : at]
            after = {g: n for g, n in grams.items() if len(g) == order and g[:-1] == context}
            if after:
                seen = after.get(context + padded[at], 0)
                chance = (seen + len(after) * chance) / (sum(after.values()) + len(after))
        bits -= math.log2(chance)
    return bits / len(text)


TEXTS = [
    "今天天气很好，我们去公园。", "明天天气不好，我们在家。", "我们在公园里看花。", "abcabcabc",
    "今天我们不去公园。", "𠮷野家", "天气天气天气", "a", "花开了，天气好了。", "他在家看书。",
] * 3  # fmt: skip


def test_the_ngram_model_is_the_formula() -> None:
    frame = collection(TEXTS)
    folds = _folds(frame).tolist()
    assert set(folds) == set(range(FOLDS))
    found = learning(lambda: [frame])(frame).to_list()
    expected = [naive(TEXTS, folds, text, fold) for text, fold in zip(TEXTS, folds, strict=True)]
    assert found == pytest.approx(expected)


def test_the_ngram_model_depends_on_neither_order_nor_batches() -> None:
    frame = collection(TEXTS)
    plain = dict(zip(frame["id"], learning(lambda: [frame])(frame), strict=True))
    mixed = frame.sample(fraction=1, shuffle=True, seed=3)
    other = dict(zip(mixed["id"], learning(batched(mixed, 7))(mixed), strict=True))
    assert other == pytest.approx(plain)


def test_a_record_never_scores_itself() -> None:
    frame = collection([*TEXTS, "鑫森淼焱垚，犇羴猋骉。"])
    without = learning(lambda: [frame])(frame)[-1]
    assert without is not None
    assert without > max(learning(lambda: [frame])(frame)[:-1].drop_nulls())
    known = len({char for text in frame["output"] for char in text}) + 1
    assert without > 0.5 * math.log2(known)


def test_the_ngram_table_grows_and_chances_sum_to_one() -> None:
    letters = "天地玄黄宇宙洪荒日月盈昃"
    frame = collection(
        letters[a] + letters[b] + letters[c] + "。" + chr(0x4E00 + 1_000 * a + 100 * b + c) * 3
        for a in range(12) for b in range(12) for c in range(12)
    )  # fmt: skip
    assert learning(batched(frame, 100))(frame).is_finite().all()
    every = sorted({char for text in frame["output"] for char in text})
    numbers = learning(lambda: [frame])
    one = pl.DataFrame({"id": ["x"] * len(every), "output": [f"天地{char}" for char in every]})
    two = pl.DataFrame({"id": ["x"], "output": ["天地"]})
    before = numbers(two)[0] * 2
    after = sum(2 ** (before - bits * 3) for bits in numbers(one))
    assert 0.9 < after < 1
    """Below 1 by the chance of a character that nobody has seen."""


def test_empty_answers_are_no_numbers_and_too_little_is_told() -> None:
    frame = collection([*TEXTS, "", "  \n"])
    assert learning(lambda: [frame])(frame).to_list()[-2:] == [None, None]
    with pytest.raises(UserError, match="3 records have an answer, 20 are needed"):
        learning(lambda: [collection(["一", "二", "三", ""])])
    with pytest.raises(UserError, match="0 records have an answer"):
        learning(list)


def reply(*found: tuple[float, int]) -> Reply:
    return Reply(protocol.told([Weight(*one) for one in found]))


def test_bits_a_character_and_difficulty_by_hand() -> None:
    texts = Texts("问题", "材料", "答案四字")
    (asked,) = PERPLEXITY.ask(texts)
    assert (asked.text, asked.continuations) == ("", ("答案四字",))
    said = PERPLEXITY.read(texts, [reply((-8 * math.log(2), 3))])
    assert said
    assert said["score"] == pytest.approx(2)
    after, alone = IFD.ask(texts)
    assert (after.text, alone.text) == ("问题\n材料\n", "")
    assert after.continuations == alone.continuations == ("答案四字",)
    said = IFD.read(texts, [reply((-6.0, 3)), reply((-8.0, 3))])
    assert said
    assert (said["score"], said["mismatched"], said["given"]) == (0.75, False, 2.0)
    said = IFD.read(texts, [reply((-9.0, 3)), reply((-8.0, 3))])
    assert said
    assert said["mismatched"]


def test_long_texts_are_cut_and_told() -> None:
    texts = Texts("问" * 999, "", "答" * 2_000)
    after, _ = IFD.ask(texts)
    assert after.text == "问" * 60 + "\n"
    assert after.continuations == ("答" * 120,)
    said = IFD.read(texts, [reply((-6.0, 3)), reply((-8.0, 3))])
    assert said
    assert (said["weighed"], said["characters"]) == (120, 2_000)


BROKEN: list[Outcome] = [
    Reply("8分"), Reply("[]"), Reply("[[0.1, 3]]"), Reply("[[-1, 0]]"), Reply("[[null, 3]]"),
    Reply("{}"), Reply("[[-1.0, 2], [-1.0, 2]]"), Reply('[["nan", 2]]'), Reply('[["-inf", 2]]'),
    Failure("server"), Reply("7"),
]  # fmt: skip


@pytest.mark.parametrize("outcome", BROKEN, ids=str)
def test_a_reply_without_a_weight_is_unreadable(outcome: Outcome) -> None:
    texts = Texts("问", "", "答")
    good = reply((-1.0, 1))
    assert PERPLEXITY.read(texts, [outcome]) is None
    assert IFD.read(texts, [outcome, good]) is None
    assert IFD.read(texts, [good, outcome]) is None
    assert IFD.read(texts, [good, reply((0.0, 1))]) is None


@pytest.mark.parametrize("texts", [Texts("问", "", ""), Texts("问", "料", " \n")])
def test_no_answer_no_question(texts: Texts) -> None:
    assert [one.ask(texts) for one in WEIGHED.values()] == [(), ()]
    assert IFD.ask(Texts("", " ", "答")) == ()
