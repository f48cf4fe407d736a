from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cqia.errors import UserError
from cqia.places import far
from cqia.raw import plan as planning
from cqia.stages.curate import curate
from tests.places import hub as hubs
from tests.places.test_s3 import QA, frames, lines

pytest.importorskip("huggingface_hub")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[hubs.Hub]:
    with hubs.running() as found:
        address = f"http://127.0.0.1:{found.server_port}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        template = address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(far, "FIRST_WAIT", 0.01)
        far._opened.cache_clear()
        yield found
        far._opened.cache_clear()


def test_files_of_a_dataset_give_the_same_records_as_from_here(
    hub: hubs.Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "TASK_BYTES", 10_000)
    hub.files = {"data/a.jsonl": lines(90), "data/b.jsonl": lines(5), "README.md": b"-"}
    near = []
    for name, body in hub.files.items():
        (tmp_path / Path(name).name).write_bytes(body)
        near += [str(tmp_path / Path(name).name)] if name.endswith("jsonl") else []
    here = curate(QA, near, work=tmp_path / "near")
    hub.ranges.clear()
    there = curate(QA, ["hf://datasets/own/set/data/*.jsonl"], work=tmp_path / "far")
    assert len(hub.ranges) > 3
    assert all(hub.ranges)
    apart = {"fingerprint": "", "inputs": ""}
    assert here | apart == there | apart
    one, other = frames(tmp_path / "near", "qa"), frames(tmp_path / "far", "qa")
    assert list(one) == list(other)
    assert all(one[name].equals(other[name]) for name in one)
    hub.files["data/b.jsonl"] = lines(6)
    again = curate(QA, ["hf://datasets/own/set/data/*.jsonl"], work=tmp_path / "far")
    assert again["read"] == there["read"] + 1


def test_a_503_of_the_hub_passes(hub: hubs.Hub, tmp_path: Path) -> None:
    hub.files = {"a.jsonl": lines(9)}
    hub.fail = 1
    assert curate(QA, ["hf://datasets/own/set/a.jsonl"], work=tmp_path)["read"] == 9


@pytest.mark.parametrize(
    "name",
    [
        "hf://datasets/own/set/none.jsonl",
        "hf://datasets/own/set/none/none.jsonl",
        "hf://datasets/nobody/none/a.jsonl",
        "hf://datasets/own",
    ],
)
def test_a_wrong_name_is_one_line(hub: hubs.Hub, tmp_path: Path, name: str) -> None:
    hub.files = {"a.jsonl": lines(9)}
    with pytest.raises(UserError) as told:
        curate(QA, [name], work=tmp_path)
    assert "\n" not in str(told.value)
    assert str(told.value).startswith(name)
