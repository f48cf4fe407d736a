"""The rules of the house that no single module can check for itself."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import cqia.cleaners
import cqia.cli
import cqia.exporters
import cqia.filters
import cqia.sources
from cqia.cleaners.base import Cleaner
from cqia.cleaners.catalogue import CLEANERS
from cqia.cli.main import VERBS
from cqia.exporters.base import Exporter
from cqia.exporters.catalogue import EXPORTERS
from cqia.filters.base import Filter
from cqia.filters.catalogue import FILTERS
from cqia.sources.base import Source
from cqia.sources.catalogue import SOURCES, page

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "cqia"
LONGEST = 350
HEAVY = ("numba", "scipy", "torch", "datasets", "trafilatura")
LIGHT = (
    "cqia.cli.main",
    "cqia.experiment",
    "cqia.sources.catalogue",
    "cqia.cleaners.catalogue",
    "cqia.filters.catalogue",
    "cqia.exporters.catalogue",
)
PRIVATE = re.compile(r"(?<![\w.])/(?:home|Users|root)/\w|\b[A-Z]:\\+Users\\")


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for one in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{one.name}")


def kinds(package: ModuleType, base: type) -> set[str]:
    """The concrete classes of a kind that a shelf's modules define."""
    found = set()
    for module in modules(package):
        for name, value in vars(module).items():
            mine = inspect.isclass(value) and value.__module__ == module.__name__
            if mine and issubclass(value, base) and not inspect.isabstract(value):
                found.add(name)
    return found


def text_files() -> list[Path]:
    """The files that belong to the project."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        pytest.skip("no git checkout: which files belong to the project is not known")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for line in listed.splitlines() if (path := ROOT / line).is_file()]


def test_imports_go_down_only() -> None:
    tool = Path(sys.executable).parent / "lint-imports"
    if not tool.exists():
        pytest.skip("import-linter is not installed")
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_importing_loads_nothing_heavy() -> None:
    code = f"import sys, {', '.join(LIGHT)}; print(*sorted({set(HEAVY)!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_files_are_short() -> None:
    lengths = {
        str(path.relative_to(PACKAGE)): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_packages_have_empty_inits() -> None:
    inits = list(PACKAGE.rglob("__init__.py"))
    assert inits
    assert [path for path in inits if path.stat().st_size] == []
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert {path.parent for path in inits} == folders


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    found = []
    here = str(ROOT) if len(ROOT.parts) > 2 else None
    for path in text_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if PRIVATE.search(text) or (here and here in text):
            found.append(str(path.relative_to(ROOT)))
    assert found == []


@pytest.mark.parametrize("folder", ["home", "Users", "root"])
def test_a_private_path_would_be_seen(folder: str) -> None:
    assert PRIVATE.search(f"see /{folder}/ann")
    assert PRIVATE.search(f"a=/{folder}/ann")
    assert PRIVATE.search("C:" + rf"\Users\{folder}")
    assert not PRIVATE.search(f"https://x.org/{folder}/a, a/{folder}/b, /{folder}, ~/{folder}")


def test_the_catalogue_of_cleaners_is_whole() -> None:
    assert set(CLEANERS) == kinds(cqia.cleaners, Cleaner)
    assert all(name == kind.__name__ for name, kind in CLEANERS.items())


def test_the_catalogue_of_filters_is_whole() -> None:
    assert set(FILTERS) == kinds(cqia.filters, Filter) - {"TextFilter"}
    assert all(name == kind.__name__ for name, kind in FILTERS.items())


def test_the_catalogue_of_exporters_is_whole() -> None:
    assert {type(one).__name__ for one in EXPORTERS.values()} == kinds(cqia.exporters, Exporter)
    assert all(name == one.name for name, one in EXPORTERS.items())


def test_the_catalogue_of_sources_is_whole() -> None:
    found = {
        value.name: module.__name__
        for module in modules(cqia.sources)
        for value in vars(module).values()
        if isinstance(value, Source)
    }
    assert set(SOURCES) == set(found)
    assert all(name == one.name for name, one in SOURCES.items())
    assert all(page(one) for one in SOURCES.values())


def test_the_list_of_verbs_is_whole() -> None:
    files = {one.name for one in pkgutil.iter_modules(cqia.cli.__path__)} - {"main", "show"}
    assert {verb.replace("-", "_") for verb in VERBS} == files
