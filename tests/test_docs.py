"""The documentation says what is so: trees, commands, outputs, keys and links."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
import importlib.util
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import click
import pytest

from cqia import experiment
from cqia.cli.main import VERBS, cqia
from cqia.contamination import Benchmark
from cqia.sources.catalogue import SOURCES
from cqia.stages.assemble import Take
from cqia.statement import Attribution, Base, Measure, Statement, Subset
from cqia.thresholds import Threshold
from cqia.training.tuning import Tuning

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh-CN.md")
PAGES = sorted(
    str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return [body for kind, body in BLOCK.findall(text) if kind == language]


def commands(text: str) -> list[str]:
    """The commands a page shows, without prompt and comment."""
    lines = [line for body in blocks(text, "sh") for line in body.splitlines()]
    prompts = [line for body in blocks(text, "console") for line in body.splitlines()]
    lines += [line[2:] for line in prompts if line.startswith("$ ")]
    bare = [re.sub(r"^\w+=\S+ ", "", line.split("  #")[0]).strip() for line in lines]
    return [line for line in bare if line.startswith(("cqia ", "make "))]


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    plain = re.sub(r"[^\w\s-]", "", heading.strip().lower())
    return plain.replace(" ", "-")


def tree(text: str) -> list[str]:
    """The paths below src/cqia that a page's tree shows; every line has a comment."""
    (body,) = [one for one in blocks(text, "text") if one.startswith("src/cqia/\n")]
    folders: list[str] = []
    found = []
    for line in body.splitlines()[1:]:
        indent, name, comment = re.fullmatch(r"( +)(\S+) +(\S.*)", line).groups()  # type: ignore[union-attr]
        assert comment
        depth = len(indent) // 2 - 1
        folders[depth:] = [name.rstrip("/")] if name.endswith("/") else []
        parts = folders if name.endswith("/") else [*folders[:depth], name]
        found.append("/".join(parts) + ("/" if name.endswith("/") else ""))
    return found


def real_tree() -> set[str]:
    """The rooms and the ground: what stands right below the package."""
    package = ROOT / "src" / "cqia"
    found = {path.name for path in package.glob("*.py") if path.name != "__init__.py"}
    folders = {path for path in package.iterdir() if path.is_dir() and path.name != "__pycache__"}
    return found | {f"{path.name}/" for path in folders}


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_build", ROOT / "docs" / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def verb(name: str) -> click.Command:
    found = cqia.get_command(click.Context(cqia), name)
    assert found is not None
    return found


def faults(command: str) -> Iterator[str]:
    """What is wrong with a command as it is written down."""
    words = shlex.split(command.partition(" | ")[0].partition(" && ")[0])
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE)
        yield from (f"no target {word}" for word in words[1:] if word not in targets)
        return
    if words[1].startswith("-"):
        return
    if words[1] not in VERBS:
        yield f"no verb {words[1]}"
        return
    command_, rest = verb(words[1]), words[2:]
    if isinstance(command_, click.Group) and rest and not rest[0].startswith("-"):
        if rest[0] not in command_.commands:
            yield f"{words[1]} has no {rest[0]}"
            return
        command_, rest = command_.commands[rest[0]], rest[1:]
    options = {name: one for one in command_.params for name in one.opts}
    for word, value in pairwise([*rest, ""]):
        if not word.startswith("-") or word in ("-h", "--help"):
            continue
        if word not in options:
            yield f"no option {word}"
        elif isinstance(kind := options[word].type, click.Choice) and value not in kind.choices:
            yield f"{word} can't be {value}"


@pytest.mark.parametrize("name", READMES)
def test_the_readmes_tree_is_the_real_one(name: str) -> None:
    shown = tree(read(name))
    assert len(shown) == len(set(shown))
    assert set(shown) == real_tree()


def test_the_readmes_name_the_same_commands() -> None:
    ours, theirs = (commands(read(name)) for name in READMES)
    assert ours
    assert ours == theirs


def test_the_readmes_show_the_same_code_and_link_the_same_pages() -> None:
    ours, theirs = (read(name) for name in READMES)
    assert blocks(ours, "python") == blocks(theirs, "python") != []
    pages = [
        {link for link in LINK.findall(text) if not link.startswith("README")}
        for text in (ours, theirs)
    ]
    assert pages[0] == pages[1]


