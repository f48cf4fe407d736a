import json
import re
from pathlib import Path

import pytest

from cqia import experiment, store
from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.contamination import Benchmark
from cqia.errors import UserError
from cqia.experiment import Assemble, Dedup, Experiment
from cqia.filters.length import Length
from cqia.filters.sensitive import SensitiveWords
from cqia.llm import models
from cqia.recipe import keys
from cqia.sources.generic import STEPS
from cqia.sources.zhihu import ZHIHU
from cqia.stages.assemble import Take
from tests.cli.conftest import cli

ROOT = Path(__file__).parents[1]
FULL = """
name = "mine"
seed = 7
work = "there"
allow_bad = 4

[[source]]
name = "zhihu"
files = ["raw/*.jsonl", "raw/a.jsonl"]
bounds = { "Length.output" = { low = 5, high = 9 }, Votes = { low = 1.5 } }

[[source]]
name = "faq"
family = "daily"
type = "knowledge"
title = "问答"
origin = "here"
licence = "MIT"
reader = "csv"
files = "raw/t.csv"
columns = ["q", "a"]
map = { title = "q", output = "a", votes = "n" }
templates = ["{title}？"]
answers = 0
steps = [
    { step = "HtmlToText", mode = "html", fields = ["output"] },
    { step = "MaskPersonalData", kinds = ["email"] },
    { step = "Length", field = "output", low = 2, high = 8.5 },
    { step = "SensitiveWords", category = "drugs", words = ["某词"] },
]
[source.labels]
task_major = ["问答"]
task_minor = "问答"
domain = ["生活", "法律"]
answer_from = "llm"
copyright = "甲"
human_verified = true

[dedup]
threshold = 0.8
ngram = 4
permutations = 20
bands = 5
near = "output"
prefer = ["length"]

[[contamination]]
name = "exam"
files = ["raw/b.jsonl"]
fields = ["question", "options"]
threshold = 0.4
drop = true

[assemble]
total = 30
unit = "characters"
validation = 0.1
seed = 3
formats = ["release", "alpaca"]

[[assemble.take]]
source = "zhihu"
weight = 2
stratify = ""

[[assemble.take]]
family = "daily"
amount = 5
"""
SOURCE = '[[source]]\nname = "t"\nreader = "alpaca"\nfiles = ["raw/a.jsonl"]\n'


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    for name in ("a.jsonl", "b.jsonl", "t.csv"):
        (tmp_path / "raw" / name).write_text("{}\n", encoding="utf-8")
    return tmp_path


def parsed(place: Path, text: str) -> Experiment:
    (place / "e.toml").write_text(text, encoding="utf-8")
    return experiment.read(place / "e.toml")


def faults(place: Path, text: str) -> list[str]:
    """What is wrong, without the file's folder."""
    with pytest.raises(UserError) as caught:
        parsed(place, text)
    return str(caught.value).replace(f"{place}/", "").splitlines()


def test_every_key_arrives(place: Path) -> None:
    found = parsed(place, FULL)
    assert (found.name, found.seed, found.work, found.allow_bad) == ("mine", 7, Path("there"), 4)
    assert found.dedup == Dedup(
        threshold=0.8, ngram=4, permutations=20, bands=5, near="output", prefer=("length",)
    )
    (benchmark,) = found.benchmarks
    assert benchmark == Benchmark(
        name="exam", files=(str(place / "raw/b.jsonl"),),
        fields=("question", "options"), threshold=0.4, drop=True,
    )  # fmt: skip
    takes = (Take(source="zhihu", weight=2.0, stratify=""), Take(family="daily", amount=5))
    assert found.assemble == Assemble(
        takes=takes, total=30, unit="characters", validation=0.1, seed=3,
        formats=("release", "alpaca"),
    )  # fmt: skip


