from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from cqia.describing import verbs
from cqia.describing.tree import Pair
from cqia.errors import UserError


class Counted:
    """A parser that counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[Pair]:
        self.asked += texts
        return [("写", one[-1]) if one else ("", "") for one in texts]


@pytest.fixture
def parser(monkeypatch: pytest.MonkeyPatch) -> Counted:
    one = Counted()
    monkeypatch.setattr(verbs, "opened", lambda name, model="": one)
    return one


def test_a_text_is_parsed_once(parser: Counted, tmp_path: Path) -> None:
    texts = pl.Series(["写诗", "写诗", "写信", None, ""])
    first = verbs.pairs(texts, parser="tree", cache=tmp_path / "pairs.sqlite")
    assert first.rows() == [("写", "诗"), ("写", "诗"), ("写", "信"), ("", ""), ("", "")]
    assert sorted(parser.asked) == ["", "写信", "写诗"]
    again = verbs.pairs(texts, parser="tree", cache=tmp_path / "pairs.sqlite")
    assert again.equals(first)
    assert len(parser.asked) == 3


def test_another_parser_asks_anew(parser: Counted, tmp_path: Path) -> None:
    for name in ("tree", "rules"):
        verbs.pairs(pl.Series(["写诗"]), parser=name, cache=tmp_path / "pairs.sqlite")
    assert parser.asked == ["写诗", "写诗"]


def test_what_was_parsed_before_a_crash_is_kept(
    parser: Counted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verbs, "BATCH", 1)

    def stop(done: int, total: int, what: str) -> None:
        raise KeyboardInterrupt

    cache = tmp_path / "pairs.sqlite"
    with pytest.raises(KeyboardInterrupt):
        verbs.pairs(pl.Series(["写诗", "写信"]), parser="tree", cache=cache, progress=stop)
    verbs.pairs(pl.Series(["写诗", "写信"]), parser="tree", cache=cache)
    assert parser.asked == ["写诗", "写信"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# Title\n\n写一首诗。再写一封信。", "写一首诗。"),
        ("Hello world", ""),
        ("", ""),
        ("请" + "很" * 30 + "，" + "好" * 40, "请" + "很" * 30),
        ("好" * 80, "好" * 60),
    ],
)
def test_the_first_chinese_sentence_is_parsed(text: str, found: str) -> None:
    assert verbs.sentence(text) == found


def test_an_unknown_parser_is_told() -> None:
    with pytest.raises(UserError, match="unknown parser 'trees'"):
        verbs.opened("trees")
