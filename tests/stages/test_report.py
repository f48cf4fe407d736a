from __future__ import annotations

import csv
import html
import io
import json
import re
from pathlib import Path

import polars as pl
import pytest

from cqia import store
from cqia.errors import UserError
from cqia.stages.describe import describe
from cqia.stages.report import report
from tests.cli.conftest import cli
from tests.reporting.made import BASES, statement
from tests.workbench import cure, rows

CELL = re.compile(
    r'<td id="(c-[0-9a-f]{12})" class="\w*" data-value="([^"]*)" data-cell="([^"]*)">'
    r"<b>([^<]*)</b>.*?<small>([^<]*)</small>"
)
KEY = ("base", "subset", "benchmark", "group")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    statement(tmp_path / "work")
    return tmp_path / "work"


def page(work: Path) -> str:
    report(work=work)
    return (work / "report" / "report.html").read_text("utf-8")


def data_side(work: Path) -> None:
    task = {"task_major": lambda _: ["问答"], "task_minor": lambda n: [f"类{n % 3}"]}
    cure(work, "ruozhiba", [*rows(17, task), {"key": "bad", "output": "有答无问"}])
    cure(work, "mine", rows(10, task, start=50), type="exam", title="题|库")
    describe(work=work)


def test_numbers_in_the_page_are_the_numbers_of_the_comparison(work: Path) -> None:
    cells = pl.read_parquet(work / "compare" / "cells.parquet")
    known = {tuple(row[name] for name in KEY): row for row in cells.iter_rows(named=True)}
    found = CELL.findall(page(work))
    assert len(found) == len({anchor for anchor, *_ in found})
    for _, value, where, shown, interval in found:
        place = json.loads(html.unescape(where))
        row = known.pop(tuple(place[name] for name in KEY))
        assert float(value) == row["mean"]
        factor, digits = (1, 3) if place["benchmark"] == "reference_loss" else (100, 1)
        numbers = [f"{row[name] * factor:.{digits}f}" for name in ("mean", "low", "high")]
        assert [shown, interval] == [numbers[0], f"[{numbers[1]}, {numbers[2]}]"]
        assert len(place["folders"]) == (2 if place["subset"] else 1)
        assert all((work / one / "manifest.json").is_file() for one in place["folders"])
    # Table 4 shows the micro average only, as SafetyBench does.
    assert {key[2:] for key in known} == {("safetybench", "macro")}


def test_every_claim_leads_to_a_cell(work: Path) -> None:
    made = page(work)
    places = set(re.findall(r' id="([^"]+)"', made))
    links = set(re.findall(r'href="#([^"]+)"', made))
    assert len(links) > 50
    assert links <= places


def test_a_claim_is_made_by_its_verdict_only(work: Path) -> None:
    cells = pl.read_parquet(work / "compare" / "cells.parquet").filter(pl.col("group") != "macro")
    made = page(work)
    for says in ("better", "worse", "undecided"):
        assert made.count(f'<li class="{says}">') == cells.filter(verdict=says).height


def test_a_verdict_without_an_interval_to_bear_it_is_none(work: Path) -> None:
    path = work / "compare" / "cells.parquet"
    cells = pl.read_parquet(path)
    wide = cells.with_columns(simultaneous_low=-9.0, simultaneous_high=9.0)
    store.write_frame(path, wide)
    assert '<li class="better">' not in page(work)
    store.write_frame(path, cells.with_columns(simultaneous_low=None))
    assert not set(re.findall(r'<li class="(\w+)">', page(work))) & {"better", "worse", "undecided"}


def test_a_proxy_is_named_so_in_the_title_and_at_every_claim(work: Path, tmp_path: Path) -> None:
    made = page(work)
    assert "（代理实验）</title>" in made
    assert len(re.findall(r"<li class", made)) == made.count('<span class="tag">')
    statement(tmp_path / "real", proxy=False)
    made = page(tmp_path / "real")
    assert "代理实验" not in made
    assert "proxy experiment" not in made


def test_the_data_side_alone_makes_a_report(tmp_path: Path) -> None:
    data_side(tmp_path)
    facts = report(work=tmp_path)
    made = (tmp_path / "report" / "report.html").read_text("utf-8")
    assert [one for one in ("figure-2", "figure-3", "funnel") if f'"{one}":{{' not in made] == []
    assert 'id="table-1"' in made
    assert 'id="statement"' in made
    assert "没有实验陈述" in made
    assert any("cqia run" in one for one in facts["missing"])
    assert "tables/table-1.csv" in facts["files"]


def test_both_sides_are_told_together(work: Path) -> None:
    data_side(work)
    facts = report(work=work)
    assert facts["missing"] == []
    assert (work / "report" / "report.html").stat().st_size < 6_000_000


def test_the_report_needs_something_to_report(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="curate"):
        report(work=tmp_path)


def test_a_statement_whose_comparison_is_missing_says_what_to_run(work: Path) -> None:
    (work / "compare" / "cells.parquet").unlink()
    facts = report(work=work)
    assert facts["missing"] == [
        f"no comparison: run cqia compare --work {work}",
        f"no source table, funnel: run cqia describe --work {work}",
    ]


def test_failed_cells_are_listed_with_their_error(work: Path) -> None:
    made = page(work)
    assert 'id="failed"' in made
    assert "out of memory" in made


