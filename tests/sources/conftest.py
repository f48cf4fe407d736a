from collections.abc import Callable
from pathlib import Path

import pytest

from cqia.sources.catalogue import SOURCES
from tests.sources.curated import Curated, curated


@pytest.fixture(scope="session")
def sample() -> Callable[[str], Curated]:
    """Curated samples by the source's name, each made once."""
    done: dict[str, Curated] = {}

    def get(name: str) -> Curated:
        if name not in done:
            done[name] = curated(SOURCES[name])
        return done[name]

    return get


@pytest.fixture(scope="session")
def fates(sample: Callable[[str], Curated]) -> Callable[[str], dict[str, str]]:
    """What becomes of each sample: id -> `kept` or a rule; file:row -> `bad: reason`."""

    def get(name: str) -> dict[str, str]:
        made = sample(name)
        kept = dict.fromkeys(made.outcome.kept["id"], "kept")
        dropped = dict(made.outcome.dropped.select("id", "rule").iter_rows())
        bad = {
            f"{Path(file).name}:{row}": f"bad: {reason}"
            for file, row, reason in made.bad.select("file", "row", "reason").iter_rows()
        }
        return kept | dropped | bad

    return get
