import polars as pl
import pytest

from cqia.filters.lacunae import Lacunae
from cqia.filters.questions import Question
from cqia.filters.status import Status


def measure(step: Question | Lacunae | Status, **columns: str | None) -> object:
    frame = pl.DataFrame({name: [text] for name, text in columns.items()}, strict=False)
    frame = frame.cast(pl.String)
    return frame.select(step.measure()).item()


@pytest.mark.parametrize(
    "text",
    [
        "水会饿吗",
        "这是为什么",
        "几点了",
        "谁来评评理",
        "能否解释一下",
        "真的？",
        "他到底去不去?",
        "你呢……",
    ],
)
def test_what_asks(text: str) -> None:
    assert measure(Question(), instruction=text) == 1


@pytest.mark.parametrize(
    "text",
    [
        "今天天气很好。",
        "哪怕下雨也去",
        "没什么大不了",
        "几乎没有人来",
        "无论如何都要赢",
        "祝大家新年快乐",
        "",
    ],
)
def test_what_asks_nothing(text: str) -> None:
    assert measure(Question(), instruction=text) == 0


def test_a_null_is_unmeasured() -> None:
    assert measure(Question(), instruction=None) is None
    assert measure(Lacunae(), output=None) is None
    assert measure(Status(), metadata=None) is None


def test_gaps_are_counted() -> None:
    assert measure(Lacunae(), output="□□长安陌，■风") == 3
    assert measure(Lacunae(), output="口口声声，囗不是缺字。") == 0


def test_the_mark_of_the_raw_item_is_seen() -> None:
    assert measure(Status(), metadata="tid:3, 状态:置顶") == 1
    assert measure(Status(), metadata="tid:3") == 0
