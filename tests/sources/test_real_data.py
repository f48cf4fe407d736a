"""The readers on public data in the sources' real shapes, where it is at hand."""

import os
from pathlib import Path

import polars as pl
import pytest

from cqia.raw.plan import plan, read
from cqia.sources.base import Source
from cqia.sources.chinese_poetry import CHINESE_POETRY
from cqia.sources.gaokao_bench import GAOKAO_BENCH
from cqia.sources.ruozhiba import RUOZHIBA

DATA = Path(os.environ.get("CQIA_DATA", Path(__file__).parents[2] / "../shared/data"))

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA}")


def made(source: Source, pattern: str, kind: str = "json") -> pl.DataFrame:
    """What the source's reader makes of the files."""
    files = sorted(str(path) for path in DATA.glob(pattern))
    form = next(form for form in source.forms if form.kind == kind)
    batches = [batch for task in plan(files, [kind]) for batch in read(task, form.schema)]
    assert sum(len(batch.bad) for batch in batches) == 0
    return pl.concat(form.read(batch.items) for batch in batches)


def test_every_question_of_gaokao_bench_is_read() -> None:
    papers = made(GAOKAO_BENCH, "gaokao_bench/*/*.json")
    assert len(papers) == 2_811
    assert papers["fault"].null_count() == 2_811
    assert papers["key"].n_unique() == 2_811
    assert papers["domain"].list.len().eq(1).all()
    unanswered = papers.filter(~pl.col("output").str.contains(r"^答案：[^：:．，]"))
    assert unanswered["key"].to_list() == [
        "2012-2022_English_Language_Error_Correction-19",
        "2012-2022_English_Language_Error_Correction-21",
    ]


def test_every_work_of_chinese_poetry_is_read() -> None:
    works = made(CHINESE_POETRY, "chinese_poetry/*.json")
    assert len(works) == 1_000 + 366 + 280 + 305 + 512
    assert works["fault"].null_count() == len(works)
    assert works.select(pl.col("instruction", "output").str.len_chars() > 0).min().row(0) == (
        True,
        True,
    )


def test_every_question_of_ruozhiba_qa_is_read() -> None:
    asked = made(RUOZHIBA, "ruozhiba_qa/questions.jsonl")
    assert len(asked) == 1_465
    assert asked["fault"].null_count() == 1_465
    assert asked["key"].n_unique() == 1_465


def test_every_thread_of_a_real_board_is_read() -> None:
    threads = made(RUOZHIBA, "html_pages/tieba_1.html", "html")
    assert len(threads) == 50
    assert threads["fault"].null_count() == 50
    assert threads["key"].n_unique() == 50
    assert threads["metadata"].str.contains("置顶").sum() == 2