def test_every_key_of_a_source_without_code_arrives(place: Path) -> None:
    one = parsed(place, FULL).inputs[1]
    source = one.source
    assert (source.name, source.family, source.type, source.title) == (
        *("faq", "daily", "knowledge"),
        "问答",
    )
    assert (source.origin, source.licence, source.answers) == ("here", "MIT", None)
    assert (one.files, one.columns) == ((str(place / "raw/t.csv"),), ("q", "a"))
    assert source.templates == ("{title}？",)
    assert source.steps == (
        HtmlToText(mode="html", fields=("output",)),
        MaskPersonalData(kinds=("email",)),
        Length(field="output", low=2, high=8.5),
        SensitiveWords(category="drugs", words=("某词",)),
    )
    assert source.labels == {
        "task_major": ["问答"], "task_minor": ["问答"], "domain": ["生活", "法律"],
        "answer_from": "llm", "copyright": "甲", "human_verified": True,
    }  # fmt: skip


def test_what_is_left_out_is_as_documented(place: Path) -> None:
    found = parsed(place, SOURCE + "[assemble]\n[[assemble.take]]\nsource = 't'\n")
    assert (found.name, found.seed, found.work, found.allow_bad) == ("e", 0, Path("work/e"), 0)
    assert (found.dedup, found.benchmarks) == (None, ())
    assert found.assemble == Assemble(takes=(Take(source="t"),))
    source = found.inputs[0].source
    assert (source.family, source.type, source.title, source.answers) == ("t", "nlp", "t", 1)
    assert (source.origin, source.licence) == ("not stated", "not stated")
    assert (source.steps, source.labels, source.templates) == (STEPS, {}, ())
    assert parsed(place, SOURCE + "steps = []\n").inputs[0].source.steps == ()
    assert parsed(place, SOURCE + "[dedup]\n").dedup == Dedup()


def test_the_working_folder_that_is_given_wins(place: Path) -> None:
    (place / "e.toml").write_text(SOURCE + '\n[dedup]\nnear = "none"\n')
    assert experiment.read(place / "e.toml", work=Path("other")).work == Path("other")


def test_bounds_move_and_the_others_stay(place: Path) -> None:
    steps = dict(zip(keys(ZHIHU.steps), ZHIHU.steps, strict=True))
    found = parsed(place, FULL).inputs[0].source
    moved = {
        name: step
        for name, step in zip(keys(found.steps), found.steps, strict=True)
        if step != steps[name]
    }
    assert {name: (step.low, step.high) for name, step in moved.items()} == {  # type: ignore[union-attr]
        "Length.output": (5, 9),
        "Votes": (1.5, None),
    }


# Files


def test_patterns_are_relative_to_the_toml_and_give_each_file_once(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "elsewhere").mkdir()
    monkeypatch.chdir(place / "elsewhere")
    found = parsed(place, FULL).inputs[0].files
    assert found == (str(place / "raw/a.jsonl"), str(place / "raw/b.jsonl"))
    monkeypatch.chdir(place)
    assert parsed(place, FULL).inputs[0].files == ("raw/a.jsonl", "raw/b.jsonl")


def test_the_environment_names_files(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = SOURCE.replace("raw/a.jsonl", "${CQIA_RAW:-raw}/a.jsonl")
    monkeypatch.delenv("CQIA_RAW", raising=False)
    assert parsed(place, text).inputs[0].files == (str(place / "raw/a.jsonl"),)
    (place / "more").mkdir()
    (place / "more" / "a.jsonl").touch()
    monkeypatch.setenv("CQIA_RAW", str(place / "more"))
    assert parsed(place, text).inputs[0].files == (str(place / "more/a.jsonl"),)
    monkeypatch.delenv("CQIA_RAW")
    assert faults(place, text.replace(":-raw", "")) == [
        "e.toml:4: the environment variable CQIA_RAW is not set; export CQIA_RAW=…"
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ('files = ["no/*"]', "e.toml:4: [source] no file matches no/*; check the path"),
        ('files = ["raw"]', "e.toml:4: [source] raw is a folder; name its files: raw/*"),
        ("files = 3", "e.toml:4: [source] 'files' must be a list of strings"),
        ("", 'e.toml:1: [source] no files; name them: files = ["data/*.jsonl"]'),
    ],
)
def test_files_that_are_not_there_are_told(files: str, message: str, place: Path) -> None:
    assert faults(place, SOURCE.replace('files = ["raw/a.jsonl"]', files)) == [message]


