from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from cqia.reporting import verdicts
from cqia.reporting.answers import answers
from cqia.reporting.build import build
from cqia.reporting.figures import label
from cqia.reporting.files import markdown, tex
from cqia.reporting.heat import level
from cqia.reporting.html import text
from cqia.reporting.material import CELLS, Material, gather
from cqia.reporting.page import data
from cqia.reporting.verdicts import BETTER, NOTHING, UNDECIDED, WORSE, verdict
from cqia.stages.report import report
from cqia.tables import escape_latex, latex
from tests.reporting.made import statement

HOSTILE = "=cmd|' /C calc'!A0\n| <script>alert(1)</script> \\input{/etc/passwd} $x$ 100% \u202e&_#"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("hostile")
    statement(work, bad=HOSTILE)
    report(work=work)
    return work


def row(**values: object) -> dict[str, object]:
    names = {"subset": "a", "direction": "higher", "difference": 0.1}
    return dict.fromkeys(CELLS) | names | values


@pytest.mark.parametrize(
    ("direction", "low", "high", "says"),
    [
        ("higher", 0.1, 0.3, BETTER),
        ("higher", -0.3, -0.1, WORSE),
        ("lower", 0.1, 0.3, WORSE),
        ("lower", -0.3, -0.1, BETTER),
        ("higher", -0.1, 0.3, UNDECIDED),
        ("lower", 0.0, 0.3, UNDECIDED),
        ("higher", None, 0.3, NOTHING),
    ],
)
def test_a_verdict(direction: str, low: float | None, high: float | None, says: str) -> None:
    made = row(direction=direction, simultaneous_low=low, simultaneous_high=high)
    assert verdict(made).says == says


def test_the_comparison_may_be_more_careful_than_its_interval() -> None:
    made = row(simultaneous_low=0.1, simultaneous_high=0.3, verdict="undecided")
    assert verdict(made).says == UNDECIDED


def test_a_benchmarks_own_scale_comes_first() -> None:
    cells = pl.DataFrame({"benchmark": ["x"], "direction": ["higher"], "mean": [0.5]})
    bare = Material(work=Path(), cells=cells)
    assert verdicts.scale(bare, "x").number(0.5) == "50.0"
    told = {"x": {"scale": 1.0, "unit": "of 1"}}
    found = verdicts.scale(Material(work=Path(), cells=cells, evaluations=told), "x")
    assert (found.number(0.5), found.unit) == ("0.500", "of 1")
    assert found.number(None) == ""


@pytest.mark.parametrize(("gain", "shade"), [(0.0, 1), (1.0, 5), (-1.0, 5), (0.5, 2), (-0.5, 2)])
def test_the_heat_maps_scale_is_symmetric(gain: float, shade: int) -> None:
    assert level(gain, 1.0) == shade


def test_nothing_to_shade_is_the_lightest() -> None:
    assert level(0, 0) == 1


def test_texts_in_figures_html_and_data_are_escaped() -> None:
    assert label("<b>&\n\u202ex" + "y" * 40, 12) == "&lt;b&gt;&amp; xyyyyy…"
    assert text("<a href='x'>\u202e\"") == "&lt;a href=&#x27;x&#x27;&gt;&quot;"
    assert "</" not in data({"a": "</script>\u2028<!--"})
    assert "<" not in data({"a": "</script>\u2028<!--"})


def test_questions_stand_above_their_answers(work: Path) -> None:
    material = gather(work)
    page = answers(material)
    asked = re.findall('<div class="asked">(.*?)</div>', page, re.DOTALL)
    assert len(asked) == page.count('<div class="pair">') > 10
    assert all("问：为什么？" in one and "&lt;script&gt;" in one for one in asked)
    assert "<script" not in page
    assert "\u202e" not in page
    assert material.outcomes is not None
    older = replace(material, outcomes=material.outcomes.drop("question"))
    assert '<div class="asked">' not in answers(older)


def test_markdown_and_latex_hold_no_hostile_text(work: Path) -> None:
    made = (work / "report" / "report.md").read_text("utf-8")
    assert re.findall(r"(?<!\\)<(?!!--|br)", made) == []
    assert "\u202e" not in made
    made = (work / "report" / "report.tex").read_text("utf-8")
    assert "\\input" not in made
    assert "\u202e" not in made
    assert re.findall(r"(?<!\\)[$#_]", made) == []
    assert made.count("\\begin{table}") == made.count("\\end{table}") > 4
    assert made.count("{") - made.count("\\{") == made.count("}") - made.count("\\}")


def test_spreadsheets_calculate_nothing(work: Path) -> None:
    paths = sorted((work / "report" / "tables").glob("*.csv"))
    assert len(paths) > 5
    for path in paths:
        for line in csv.reader(io.StringIO(path.read_text("utf-8"))):
            for cell in line:
                assert not cell.startswith(("=", "@", "\t"))
                assert not cell.startswith(("+", "-")) or float(cell) is not None or cell == "-"


def test_both_languages_stand_in_the_markdown(work: Path) -> None:
    material = gather(work)
    made = build(material)
    body = markdown(material, made.title, made.grids, made.tables)
    assert body.index("## 结论") < body.index("## Statement") < body.index("## 表 2")
    assert body.count("[proxy experiment]") == body.count("[代理实验]") == 0
    assert body.count("\\[proxy experiment\\]") == body.count("\\[代理实验\\]") > 50
    assert "Table 4" in tex(made.grids, made.tables)


def test_a_latex_table() -> None:
    frame = pl.DataFrame({"名_1": ["50% [a] *", None], "n": [1234, 5], "x": [0.5, None]})
    assert latex(frame, caption="A & B", label="t 1").splitlines()[2:11] == [
        r"\caption{A \& B}",
        r"\label{tab:t-1}",
        r"\resizebox{\textwidth}{!}{%",
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r"名\_1 & n & x \\",
        r"\midrule",
        r"50\% {[}a{]} {*} & 1,234 & 0.5 \\",
        r" & 5 &  \\",
    ]
    assert escape_latex("\\~^{}<>|") == (
        r"\textbackslash{}\textasciitilde{}\textasciicircum{}\{\}"
        r"\textless{}\textgreater{}\textbar{}"
    )