def test_controls_are_judged(work: Path) -> None:
    made = page(work)
    # shuffled: worse on both bases; swapped: compared with its original on the first one only
    assert made.count(">符合预期<") == 3
    assert made.count(">无定论<") == 1
    assert ">不符合预期<" not in made


def test_a_control_that_helps_is_shown_as_broken(work: Path) -> None:
    path = work / "compare" / "pairs.parquet"
    store.write_frame(path, pl.read_parquet(path).with_columns(verdict=pl.lit("worse")))
    made = page(work)
    assert made.count(">不符合预期<") == 1


@pytest.mark.parametrize(
    ("verdict", "first", "said"),
    [
        ("better", "ruozhiba", "符合预期"),
        ("worse", "zhihu", "符合预期"),
        ("undecided", "ruozhiba", "无定论"),
        ("worse", "ruozhiba", "不符合预期"),
    ],
)
def test_a_source_must_be_best_at_its_own_kind(
    work: Path, verdict: str, first: str, said: str
) -> None:
    cells = pl.read_parquet(work / "compare" / "cells.parquet")
    own = cells.with_columns(pl.col("group").replace("exam", "ruozhiba"))
    store.write_frame(work / "compare" / "cells.parquet", own)
    pairs = pl.read_parquet(work / "compare" / "pairs.parquet").head(0)
    pair = {"base": BASES[0], "benchmark": "reference_loss", "group": "ruozhiba", "first": first,
            "second": "zhihu" if first == "ruozhiba" else "ruozhiba", "difference": -0.2,
            "verdict": verdict}  # fmt: skip
    more = pl.DataFrame([pair], schema_overrides=pairs.schema)
    store.write_frame(work / "compare" / "pairs.parquet", pl.concat([pairs, more], how="diagonal"))
    made = page(work)
    (line,) = re.findall(f"<li[^>]*>[^\n]*{BASES[0]} · ruozhiba[^\n]*", made)
    assert f">{said}<" in line


def test_the_trace_lists_every_number_with_its_files(work: Path) -> None:
    made = page(work)
    text = (work / "report" / "tables" / "trace.csv").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    means = {row["cell"]: float(row["value"]) for row in rows if row["what"] == "mean"}
    assert means == {anchor: float(value) for anchor, value, *_ in CELL.findall(made)}
    assert {row["file"] for row in rows} == {"compare/cells.parquet"}
    assert all(row["folders"].startswith("evaluate/") for row in rows)


def test_twice_the_same_bytes(work: Path, tmp_path: Path) -> None:
    report(work=work)
    report(work=work, folder=tmp_path / "again")
    for path in (work / "report").rglob("*.*"):
        again = tmp_path / "again" / path.relative_to(work / "report")
        assert path.read_bytes() == again.read_bytes()


def test_the_command_tells_where_the_files_are(work: Path) -> None:
    data_side(work)
    (work / "describe" / "sources.json").unlink()
    said = cli("report", "--work", str(work)).output
    assert f"{work}/report/report.html" in said.replace("\n", "")
    assert (work / "describe" / "sources.json").is_file()
    assert "missing" not in said


def test_without_plotly_the_page_says_what_to_install(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cqia.reporting.page.find_spec", lambda _: None)
    made = page(work)
    assert "pip install &#x27;cqia[plot]&#x27;" in made
    assert len(made) < 1_000_000
    assert BASES[0] in made


def test_attribution_and_rankings_are_shown_when_they_are_there(work: Path) -> None:
    frame = pl.DataFrame({"base": ["proxy-4m"], "gain": [0.25]})
    store.write_frame(work / "attribute" / "without.parquet", frame)
    store.write_frame(work / "compare" / "ranking.parquet", frame)
    made = page(work)
    assert 'id="attribution-without"' in made
    assert 'id="ranking"' in made


def test_wins_ties_and_losses_make_figure_4(work: Path) -> None:
    path = work / "statement" / "outcomes.parquet"
    old = pl.read_parquet(path)
    duel = old.filter(benchmark="agieval").with_columns(
        benchmark=pl.lit("pairwise"), group=pl.lit("rival"), score=pl.lit(0.5)
    )
    store.write_frame(path, pl.concat([old, duel]))
    cells = pl.read_parquet(work / "compare" / "cells.parquet")
    more = cells.filter(benchmark="agieval").with_columns(benchmark=pl.lit("pairwise"))
    store.write_frame(work / "compare" / "cells.parquet", pl.concat([cells, more]))
    made = page(work)
    assert '"figure-4-0-4":{' in made
    assert "figure-4-0-0" not in made


def test_costs_are_told_of_what_was_asked(work: Path) -> None:
    folder = work / "score" / "quality@m"
    rows_ = pl.DataFrame({"prompt_tokens": [10, None], "reply_tokens": [5, None]})
    store.write_frame(folder / "00000" / "scores.parquet", rows_)
    facts = {"model": "m", "states": {"read": 1, "unsent": 1}, "cost": 0.5, "prompt": "abc",
             "price": {"currency": "CNY"}}  # fmt: skip
    store.write_json(folder / "manifest.json", facts)
    report(work=work)
    text = (work / "report" / "tables" / "costs.csv").read_text("utf-8")
    (row,) = [one for one in csv.DictReader(io.StringIO(text)) if one["stage"] == "score"]
    assert (row["requests"], row["tokens"], row["cost"], row["currency"]) == (
        "1",
        "15",
        "0.5",
        "CNY",
    )
