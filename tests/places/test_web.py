from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("aiohttp")
pytest.importorskip("fsspec")

from aiohttp import web

from cqia.errors import UserError
from cqia.places import far
from cqia.places import files as places
from cqia.raw import plan as planning
from cqia.stages.curate import curate
from tests.llm.server import Stub, serving
from tests.places.test_s3 import QA, frames, lines


class Site(Stub):
    """A web server: files with parts, and below /whole/ only as a whole. fail: reads that fail."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.fail, self.status = folder, 0, 503

    @property
    def home(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/files/{name}", self.file)
        app.router.add_get("/whole/{name}", self.whole)

    async def file(self, request: web.Request) -> web.StreamResponse:
        if self.fail and "Range" in request.headers:
            self.fail -= 1
            return web.Response(status=self.status)
        path = self.folder / request.match_info["name"]
        return web.FileResponse(path) if path.exists() else web.Response(status=404)

    async def whole(self, request: web.Request) -> web.Response:
        body = (self.folder / request.match_info["name"]).read_bytes()
        return web.Response(body=body, headers={"ETag": '"1"'})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(far, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(planning, "TASK_BYTES", 10_000)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.jsonl").write_bytes(lines())
    (tmp_path / "site" / "b.jsonl.gz").write_bytes(gzip.compress(lines(5)))
    with serving(Site(tmp_path / "site")) as found:
        yield found


def test_files_of_a_web_server_give_the_same_records_as_from_here(
    site: Site, tmp_path: Path
) -> None:
    names = ("a.jsonl", "b.jsonl.gz")
    here = curate(QA, [str(site.folder / name) for name in names], work=tmp_path / "near")
    site.fail = 2
    there = curate(QA, [f"{site.home}/files/{name}" for name in names], work=tmp_path / "far")
    apart = {"fingerprint": "", "inputs": ""}
    assert here | apart == there | apart
    one, other = frames(tmp_path / "near", "qa"), frames(tmp_path / "far", "qa")
    assert list(one) == list(other)
    assert all(one[name].equals(other[name]) for name in one)


@pytest.mark.parametrize(
    ("status", "said"),
    [(404, "no such file"), (403, "no permission"), (410, "the store refuses"), (500, "asked 6")],
)
def test_what_a_server_refuses_is_one_line(
    site: Site, tmp_path: Path, status: int, said: str
) -> None:
    site.fail, site.status = 100, status
    with pytest.raises(UserError, match=said) as told:
        curate(QA, [f"{site.home}/files/a.jsonl"], work=tmp_path / "far")
    assert "\n" not in str(told.value)


def test_a_server_that_gives_no_parts_is_told(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "BLOCK", 5_000)
    with pytest.raises(UserError, match=r"can't be done there .*range"):
        curate(QA, [f"{site.home}/whole/a.jsonl"], work=tmp_path / "far")
