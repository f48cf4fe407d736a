from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqia.text.matching import matching_view
from cqia.text.overlap import HITS, best, ngram_index

QUESTION = "下列关于水循环的说法正确的是哪一项呢"
OPTION = "海洋蒸发的水汽全部降落在陆地上面"
OTHER = "陆地上的水最终都要流回海洋里面去"


def rows(
    items: list[list[str]], records: list[str | None], ngram: int = 13
) -> list[tuple[int, int, float]]:
    hits = ngram_index(items, ngram=ngram).hits(pl.Series(records, dtype=pl.String))
    return hits.select("record", "item", "share").rows()


def plain_share(item: list[str], record: str, ngram: int) -> float:
    grams = {segment[at : at + ngram] for segment in item for at in range(len(segment) - ngram + 1)}
    return sum(gram in record for gram in grams) / len(grams) if grams else 0.0


def test_a_copied_item_is_covered_whole() -> None:
    record = "题目" + QUESTION + OPTION + OTHER + "答案是甲"
    hits = ngram_index([[QUESTION, OPTION, OTHER]]).hits(pl.Series([record]))
    assert hits.rows() == [(0, 0, 1.0, len(QUESTION + OPTION + OTHER))]


def test_the_order_of_the_options_does_not_matter() -> None:
    assert rows([[QUESTION, OPTION, OTHER]], [QUESTION + OTHER + OPTION]) == [(0, 0, 1.0)]


def test_characters_are_counted_once() -> None:
    hits = ngram_index([[QUESTION, OPTION]]).hits(pl.Series([QUESTION[:14] + "断" + OPTION]))
    assert hits["characters"].to_list() == [14 + len(OPTION)]


def test_no_ngram_runs_across_segments() -> None:
    assert rows([[QUESTION, OPTION]], [QUESTION[-7:] + OPTION[:7]]) == []


def test_one_record_covers_several_items() -> None:
    items = [[QUESTION], [OPTION], ["无关的内容在这里写得足够长了吧"], [QUESTION]]
    assert rows(items, [None, "", QUESTION + OPTION]) == [(2, 0, 1.0), (2, 1, 1.0), (2, 3, 1.0)]


def test_a_repeated_ngram_counts_once() -> None:
    ((_, _, share),) = rows([[QUESTION]], [QUESTION[:13] * 5])
    assert share == pytest.approx(1 / (len(QUESTION) - 12))


def test_short_items_are_looked_for_whole() -> None:
    items = [["春江潮水连海平"], ["海上明月共潮生起"], ["短"], []]
    index = ngram_index(items)
    assert index.too_short.to_list() == [0, 2, 3]
    hits = index.hits(pl.Series(["春江潮水连海平海上明月共潮生起", "海上明月共潮生"]))
    assert hits.rows() == [(0, 1, 1.0, 8)]


def test_short_segments_of_a_long_item_are_left_out() -> None:
    assert rows([[QUESTION, "海上明月共潮生起"]], [QUESTION]) == [(0, 0, 1.0)]


def test_a_least_share_cuts_the_rest_off() -> None:
    index = ngram_index([[QUESTION + OPTION]])
    assert index.hits(pl.Series([QUESTION]), least=0.5).equals(HITS.to_frame())
    assert len(index.hits(pl.Series([QUESTION]), least=0.1)) == 1


def test_best_of_a_record_and_of_an_item() -> None:
    hits = pl.DataFrame(
        [(0, 0, 0.5, 9), (0, 1, 0.9, 9), (1, 0, 0.5, 9), (1, 1, 0.2, 9)], schema=HITS, orient="row"
    )
    assert best(hits, "record").select("record", "item").rows() == [(0, 1), (1, 0)]
    assert best(hits, "item").select("item", "record").rows() == [(0, 0), (1, 0)]


@pytest.mark.parametrize("records", [[], [None], [""]])
def test_no_text_has_no_hits(records: list[str | None]) -> None:
    assert rows([[QUESTION]], records) == []


def test_no_items() -> None:
    index = ngram_index([])
    assert index.too_short.is_empty()
    assert index.hits(pl.Series([QUESTION])).is_empty()


@pytest.mark.parametrize(("ngram", "shortest"), [(0, 0), (13, 14), (13, 0), (65, 8)])
def test_lengths_that_make_no_sense_are_refused(ngram: int, shortest: int) -> None:
    with pytest.raises(ValueError, match="does not hold"):
        ngram_index([[QUESTION]], ngram=ngram, shortest=shortest)


@settings(max_examples=60, deadline=None)
@given(
    items=st.lists(st.lists(st.text("一二三", max_size=9), max_size=3), max_size=4),
    records=st.lists(st.text("一二三", max_size=30), max_size=4),
)
def test_shares_are_those_of_the_plain_definition(
    items: list[list[str]], records: list[str]
) -> None:
    index = ngram_index(items, ngram=3, shortest=3)
    found = {
        (r, i): share for r, i, share, _ in index.hits(pl.Series(records, dtype=pl.String)).rows()
    }
    for r, record in enumerate(records):
        for i, item in enumerate(items):
            assert found.get((r, i), 0.0) == pytest.approx(plain_share(item, record, 3))


DATA = Path(os.environ.get("CQIA_DATA", Path(__file__).parents[3] / "shared" / "data"))


def exam(subject: str) -> list[list[str]]:
    with (DATA / "agieval_zh" / f"gaokao-{subject}.jsonl").open(encoding="utf-8") as file:
        items = [json.loads(line) for line in file]
    return [
        matching_view(
            pl.Series([item["question"], *(option[3:] for option in item["options"])])
        ).to_list()
        for item in items
    ]


def bank(subject: str) -> pl.Series:
    path = DATA / "gaokao_bench" / "Objective_Questions" / f"2010-2022_{subject}_MCQs.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["example"]
    return matching_view(pl.Series([row["question"] for row in rows]))


@pytest.mark.skipif(not (DATA / "agieval_zh").is_dir(), reason=f"no exam data under {DATA}")
@pytest.mark.parametrize(
    ("subject", "file", "covered"),
    [
        ("geography", "Geography", 52),  # national papers, in both collections
        ("history", "History", 0),  # Shanghai and Tianjin papers against national ones
    ],
)
def test_real_exam_items_that_stand_in_both_collections(
    subject: str, file: str, covered: int
) -> None:
    hits = best(ngram_index(exam(subject)).hits(bank(file), least=0.5), "item")
    assert len(hits) == pytest.approx(covered, abs=2)
