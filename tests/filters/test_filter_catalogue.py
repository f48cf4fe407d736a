import importlib
import pkgutil
from dataclasses import fields

import polars as pl
import pytest

import cqia.filters
from cqia.filters.base import Filter, TextFilter, within
from cqia.filters.catalogue import FILTERS
from cqia.record import SCHEMA


def defined() -> set[type[Filter]]:
    found = set()
    for module in pkgutil.iter_modules(cqia.filters.__path__):
        room = importlib.import_module(f"cqia.filters.{module.name}")
        found |= {
            one
            for one in vars(room).values()
            if isinstance(one, type) and issubclass(one, Filter) and one.__module__ == room.__name__
        }
    return found - {Filter, TextFilter}


def make(name: str) -> Filter:
    wanted = FILTERS[name]
    if any(one.name == "category" for one in fields(wanted)):
        return wanted(category="fraud")  # type: ignore[call-arg]
    return wanted()


def test_every_filter_is_listed_under_its_own_name() -> None:
    assert set(FILTERS.values()) == defined()
    assert all(name == one.__name__ for name, one in FILTERS.items())
    assert list(FILTERS) == sorted(FILTERS)


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_a_filter_measures_any_record_and_hides_none(name: str) -> None:
    rule = make(name)
    texts = [None, "", " \n\t ", "。", "好", "\u200b", "😀\U000e0001", "x" * 5_000, "春\n" * 300]
    columns = {
        key: pl.Series(texts, dtype=pl.String)
        if kind == pl.String()
        else pl.Series([None] * len(texts), dtype=kind)
        for key, kind in SCHEMA.items()
    }
    records = pl.DataFrame(columns)
    values = records.select(value=rule.measure())["value"]
    assert len(values) == len(texts)
    assert values.dtype.is_numeric()
    assert not values.cast(pl.Float64).is_nan().any()
    assert values[0] is None or name == "PromptLength"
    kept = pl.select(keep=within(pl.lit(values), rule.low, rule.high))["keep"]
    assert kept.null_count() == 0
    assert kept[0], "what can't be measured is kept"
    assert records.clear().select(value=rule.measure()).height == 0


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_a_filter_is_a_plain_printable_value(name: str) -> None:
    rule = make(name)
    assert rule == make(name)
    assert hash(rule) == hash(make(name))
    assert repr(rule).startswith(f"{name}(")
    assert " at 0x" not in repr(rule)
    assert rule.key.split(".")[0] == name
    with pytest.raises(AttributeError):
        rule.high = 5  # type: ignore[misc]


def test_a_sliced_column_is_measured_as_its_own_rows() -> None:
    whole = pl.DataFrame({"output": ["一二三四", "abcd", "12ab", "", "汉a"]})
    rule = FILTERS["HanShare"]()
    assert whole[2:].select(v=rule.measure())["v"].to_list() == [0.0, None, 0.5]
