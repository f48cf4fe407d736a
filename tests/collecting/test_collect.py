from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("scrapy", reason="the extra collect is not installed")

from cqia.collecting.archive import Archive, Page, pages
from cqia.collecting.job import Job
from cqia.collecting.spider import links
from cqia.errors import UserError
from cqia.raw.plan import plan, read
from tests.collecting.server import Site, serve

Run = subprocess.CompletedProcess[str]


def arguments(site: Site, archive: Path, *more: str) -> list[str]:
    command = [sys.executable, "-m", "cqia.cli.main", "collect", f"{site.url}/list"]
    command += ["--contact", "me@example.org", "--to", str(archive), "--follow", "/page/|private"]
    command += ["--delay", "0", "--timeout", "2", "--largest", "1", "--retries", "2"]
    return [*command, "--format", "json", *more]


def run(site: Site, archive: Path, *more: str) -> Run:
    return subprocess.run(
        arguments(site, archive, *more), capture_output=True, text=True, timeout=120, check=False
    )


def outcomes(done: Run) -> dict[str, int]:
    assert done.returncode == 0, done.stderr
    return {row["outcome"]: row["addresses"] for row in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Path, dict[str, int]]]:
    """A collection from a site with every fault."""
    archive = tmp_path_factory.mktemp("collect") / "pages.warc.gz"
    with serve() as site:
        yield site, archive, outcomes(run(site, archive))


BODY = "".join(map(chr, range(0x4E00, 0x4F00))).encode()
Collected = tuple[Site, Path, dict[str, int]]


def test_every_address_has_an_outcome(first: Collected) -> None:
    _, archive, found = first
    assert found == {
        "lead": 1,
        "page": 8,
        "redirect": 6,
        "too many redirects": 1,
        "redirect to another site": 1,
        "other content": 1,
        "forbidden by robots.txt": 1,
        "status 410": 1,
        "status 500": 1,
        "timeout": 1,
        "too large": 1,
        "cut off": 1,
        "taken up": 24,
    }
    lines = archive.with_name("pages.faults.jsonl").read_text().splitlines()
    assert len(lines) == sum(found.values()) - 24 - (1 + 8 + 6 + 1)


def test_it_is_polite(first: Collected) -> None:
    site, _, _ = first
    assert site.asked["/private/x"] == site.asked["/other"] == 0
    assert site.asked["/robots.txt"] == 1
    assert site.agents == {"cqia/0.1.0 (+me@example.org)"}


def test_what_may_pass_is_asked_again_and_what_does_not_is_not(first: Collected) -> None:
    site, _, _ = first
    again = {path.rpartition("/")[2]: n for path, n in site.asked.items() if n > 1}
    assert again == {"busy": 3, "broken": 3, "slow": 3, "cut": 3}
    asked = [at for at, path in site.times if path == "/page/busy"]
    assert all(later - sooner >= 0.95 for sooner, later in pairwise(asked))


def test_bytes_are_kept_as_they_came(first: Collected) -> None:
    site, archive, _ = first
    held = {page.url.removeprefix(site.url): page for page in pages(archive)}
    assert held["/page/gone"].status == 410
    assert held["/page/moved"].location == "/page/kafei.html"
    samples = Path(__file__).parents[2] / "samples" / "encyclopedia"
    assert held["/page/ciqi.html"].body == (samples / "ciqi.html").read_bytes()
    assert held["/page/packed"].body == (samples / "caihong.html").read_bytes()
    assert b"\x1f\x8b" in archive.read_bytes()


def test_the_archive_is_read_as_pages_with_addresses(first: Collected) -> None:
    site, archive, found = first
    (task,) = plan([str(archive)], ["html"])
    batches = list(read(task, None))
    items = pl.concat([batch.items for batch in batches])
    assert len(items) == found["page"]
    assert all(batch.bad.is_empty() for batch in batches)
    assert f"{site.url}/page/dengta.html" in items["url"].to_list()
    assert items["html"].str.contains("灯塔").any()


def test_a_second_run_asks_only_for_what_is_missing(first: Collected) -> None:
    site, archive, _ = first
    before = site.asked.copy()
    size = archive.stat().st_size
    found = outcomes(run(site, archive))
    new = {path.rpartition("/")[2] for path, n in site.asked.items() if n > before[path]}
    assert new == {"robots.txt", "broken", "slow", "cut", "huge"}
    assert found["taken up"] == 5
    assert archive.stat().st_size > size