# Faults


def test_all_faults_are_told_at_once_each_with_its_line(place: Path) -> None:
    text = f"""seed = "x"
colour = 1
{SOURCE}answers = -1
{SOURCE.replace('"t"', '"u"').replace("alpaca", "alpacca")}
{SOURCE.replace('"t"', '"v"')}
[source.labels]
answer_from = "robot"
[dedup]
bands = 4.5
[assemble]
formats = ["alpca"]
take = [{{ source = "t", amout = 3 }}]
"""
    assert faults(place, text) == [
        "e.toml:1: 'seed' must be a whole number, not 'x'",
        "e.toml:7: [source] 'answers' is 1 or more, or 0 for all",
        "e.toml:10: [source] unknown reader 'alpacca'; did you mean alpaca?",
        "e.toml:19: [source.labels] unknown answerer 'robot'; known: expert, human, llm",
        "e.toml:21: [dedup] 'bands' must be a whole number, not 4.5",
        "e.toml:24: [assemble.take] unknown key 'amout'; did you mean amount?",
        "e.toml:23: [assemble] unknown format 'alpca'; did you mean alpaca?",
        "e.toml:2: unknown key 'colour'; did you mean source?",
    ]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('map = { answer = "a" }', "e.toml:5: [source.map] unknown key 'answer'; known: comm"),
        ("map = { output = 3 }", "e.toml:5: [source.map] 'output' must be a string, not 3"),
        ('map = "q"', "e.toml:5: [source] 'map' must be a table, not 'q'"),
        ('map = { key = "a..b" }', "e.toml:3: [source] 'a..b' is no field for 'key'; name one"),
        ('type = "news"', "e.toml:3: [source] unknown type 'news'; known: exam, knowledge, nlp"),
        ('family = "a/b"', "e.toml:3: [source] 'a/b' is no name for a source or a family; make"),
        ('templates = ["说说"]', "e.toml:3: [source] templates make the instruction, and the"),
        ('columns = ["a"]', "e.toml:5: [source] only CSV files have columns to name"),
        ("labels = { domain = 3 }", "e.toml:5: [source.labels] 'domain' must be a list of strings"),
        ("labels = { tag = 3 }", "e.toml:5: [source.labels] unknown key 'tag'"),
        ("labels.human_verified = 1", "e.toml:5: [source.labels] 'human_verified' must be true"),
        ("bounds = { Votes = { low = 1 } }", "e.toml:5: [source.bounds] unknown key 'Votes'"),
        ("bounds.Refusals = {}", "e.toml:5: [source.bounds] unknown key 'Refusals'; did you"),
        ("bounds.WhiteSpace.low = 1", "e.toml:5: [source.bounds] WhiteSpace is a cleaner and has"),
        (
            'bounds = { "Refusals.output" = { low = 3 } }',
            "e.toml:5: [source.bounds.Refusals.output] low 3 is above high 0; swap them",
        ),
        (
            'bounds = { "Refusals.output" = { high = "x" } }',
            "e.toml:5: [source.bounds.Refusals.output] 'high' must be a number, not 'x'",
        ),
    ],
)
def test_what_a_source_can_not_have(more: str, message: str, place: Path) -> None:
    (told,) = faults(place, f"{SOURCE}{more}\n")
    assert told.startswith(message)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("low = 3", "e.toml:5: [source.steps] unknown step ''; known: Adverts"),
        ("step = 3", "'step' must be a string, not 3"),
        ('step = "Lenght"', "unknown step 'Lenght'; did you mean Length"),
        ('step = "Length", low = [1]', "'low' can't be [1]"),
        ('step = "Length", low = "1"', "'low' can't be '1'"),
        ('step = "Length", low = true', "'low' can't be True"),
        ('step = "Published", low = 2019-01-01', "'low' can't be datetime.date(2019, 1, 1)"),
        ('step = "Length", low = 9, high = 3', "low 9 is above high 3; swap them"),
        ('step = "DigitShare", low = 0.9', "low 0.9 is above high 0.6; swap them"),
        ('step = "Length", field = "answer"', "unknown text column 'answer'; known: input, ins"),
        ('step = "WhiteSpace", fields = ["outptu"]', "'outptu'; did you mean output?"),
        ('step = "WhiteSpace", fields = "output"', "'fields' can't be 'output'"),
        ('step = "WhiteSpace", fields = [1]', "'fields' can't be [1]"),
        ('step = "WhiteSpace", unspace_han = 1', "'unspace_han' can't be 1"),
        ('step = "HtmlToText", mode = "xml"', "'mode' can't be 'xml'"),
        ('step = "NgramRepetition", length = 2.5', "'length' can't be 2.5"),
        ('step = "MaskPersonalData", kinds = ["mail"]', "unknown kind of personal data 'mail'"),
        ('step = "SensitiveWords"', "SensitiveWords needs 'category'"),
        ('step = "Length", lowest = 1', "unknown key 'lowest'; did you mean low?"),
    ],
)
def test_a_step_that_can_not_be(step: str, message: str, place: Path) -> None:
    told = faults(place, f'{SOURCE}steps = [{{ step = "WhiteSpace" }},\n  {{ {step} }}]\n')
    assert any(message in one for one in told), told
    assert all(one.startswith(("e.toml:5: [source.steps] ", "e.toml:6: ")) for one in told)


