from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cqia import experiment
from cqia.cli.main import cqia
from cqia.errors import UserError
from cqia.play import play
from cqia.shipped import shipped


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder in which the demo's data side was played."""
    work = tmp_path_factory.mktemp("demo")
    read = experiment.read(shipped("experiments") / "demo.toml", work=work)
    for _ in play(replace(read, statement=None)):
        pass
    return work


@pytest.fixture
def work(played: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    shutil.copytree(played, tmp_path / "work")
    return tmp_path / "work"


def cli(*arguments: str) -> Result:
    """Run the command line here; a user's mistake is raised."""
    result = CliRunner().invoke(cqia, [str(one) for one in arguments])
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result
