from collections.abc import Callable

import pytest

from cqia.sources.catalogue import SOURCES
from tests.sources import golden
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

    return lambda name: golden.fates(sample(name))
