"""A site on 127.0.0.1 that serves the samples, and misbehaves where it is told to."""

from __future__ import annotations

import gzip
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "samples" / "encyclopedia"
NAMES = {"Encoding": "Content-Encoding", "After": "Retry-After"}
HUGE = 3 << 20


class Site(ThreadingHTTPServer):
    """Counts what it was asked for, and when.

    robots: the status and text of robots.txt. down: answer nothing but robots.txt.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: Counter[str] = Counter()
        self.times: list[tuple[float, str]] = []
        self.agents: set[str] = set()
        self.robots: tuple[int, str] = (200, "User-agent: *\nDisallow: /private\n")
        self.lock = threading.Lock()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the test."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        site, path = self.server, self.path
        with site.lock:
            site.asked[path] += 1
            site.times.append((time.monotonic(), path))
            site.agents.add(self.headers["User-Agent"])
        if path == "/robots.txt":
            status, text = site.robots
            self.say(text.encode(), status=status, kind="text/plain")
        elif path == "/list":
            names = [*pages(), "gone", "busy", "broken", "slow", "huge", "cut", "moved", "away"]
            names += ["loop/0", "../private/x", "picture", "packed"]
            links = "".join(f'<a href="/page/{name}">{name}</a>' for name in names)
            links += (
                '<a href="http://[bad">x</a><a href="mailto:a@b.cn">y</a><a href="/other">z</a>'
            )
            self.say(f"<html><body>{links}</body></html>".encode())
        elif path.startswith("/page/loop/"):
            self.say(b"", status=302, Location=f"/page/loop/{int(path.rpartition('/')[2]) + 1}")
        else:
            getattr(self, path.removeprefix("/page/"), self.sample)()

    def sample(self) -> None:
        file = SAMPLES / self.path.rpartition("/")[2]
        if file.is_file() and file.suffix == ".html":
            self.say(file.read_bytes())
        else:
            self.say(b"<html><body>?</body></html>", status=404)

    def gone(self) -> None:
        self.say(b"<html><body>410</body></html>", status=410)

    def busy(self) -> None:
        if self.server.asked[self.path] < 3:
            self.say(b"slow down", status=429, After="1")
        else:
            self.say((SAMPLES / "dengta.html").read_bytes())

    def broken(self) -> None:
        self.say(b"<html><body>500</body></html>", status=500)

    def slow(self) -> None:
        time.sleep(4)
        self.say(b"late")

    def huge(self) -> None:
        self.say(b"<html><body>" + b"x" * HUGE)

    def cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"<html>half a page")
        self.close_connection = True

    def moved(self) -> None:
        self.say(b"", status=301, Location="/page/kafei.html")

    def away(self) -> None:
        self.say(b"", status=302, Location="http://localhost:9/elsewhere")

    def picture(self) -> None:
        self.say(b"\x89PNG", kind="image/png")

    def packed(self) -> None:
        body = gzip.compress((SAMPLES / "caihong.html").read_bytes())
        self.say(body, Encoding="gzip")

    def say(self, body: bytes, *, status: int = 200, kind: str = "text/html", **more: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more.items():
            self.send_header(NAMES.get(name, name), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def pages() -> list[str]:
    """The sample pages that the site has, a few of them."""
    return ["caihong.html", "dengta.html", "kafei.html", "tie.html", "ciqi.html", "empty.html"]


@contextmanager
def serve() -> Iterator[Site]:
    """The site, until the block ends."""
    site = Site()
    thread = threading.Thread(target=site.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield site
    finally:
        site.shutdown()
        thread.join()
        site.server_close()