def test_steps_may_be_written_as_tables(place: Path) -> None:
    text = SOURCE + '[[source.steps]]\nstep = "WhiteSpace"\n[[source.steps]]\nstep = "Length"\n'
    assert len(parsed(place, text + "low = 2\n").inputs[0].source.steps) == 2
    assert faults(place, text + "low = 'x'\n") == ["e.toml:9: [source.steps] 'low' can't be 'x'"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SOURCE.replace('name = "t"\n', ""), "'' is no name for a source or a family"),
        (SOURCE * 2, "e.toml:1: source 't' stands twice; put its files into one block"),
        (SOURCE.replace('reader = "alpaca"', ""), "e.toml:2: [source] unknown source 't'; known:"),
        (SOURCE.replace('"alpaca"', "3"), "e.toml:3: [source] 'reader' must be a string, not 3"),
        (SOURCE.replace('"t"', '"zhihu"').replace("reader", "title"), "unknown key 'title'"),
        (
            SOURCE + '[[contamination]]\nname = "b"\nfiles = ["raw/b.jsonl"]\n',
            "add a [dedup] table",
        ),
        ("[dedup]\n[[contamination]]\n", "[contamination] a benchmark needs a name"),
        ("[dedup]\nprefer = [1]\n", "e.toml:2: [dedup] 'prefer' must be a list of strings"),
        ("[assemble]\ntotal = 1.5\n", "e.toml:2: [assemble] 'total' must be a whole number"),
        (
            "[assemble]\n[[assemble.take]]\namount = 'x'\n",
            "e.toml:3: [assemble.take] 'amount' must",
        ),
        ("[source]\nname = 't'\n", "'source' must be a list, not {'name': 't'}"),
    ],
)
def test_what_an_experiment_can_not_have(text: str, message: str, place: Path) -> None:
    assert any(message in one for one in faults(place, text))


# cqia assemble --recipe


