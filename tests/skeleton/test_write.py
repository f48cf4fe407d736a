import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cqia.errors import UserError
from cqia.skeleton.write import CATALOGUE, FORMS, write

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / CATALOGUE).parent.mkdir(parents=True)
    shutil.copy(ROOT / CATALOGUE, tmp_path / CATALOGUE)
    return tmp_path


def test_a_skeleton_meets_the_contract_of_sources(tmp_path: Path) -> None:
    """In a checkout of its own: three sources, one a form, held to the tests that hold all."""
    for name in ("src", "tests", "pyproject.toml"):
        place = ROOT / name
        skip = shutil.ignore_patterns("__pycache__")
        if place.is_dir():
            shutil.copytree(place, tmp_path / name, ignore=skip)
        else:
            shutil.copy(place, tmp_path / name)
    for form in FORMS:
        write(f"mine_{form}", form, tmp_path)
    keep = [f"golden('mine_{form}')" for form in FORMS]
    tool = f"from tests.sources.golden import main as golden; {'; '.join(keep)}"
    environment = {"PYTHONPATH": f"{tmp_path / 'src'}:{tmp_path}", "PYTHONDONTWRITEBYTECODE": "1"}
    run = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
    said = subprocess.run([sys.executable, "-c", tool], check=True, **run).stdout  # type: ignore[call-overload]
    assert "kept" in said
    assert "Length.output" in said
    tests = [
        sys.executable,
        "-m",
        "pytest",
        "tests/sources",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    done = subprocess.run([*tests, "-k", "mine"], check=False, **run)  # type: ignore[call-overload]
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert len(failed) == len(FORMS), done.stdout
    assert all("at_least_thirty" in line for line in failed), done.stdout


@pytest.mark.parametrize("form", FORMS)
def test_the_catalogue_gets_an_import_in_order_and_an_entry(checkout: Path, form: str) -> None:
    write("yucha", form, checkout)
    text = (checkout / CATALOGUE).read_text(encoding="utf-8")
    imports = [line for line in text.splitlines() if line.startswith("from cqia.sources.")]
    assert imports == sorted(imports)
    assert "    YUCHA,\n)" in text
    compile(text, "catalogue", "exec")


@pytest.mark.parametrize("name", ["Tea", "tea-forum", "1tea", "", "class", "../x", "tea/x"])
def test_a_name_that_is_no_modules_is_refused(checkout: Path, name: str) -> None:
    with pytest.raises(UserError, match="no name for a source's file"):
        write(name, "json", checkout)


def test_nothing_is_written_over(checkout: Path) -> None:
    write("tea", "json", checkout)
    before = (checkout / CATALOGUE).read_text(encoding="utf-8")
    with pytest.raises(UserError, match="can't be entered"):
        write("tea", "csv", checkout)
    (checkout / CATALOGUE).write_text(before.replace("TEA", "OTHER"), encoding="utf-8")
    with pytest.raises(UserError, match="this file is there already"):
        write("tea", "json", checkout)
    assert not (checkout / "samples/tea/items.csv").exists()


def test_no_checkout_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no checkout of cqia"):
        write("tea", "json", tmp_path)
