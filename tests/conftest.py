from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
"""One thread for each of the tests' processes, which fill the cores: more fight for them."""

settings.register_profile("cqia", deadline=None)
settings.load_profile("cqia")
"""The first call of a kernel compiles it, which takes seconds and says nothing of the test."""

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data; tests that need it skip where it is absent."""
    place = Path(os.environ.get("CQIA_DATA", ROOT.parent / "shared" / "data"))
    if not place.is_dir():
        pytest.skip(f"no real data at {place}: set CQIA_DATA")
    return place