def curated(place: Path, rows: int = 40) -> Path:
    row = '{{"instruction": "第{0}个问题是什么？", "output": "第{0}个答案在这里。"}}\n'
    body = "".join(row.format(number) for number in range(rows))
    (place / "raw" / "a.jsonl").write_text(body, encoding="utf-8")
    (place / "source.toml").write_text(SOURCE, encoding="utf-8")
    cli("run", str(place / "source.toml"), "--work", str(place / "w"), "--workers", "1")
    return place / "w"


def chosen(work: Path, *more: str) -> list[str]:
    cli("assemble", "--work", str(work), "--to", "alpaca", *more)
    (file,) = (work / "dataset" / "alpaca").glob("*.jsonl")
    return [json.loads(line)["instruction"] for line in file.read_text("utf-8").splitlines()]


def test_the_recipe_s_seed_chooses(place: Path) -> None:
    work = curated(place)
    take = "[assemble]\n{}[[assemble.take]]\nsource = 't'\namount = 9\n"
    tomls = {
        "none": take.format(""),
        "own": take.format("seed = 5\n"),
        "above": "seed = 5\n" + take.format(""),
        "both": "seed = 9\n" + take.format("seed = 5\n"),
        "other": take.format("seed = 6\n"),
    }
    found = {}
    for name, text in tomls.items():
        (place / f"{name}.toml").write_text(text, encoding="utf-8")
        found[name] = chosen(work, "--recipe", str(place / f"{name}.toml"))
        assert len(found[name]) == 9
    assert found["own"] == found["above"] == found["both"]
    assert sorted(found["own"]) != sorted(found["other"])
    assert found["none"] == chosen(work, "--recipe", str(place / "own.toml"), "--seed", "0")


def test_a_whole_experiment_is_a_recipe_too_and_makes_the_same(place: Path) -> None:
    work = curated(place)
    cli("dedup", "--work", str(work), "--near", "none")
    text = f"seed = 4\nallow_bad = 0\n{SOURCE}[dedup]\nnear = 'none'\n"
    text += "[assemble]\nvalidation = 0.2\n"
    text += "[[assemble.take]]\nsource = 't'\namount = 20\n"
    (place / "all.toml").write_text(text, encoding="utf-8")
    cli("assemble", "--work", str(work), "--recipe", str(place / "all.toml"))
    again = place / "again"
    cli("run", str(place / "all.toml"), "--work", str(again), "--workers", "1")
    one, other = (store.manifest(folder / "assemble") or {} for folder in (work, again))
    assert (one["seed"], one["chosen"], one["splits"]) == (4, 20, other["splits"])
    for name in ("t.jsonl", "t.validation.jsonl"):
        place_of = Path("dataset", "release", "t", name)
        assert (work / place_of).read_bytes() == (again / place_of).read_bytes()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed = 3\n", r"e\.toml: there is no \[assemble\] table"),
        (
            "[assemble]\nsede = 3\n",
            r"e\.toml:2: \[assemble\] unknown key 'sede'; did you mean seed",
        ),
        ("colour = 3\n[assemble]\n", r"e\.toml:1: unknown key 'colour'"),
        ("[assemble]\ntotal = -1\n", r"a total of -1 can't be"),
        ("[assemble]\ntake = [{ source = 't', amount = -1 }]\n", r"an amount is 1 or more"),
        ("[assemble]\ntake = [{ source = 't', weight = -1 }]\ntotal = 3\n", r"a weight is above 0"),
    ],
)
def test_a_recipe_that_can_not_be(text: str, message: str, place: Path) -> None:
    (place / "e.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        cli("assemble", "--work", str(curated(place, 3)), "--recipe", str(place / "e.toml"))


def test_the_tomls_that_ship_can_be_read(monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    monkeypatch.setenv("CQIA_DATA", str(data))
    for path in sorted((ROOT / "experiments").glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        if path.stem == "models":
            assert models.read(path)
            continue
        if re.search(r"^(\[\[source\]\]|data =)", text, re.MULTILINE):
            assert experiment.read(path).inputs
        if "[assemble]" in text:
            assert experiment.recipe(path).formats