@pytest.mark.parametrize("name", PAGES)
def test_the_commands_exist(name: str) -> None:
    wrong = [f"{one}: {fault}" for one in commands(read(name)) for fault in faults(one)]
    assert wrong == []


@pytest.mark.parametrize(
    "command",
    ["cqia dance", "cqia why x --loud", "cqia drops --format pdf", "make money"],
)
def test_a_wrong_command_would_be_seen(command: str) -> None:
    assert list(faults(command))


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_an_example_that_can_be_typed(name: str) -> None:
    command = verb(name)
    assert command.help
    epilog = command.epilog or ""
    assert epilog.startswith("Example:  "), name
    example = epilog.removeprefix("Example:  ")
    if not example.startswith("eval "):
        assert example.startswith(f"cqia {name}")
        assert list(faults(example)) == []


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_is_documented(name: str) -> None:
    page = read("docs/cli.md")
    assert f"\n## {name}\n" in page
    assert f"$ cqia {name} --help\n" in page


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_documented(name: str) -> None:
    assert f"(sources/{name}.md)" in read("docs/sources.md")
    page = read(f"docs/sources/{name}.md")
    for told in ("\nShape:", "\nThis project's choices:", "\nTraps:", "\n    ", "## Recipe"):
        assert told in page, told


@pytest.mark.parametrize("kind", [Statement, Base, Subset, Measure, Attribution])
def test_every_key_of_a_statement_is_documented(kind: type) -> None:
    page = read("docs/statement.md")
    called = {"bases": "base", "subsets": "subset", "measures": "benchmark", "kind": "random"}
    inner = {"options", "takes"}
    for one in dataclasses.fields(kind):
        assert one.name in inner or called.get(one.name, one.name) in page, one.name


@pytest.mark.parametrize("kind", [Tuning])
def test_every_key_of_a_tuning_is_documented(kind: type) -> None:
    rows = [line for line in read("docs/training.md").splitlines() if line.startswith("| ")]
    told = {word for row in rows for word in re.findall(r"\w+", row.split("|")[1])}
    assert {one.name for one in dataclasses.fields(kind)} <= told


@pytest.mark.parametrize(
    "kind", [experiment.Dedup, experiment.Assemble, Take, Threshold, Benchmark]
)
def test_every_key_of_the_toml_is_documented(kind: type) -> None:
    page = read("docs/recipes.md")
    fixed = (
        {"takes", "thresholds", "writers", "ngram"}
        if kind in (experiment.Assemble, Benchmark)
        else set()
    )
    for one in dataclasses.fields(kind):
        assert one.name in fixed or f"`{one.name}`" in page, one.name


def test_the_experiment_in_the_recipes_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "samples").symlink_to(ROOT / "samples")
    (tmp_path / "experiments").mkdir()
    (shown,) = blocks(read("docs/recipes.md"), "toml")
    path = tmp_path / "experiments" / "mine.toml"
    path.write_text(shown, encoding="utf-8")
    found = experiment.read(path)
    assert [one.source.name for one in found.inputs] == ["zhihu", "faq"]
    assert found.dedup
    assert found.assemble
    assert found.benchmarks


def changes(name: str, text: str, fresh: str) -> Iterator[str]:
    return difflib.unified_diff(
        text.splitlines(), fresh.splitlines(), name, "as it would be", "", "", 1
    )


def test_what_is_made_from_the_code_is_up_to_date() -> None:
    build = builder()
    stale: list[str] = []
    with build.stand():
        for name in build.FILES:
            text = read(name)
            stale += changes(name, text, build.made(text))
        for name, text in build.source_pages().items():
            stale += changes(name, read(name), text)
    there = {f"docs/sources/{path.name}" for path in (ROOT / "docs" / "sources").iterdir()}
    assert there == set(build.source_pages())
    assert not stale, "\n".join([*stale[:80], "run: python docs/build.py"])


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    text = BLOCK.sub("", read(name))
    lost = []
    for link in LINK.findall(text):
        if re.match(r"\w+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (ROOT / name).parent / place if place else ROOT / name
        headings = (
            re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            if target.suffix == ".md" and target.exists()
            else []
        )
        if not target.exists() or (anchor and anchor not in map(slug, headings)):
            lost.append(link)
    assert lost == []
