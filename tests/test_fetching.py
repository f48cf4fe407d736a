from __future__ import annotations

import hashlib
import io
import json
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cqia.downloads import Lost, Web
from cqia.errors import UserError
from cqia.fetching import Outcome, as_lines, fetch, members
from cqia.open_data import BENCHMARKS, OPEN_DATA, Collection, OpenFile

ROOT = Path(__file__).resolve().parent.parent
BODY = "春眠不觉晓\n".encode()
OTHER = "处处闻啼鸟\n".encode()

Answer = Callable[[BaseHTTPRequestHandler], None]


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def sends(body: bytes, status: int = 200, length: int | None = None) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def redirects(place: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", place)
        handler.end_headers()

    return answer


def drips(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        for _ in range(100):
            handler.wfile.write(b".")
            time.sleep(0.02)
    except ConnectionError:
        pass


class Home:
    """A server on this machine: path -> answers, the last of which is given for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[str] = []
        self.over = threading.Event()
        home = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                home.asked.append(self.path)
                left = home.answers.get(self.path, [sends(b"", 404)])
                (left.pop(0) if len(left) > 1 else left[0])(self)

            def log_message(self, format: str, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.web = Web(raw=self.base, archives=self.base, timeout=2, pause=0.001)

    def hangs(self, handler: BaseHTTPRequestHandler) -> None:
        self.over.wait(10)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    found = Home()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.005,))
    thread.start()
    yield found
    found.over.set()
    found.server.shutdown()
    found.server.server_close()
    thread.join()


def single(*names: str, body: bytes = BODY) -> list[Collection]:
    files = tuple(OpenFile(sha(body), 1, name) for name in names)
    return [Collection(folder="poems", repository="o/r", licence="MIT", use="x", files=files)]


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, body in files.items():
            archive.writestr(path, body)
    return out.getvalue()


def only(outcomes: list[Outcome]) -> Outcome:
    assert len(outcomes) == 1
    return outcomes[0]


def on_disk(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_good_file_is_put_in_place_and_progress_told(home: Home, tmp_path: Path) -> None:
    home.answers["/o/r/HEAD/%E5%94%90/a%20b.json"] = [sends(BODY)]
    told: list[tuple[int, int, str]] = []
    done = fetch(
        single("唐/a b.json"), tmp_path, web=home.web, progress=lambda *now: told.append(now)
    )
    assert only(done) == Outcome(name="poems/唐/a b.json", fate="fetched", sha256=sha(BODY))
    assert (tmp_path / "poems/唐/a b.json").read_bytes() == BODY
    assert told == [(1, 1, "poems/唐/a b.json")]
    assert on_disk(tmp_path) == ["poems/唐/a b.json"]


def test_a_file_that_is_there_is_not_asked_for_again(home: Home, tmp_path: Path) -> None:
    home.answers["/o/r/HEAD/b"] = [sends(BODY)]
    (tmp_path / "poems").mkdir()
    (tmp_path / "poems/a").write_bytes(BODY)
    (tmp_path / "poems/b").write_bytes(BODY[:-1])
    done = fetch(single("a", "b"), tmp_path, web=home.web)
    assert [one.fate for one in done] == ["there", "fetched"]
    assert home.asked == ["/o/r/HEAD/b"]
    assert (tmp_path / "poems/b").read_bytes() == BODY


def test_a_changed_file_stays_out_unless_accepted(home: Home, tmp_path: Path) -> None:
    home.answers["/o/r/HEAD/a"] = [sends(OTHER)]
    one = only(fetch(single("a"), tmp_path, web=home.web))
    assert (one.fate, one.sha256) == ("changed", sha(OTHER))
    assert sha(OTHER) in one.detail
    assert sha(BODY) in one.detail
    assert "--accept-changed" in one.detail
    assert on_disk(tmp_path) == []
    one = only(fetch(single("a"), tmp_path, web=home.web, accept_changed=True))
    assert (one.fate, one.sha256, one.detail) == ("accepted", sha(OTHER), "")
    assert (tmp_path / "poems/a").read_bytes() == OTHER


def test_a_changed_file_does_not_overwrite_what_stands_there(home: Home, tmp_path: Path) -> None:
    home.answers["/o/r/HEAD/a"] = [sends(OTHER)]
    (tmp_path / "poems").mkdir()
    (tmp_path / "poems/a").write_bytes(b"older")
    assert only(fetch(single("a"), tmp_path, web=home.web)).fate == "changed"
    assert (tmp_path / "poems/a").read_bytes() == b"older"


def test_a_missing_file_does_not_stop_the_others(home: Home, tmp_path: Path) -> None:
    home.answers["/o/r/HEAD/b"] = [sends(BODY)]
    lost, good = fetch(single("a", "b"), tmp_path, web=home.web)
    assert (lost.fate, good.fate) == ("failed", "fetched")
    assert lost.detail == f"{home.base}/o/r/HEAD/a answers 404"
    assert home.asked == ["/o/r/HEAD/a", "/o/r/HEAD/b"]


def test_a_server_in_trouble_is_asked_again(home: Home, tmp_path: Path) -> None:
    home.answers["/o/r/HEAD/a"] = [sends(b"", 500), sends(b"", 503), sends(BODY)]
    assert only(fetch(single("a"), tmp_path, web=home.web)).fate == "fetched"
    assert len(home.asked) == 3


def test_but_not_for_ever(home: Home, tmp_path: Path) -> None:
    home.answers["/o/r/HEAD/a"] = [sends(b"", 500)]
    one = only(fetch(single("a"), tmp_path, web=home.web))
    assert (one.fate, one.detail) == ("failed", f"{home.base}/o/r/HEAD/a answers 500")
    assert len(home.asked) == home.web.attempts


def test_a_cut_connection_is_no_changed_file(home: Home, tmp_path: Path) -> None:
    cut = sends(BODY[:3], length=len(BODY))
    home.answers["/o/r/HEAD/a"] = [cut, sends(BODY)]
    home.answers["/o/r/HEAD/b"] = [cut]
    good, lost = fetch(single("a", "b"), tmp_path, web=home.web, accept_changed=True)
    assert (good.fate, lost.fate) == ("fetched", "failed")
    assert "cut (3 of 16 bytes)" in lost.detail
    assert on_disk(tmp_path) == ["poems/a"]


def test_a_server_that_hangs_up_at_once_loses_the_file(home: Home, tmp_path: Path) -> None:
    home.answers["/o/r/HEAD/a"] = [lambda handler: None]
    one = only(fetch(single("a"), tmp_path, web=home.web))
    assert one.fate == "failed"
    assert "cut" in one.detail


def test_a_host_that_hangs_stops_the_fetch(home: Home, tmp_path: Path) -> None:
    home.answers["/o/r/HEAD/a"] = [home.hangs]
    web = Web(raw=home.base, timeout=0.05, attempts=2, pause=0.001)
    with pytest.raises(UserError, match=r"could not be reached \(timed out\)"):
        fetch(single("a", "b"), tmp_path, web=web)
    assert home.asked == ["/o/r/HEAD/a"] * 2


def test_a_host_that_drips_is_cut_off(home: Home, tmp_path: Path) -> None:
    home.answers["/o/r/HEAD/a"] = [drips]
    web = Web(raw=home.base, patience=0.1, attempts=1)
    with pytest.raises(UserError, match=r"not finished after 0\.1 s"):
        fetch(single("a"), tmp_path, web=web)


@pytest.mark.parametrize("length", [None, 0])
def test_too_large_an_answer_is_refused(home: Home, tmp_path: Path, length: int | None) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(bytes(1000))

    home.answers["/o/r/HEAD/a"] = [sends(bytes(1000)) if length is None else endless]
    one = only(fetch(single("a"), tmp_path, web=Web(raw=home.base, file_limit=999)))
    assert (one.fate, one.detail) == (
        "failed",
        f"{home.base}/o/r/HEAD/a sends more than 999 bytes",
    )


@pytest.mark.parametrize("place", ["https://127.0.0.1:1/x", "ftp://127.0.0.1/x", "file:///x"])
def test_no_redirect_leaves_the_protocol(home: Home, tmp_path: Path, place: str) -> None:
    home.answers["/o/r/HEAD/a"] = [redirects(place)]
    one = only(fetch(single("a"), tmp_path, web=home.web))
    assert one.fate == "failed"
    assert "another protocol" in one.detail or "answers 302" in one.detail


@pytest.mark.parametrize("place", ["http://[1/x", "/o/r/HEAD/a", "http://127.0.0.1:port/x"])
def test_a_mad_redirect_is_a_failure_of_one_file(home: Home, tmp_path: Path, place: str) -> None:
    home.answers["/o/r/HEAD/a"] = [redirects(place)]
    assert only(fetch(single("a"), tmp_path, web=home.web)).fate == "failed"


def test_a_redirect_within_the_protocol_is_followed(home: Home, tmp_path: Path) -> None:
    home.answers["/o/r/HEAD/a"] = [redirects(f"{home.base}/new")]
    home.answers["/new"] = [sends(BODY)]
    assert only(fetch(single("a"), tmp_path, web=home.web)).fate == "fetched"


def test_a_mad_length_is_no_crash(home: Home, tmp_path: Path) -> None:
    def mad(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "many")
        handler.end_headers()
        handler.wfile.write(BODY)

    home.answers["/o/r/HEAD/a"] = [mad]
    assert only(fetch(single("a"), tmp_path, web=home.web)).fate == "fetched"


def test_without_any_server_the_error_says_where_and_what_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{closed.getsockname()[1]}"
        web = Web(raw=f"http://{host}", attempts=2, pause=0.001)
        with pytest.raises(UserError) as caught:
            fetch(single("a"), tmp_path, web=web)
    text = str(caught.value)
    assert f"the host {host} could not be reached" in text
    assert f"a from https://github.com/o/r to {tmp_path}/poems/a" in text
    assert "docs/open-data.md" in text
    assert "\n" not in text


def test_a_name_that_cannot_be_resolved_is_no_network_and_not_asked_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def offline(*where: object, **more: object) -> None:
        asked.append(where)
        raise socket.gaierror(socket.EAI_NONAME, "no")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    with pytest.raises(UserError, match=r"no network: the name home\.invalid can't be resolved"):
        fetch(single("a"), tmp_path, web=Web(raw="https://home.invalid"))
    assert len(asked) == 1


def test_a_folder_that_cannot_be_written_is_a_user_error(home: Home, tmp_path: Path) -> None:
    home.answers["/o/r/HEAD/a"] = [sends(BODY)]
    (tmp_path / "poems").write_text("a file stands here", encoding="utf-8")
    with pytest.raises(UserError, match=r"can't be used.*--to"):
        fetch(single("a"), tmp_path, web=home.web)


def pages(*files: OpenFile) -> list[Collection]:
    made = Collection(
        folder="pages", repository="o/r", licence="MIT", use="x", form="pages", files=files
    )
    return [made]


def test_pages_are_found_by_hash_and_no_archive_path_reaches_the_disk(
    home: Home, tmp_path: Path
) -> None:
    files = {"r-1/../../../evil.html": BODY, "/etc/x.html": b"x", "r-1/t/new.html": b"new"}
    home.answers["/o/r/zip/HEAD"] = [sends(packed(files))]
    table = pages(
        OpenFile(sha(BODY), 1, "a.html", "moved.html"),
        OpenFile(sha(b"old"), 1, "b.html", "t/new.html"),
        OpenFile(sha(b"gone"), 1, "c.html", "t/gone.html"),
    )
    to = tmp_path / "in" / "data"
    done = fetch(table, to, web=home.web)
    assert [one.fate for one in done] == ["fetched", "changed", "failed"]
    assert home.asked == ["/o/r/zip/HEAD"]
    assert on_disk(tmp_path) == ["in/data/pages/a.html"]
    done = fetch(table, to, web=home.web, accept_changed=True)
    assert [one.fate for one in done] == ["there", "accepted", "failed"]
    assert (to / "pages/b.html").read_bytes() == b"new"


def test_items_of_an_archive_become_lines(home: Home, tmp_path: Path) -> None:
    files = {
        "r-1/questions/q-2.json": '{"id": 2, "q": "雪为什么是白的？"}'.encode(),
        "r-1/questions/index.json": b'["q-1.json", "q-2.json"]',
        "r-1/questions/q-1.json": b'{\n  "id": 1, "q": 0.5\n}',
        "r-1/other/q-3.json": b"{}",
    }
    lines = '{"file": "q-1.json", "id": 1, "q": 0.5}\n' + (
        '{"file": "q-2.json", "id": 2, "q": "雪为什么是白的？"}\n'
    )
    home.answers["/o/r/zip/HEAD"] = [sends(packed(files))]
    file = OpenFile(sha(lines.encode()), 2, "q.jsonl", "questions/*.json")
    table = Collection(
        folder="qa", repository="o/r", licence="MIT", use="x", form="lines", files=(file,)
    )
    assert only(fetch([table], tmp_path, web=home.web)).fate == "fetched"
    assert (tmp_path / "qa/q.jsonl").read_text(encoding="utf-8") == lines


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff{}", b'{"a": "\\ud800"}', b"[" * 100_000],
    ids=["half", "no UTF-8", "lone surrogate", "deep"],
)
def test_an_item_that_is_no_json_loses_the_file(body: bytes) -> None:
    with pytest.raises(Lost, match=r"q/1\.json in the archive is no JSON"):
        as_lines(iter([("q/1.json", body)]))


def test_lines_of_nothing_are_no_file() -> None:
    with pytest.raises(Lost, match="no item"):
        as_lines(iter([("q/index.json", b"[]")]))


def test_a_bomb_is_stopped_whatever_its_directory_says() -> None:
    archive = packed({"r/a.html": bytes(600), "r/b.html": bytes(600), "r/c.txt": bytes(9000)})
    assert len(list(members(archive, "*.html", 1200))) == 2
    with pytest.raises(Lost, match="unpacks to more than 1,199 bytes"):
        list(members(archive, "*.html", 1199))


def test_a_damaged_archive_loses_its_files_only(home: Home, tmp_path: Path) -> None:
    archive = packed({"r-1/a.html": BODY * 100})
    for bad in (b"no zip", archive[:40], archive[:35] + b"\xff\xff\xff" + archive[38:]):
        home.answers["/o/r/zip/HEAD"] = [sends(bad)]
        table = pages(OpenFile(sha(BODY * 100), 1, "a.html"))
        one = only(fetch(table, tmp_path, web=home.web))
        assert one.fate == "failed"
        assert "the archive is damaged" in one.detail
    assert on_disk(tmp_path) == []


def test_members_of_unknown_packing_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("r/a.html", BODY)
    with pytest.raises(Lost, match="packed in an unknown way"):
        list(members(out.getvalue(), "*.html", 999))


def test_the_product_asks_by_https_only() -> None:
    assert Web().raw.startswith("https://")
    assert Web().archives.startswith("https://")


def test_no_two_files_share_a_place_and_none_leaves_the_folder() -> None:
    places = [one.place(file) for one in OPEN_DATA for file in one.files]
    assert len(places) == len(set(places)) == 68
    assert not [place for place in places if place.startswith("/") or ".." in place]


def test_the_experiment_reads_what_the_table_brings() -> None:
    text = (ROOT / "experiments" / "open-data.toml").read_text(encoding="utf-8")
    folders = {part.split("/")[0] for part in text.split("${CQIA_DATA}/")[1:]}
    assert folders == {one.folder for one in OPEN_DATA}


def test_the_table_is_what_the_data_are(data: Path) -> None:
    for collection in OPEN_DATA:
        for file in collection.files:
            place = data / collection.place(file)
            assert sha(place.read_bytes()) == file.sha256, place
            assert _records(place) == file.records, place


def _records(path: Path) -> int:
    if path.suffix == ".html":
        return 1
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return sum(1 for line in text.split("\n") if line.strip())
    body = json.loads(text)
    return len(body["example"] if isinstance(body, dict) else body)


def test_the_documentation_shows_the_table() -> None:
    text = (ROOT / "docs" / "open-data.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    folders = [row for row in rows if len(row) == 5 and row[0].startswith("`")]
    files = [row for row in rows if len(row) == 4 and row[0].startswith("`")]
    assert files == [
        [
            f"`{one.place(file)}`",
            f"`{one.path(file)}`",
            f"{file.records:,}",
            f"`{file.sha256}`",
        ]
        for one in OPEN_DATA
        for file in one.files
    ]
    assert folders == [
        [
            f"`{one.folder}/`",
            f"[{one.repository}](https://github.com/{one.repository})",
            one.licence,
            f"{sum(file.records for file in one.files):,} in {len(one.files)}",
            one.use,
        ]
        for one in OPEN_DATA
    ]


def unknown(name: str = "a.zip", base: str = "") -> list[Collection]:
    files = (OpenFile("", 0, name),)
    made = Collection(
        folder="exams", repository="o/r", licence="x", use="x", home=f"{base}/hub/", files=files
    )
    return [made]


def test_an_unknown_hash_is_recorded_at_the_first_download_and_holds(
    home: Home, tmp_path: Path
) -> None:
    home.answers["/hub/a.zip"] = [sends(BODY)]
    table = unknown(base=home.base)
    one = only(fetch(table, tmp_path, web=home.web))
    assert (one.fate, one.sha256) == ("recorded", sha(BODY))
    note = tmp_path / "exams" / "a.zip.sha256"
    assert note.read_text(encoding="utf-8") == f"{sha(BODY)}  a.zip\n"
    assert only(fetch(table, tmp_path, web=home.web)).fate == "there"
    assert home.asked == ["/hub/a.zip"]
    (tmp_path / "exams" / "a.zip").unlink()
    home.answers["/hub/a.zip"] = [sends(OTHER)]
    one = only(fetch(table, tmp_path, web=home.web))
    assert (one.fate, one.sha256) == ("changed", sha(OTHER))
    one = only(fetch(table, tmp_path, web=home.web, accept_changed=True))
    assert one.fate == "accepted"
    assert note.read_text(encoding="utf-8") == f"{sha(OTHER)}  a.zip\n"


def test_a_file_of_unknown_hash_put_there_by_hand_is_taken(home: Home, tmp_path: Path) -> None:
    (tmp_path / "exams").mkdir()
    (tmp_path / "exams" / "a.zip").write_bytes(BODY)
    assert only(fetch(unknown(base=home.base), tmp_path, web=home.web)).fate == "there"
    assert home.asked == []


def test_benchmarks_have_homes_by_https_and_places_of_their_own() -> None:
    found = [one for some in BENCHMARKS.values() for one in some]
    assert all(one.address.startswith("https://") for one in found)
    places = [one.place(file) for one in found for file in one.files]
    assert len(places) == len(set(places))
    assert not [place for place in places if place.startswith("/") or ".." in place]


def test_hashes_of_benchmarks_are_those_of_the_real_files(data: Path) -> None:
    known = [
        (one.place(file), file.sha256)
        for some in BENCHMARKS.values()
        for one in some
        for file in one.files
        if file.sha256
    ]
    assert len(known) == 14
    for place, expected in known:
        assert sha((data / place).read_bytes()) == expected
