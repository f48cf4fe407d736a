"""A hub of one dataset on this machine: what the hub's file system asks, in its form."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hub(ThreadingHTTPServer):
    """files: the dataset's. fail: how many of the next reads are answered with 503."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.fail = 0
        self.ranges: list[str] = []

    def listed(self, below: str) -> list[dict[str, object]]:
        """The files and folders right below a folder."""
        start = f"{below}/" if below else ""
        found: dict[str, dict[str, object]] = {}
        for path, body in sorted(self.files.items()):
            inner = path.removeprefix(start)
            if not path.startswith(start):
                continue
            oid = hashlib.sha1(body).hexdigest()
            if "/" in inner:
                folder = start + inner.partition("/")[0]
                found[folder] = {"type": "directory", "path": folder, "oid": oid}
            else:
                found[path] = {"type": "file", "path": path, "size": len(body), "oid": oid}
        return list(found.values())


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if tree := re.fullmatch(r"/api/datasets/own/set/tree/main/?(.*)", path):
            listed = self.server.listed(tree[1])
            if listed:
                self._say(200, json.dumps(listed).encode())
            else:
                self._say(404, b'{"error": "Entry not found"}', "EntryNotFound")
        elif path.startswith("/api/datasets/own/set"):
            facts = {"id": "own/set", "sha": "0" * 40, "siblings": [], "private": False}
            self._say(200, json.dumps(facts | {"tags": [], "downloads": 0, "likes": 0}).encode())
        elif place := re.fullmatch(r"/datasets/own/set/resolve/main/(.+)", path):
            self._content(place[1])
        else:
            self._say(404, b'{"error": "Repository not found"}', "RepoNotFound")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _content(self, path: str) -> None:
        if self.server.fail:
            self.server.fail -= 1
            self._say(503, b"busy")
            return
        body = self.server.files.get(path)
        if body is None:
            self._say(404, b"", "EntryNotFound")
            return
        asked = self.headers.get("Range", "")
        self.server.ranges.append(asked)
        if span := re.fullmatch(r"bytes=(\d+)-(\d+)", asked):
            body = body[int(span[1]) : int(span[2]) + 1]
        self._say(206 if span else 200, body)

    def _say(self, status: int, body: bytes, code: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        if code:
            self.send_header("X-Error-Code", code)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def running() -> Iterator[Hub]:
    """A hub, and its address in `server_port`."""
    with Hub() as hub:
        thread = threading.Thread(target=lambda: hub.serve_forever(0.05), daemon=True)
        thread.start()
        yield hub
        hub.shutdown()
        thread.join()