def test_killed_at_any_moment_it_goes_on(tmp_path: Path) -> None:
    archive = tmp_path / "pages.warc.gz"
    with serve() as site:
        started = subprocess.Popen(
            arguments(site, archive, "--delay", "0.2", "--follow", "/page/.*html"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while site.asked.total() < 5:
            time.sleep(0.02)
        started.send_signal(signal.SIGKILL)
        started.wait()
        with archive.open("r+b") as file:
            file.truncate(archive.stat().st_size - 7)
        held = {page.url for page in pages_of(archive)}
        assert 0 < len(held) < 7
        outcomes(run(site, archive, "--follow", "/page/.*html"))
        twice = {path for path, n in site.asked.items() if n > 1} - {"/robots.txt"}
        assert not {f"{site.url}{path}" for path in twice} & held
        assert len({page.url for page in pages(archive)}) == 7


def pages_of(archive: Path) -> Iterator[Page]:
    """The whole records of an archive whose last one is torn."""
    copy = archive.with_name("copy.warc.gz")
    copy.write_bytes(archive.read_bytes())
    Archive(copy, "x").__exit__(None, None, None)
    yield from pages(copy)


@pytest.mark.parametrize("robots", [(503, "later"), (200, "User-agent: *\nCrawl-delay: 3600\n")])
def test_a_site_that_cannot_say_or_asks_for_much_is_left_alone(
    robots: tuple[int, str], tmp_path: Path
) -> None:
    with serve() as site:
        site.robots = robots
        done = run(site, tmp_path / "a.warc.gz")
        assert done.returncode == 2
        assert "robots.txt" in done.stderr
        assert "Traceback" not in done.stderr
        assert set(site.asked) == {"/robots.txt"}


def test_the_delay_that_robots_txt_asks_for_is_kept(tmp_path: Path) -> None:
    with serve() as site:
        site.robots = (200, "User-agent: cqia\nCrawl-delay: 0.6\n")
        outcomes(run(site, tmp_path / "a.warc.gz", "--limit", "4", "--follow", "/page/.*html"))
        asked = [at for at, path in site.times if path != "/robots.txt"]
        assert len(asked) == 4
        assert all(later - sooner >= 0.55 for sooner, later in pairwise(asked))


def test_no_robots_txt_forbids_nothing_and_the_limit_is_told(tmp_path: Path) -> None:
    with serve() as site:
        site.robots = (404, "<html>not found</html>")
        found = outcomes(run(site, tmp_path / "a.warc.gz", "--limit", "3"))
        assert found["taken up"] == 3 + found["left: the limit was reached"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"start": ()}, "no address"),
        ({"start": ("ftp://x.cn/",)}, "is no address"),
        ({"start": ("x.cn",)}, "is no address"),
        ({"contact": ""}, "must be able to reach you"),
        ({"contact": "a@b.cn\r\nX: y"}, "one line"),
        ({"delay": 0.1}, "not polite"),
        ({"follow": "("}, "no regular expression"),
        ({"keep": "["}, "no regular expression"),
        ({"limit": 0}, "at least 1"),
        ({"timeout": 0.0}, "at least 0.1"),
    ],
)
def test_a_job_that_cannot_be_done(more: dict[str, object], said: str) -> None:
    whole: dict[str, object] = {"start": ("https://x.cn/",), "contact": "a@b.cn"}
    with pytest.raises(UserError, match=said):
        Job(**(whole | more))  # type: ignore[arg-type]


def test_only_addresses_come_out_of_links() -> None:
    page = b"""<base href="/b/"><a href="c">1</a><a href="//y.cn/d#e">2</a><a href="javascript:x">3</a>
    <a href="http://[bad">4</a><a href=" f ">5</a><a>6</a><a href="http://">7</a>"""
    found = ["https://x.cn/b/c", "https://y.cn/d", "https://x.cn/b/f"]
    assert list(links("https://x.cn/a", page)) == found


def test_an_archive_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="ends with"):
        Archive(tmp_path / "a.warc", "x")
    other = tmp_path / "a.warc.gz"
    other.write_bytes(b"not gzip at all")
    with pytest.raises(UserError, match="no archive"):
        Archive(other, "x")
    assert other.read_bytes() == b"not gzip at all"


@pytest.mark.parametrize("cut", [1, 40, 300])
def test_a_torn_record_is_cut_away(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    for number in range(3):
        with Archive(path, "x") as archive:
            archive.add(
                f"https://x.cn/{number}", "200 OK", [("Content-Type", "text/html")], b"y" * 999
            )
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut] if cut < 300 else whole + whole[:cut])
    with Archive(path, "x") as archive:
        archive.add("https://x.cn/9", "200 OK", [("Content-Type", "text/html")], b"z")
    urls = [page.url.rpartition("/")[2] for page in pages(path)]
    assert urls == (["0", "1", "9"] if cut < 300 else ["0", "1", "2", "9"])


def test_a_broken_archive_is_told_and_what_was_before_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    with Archive(path, "x") as archive:
        for number in range(3):
            archive.add(f"https://x.cn/{number}", "200 OK", [("Content-Type", "text/html")], BODY)
    path.write_bytes(path.read_bytes()[:-40])
    batches = list(read(plan([str(path)], ["html"])[0], None))
    assert [row for batch in batches for row in batch.items["row"]] == [1, 2]
    assert [row for batch in batches for row in batch.bad["row"]] == [3]
