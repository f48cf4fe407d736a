"""An S3-compatible store on this machine, and a middleware that makes it fail on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

SLOW = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAQUITESECRET", "AWS_SECRET_ACCESS_KEY": "the-secret-of-the-store"}

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Store:
    """The store behind its faults.

    fail_after_writes: writes that are taken before everything fails.
    fail: how many of the next reads are answered with 503. cut: how many break off in the middle.
    before: called before each answer to a read of an object's content, with the number of reads.
    """

    def __init__(self, app: Wsgi) -> None:
        self._app = app
        self.calm()

    def calm(self) -> None:
        self.fail = self.cut = self.reads = 0
        self.denied = False
        self.fail_after_writes = 1 << 30
        self.before: Callable[[int], None] = lambda _: None
        self.asked: list[str] = []

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.asked.append(f"{method} {path} {environ.get('HTTP_RANGE', '')}")
        if method == "PUT" and path.count("/") > 1:
            self.fail_after_writes -= 1
        if self.fail_after_writes < 0:
            self.fail = 1
        if self.fail > 0:
            self.fail -= 1
            start(
                "503 Slow Down", [("Content-Type", "text/xml"), ("Content-Length", str(len(SLOW)))]
            )
            return [b"" if method == "HEAD" else SLOW]
        if self.denied:
            body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
            start(
                "403 Forbidden", [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))]
            )
            return [b"" if method == "HEAD" else body]
        if method == "GET" and path.count("/") > 1:
            self.reads += 1
            self.before(self.reads)
            if self.cut > 0:
                self.cut -= 1
                return self._torn(environ, start)
        return self._app(environ, start)

    def _torn(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = b"".join(self._app(environ, start))
        yield body[: len(body) // 2]
        raise ConnectionAbortedError("torn on purpose")


@contextmanager
def running() -> Iterator[tuple[str, Store]]:
    """The store's address and its faults."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, type: str, message: str, *args: object) -> None:
            pass

        def run_wsgi(self) -> None:
            try:
                super().run_wsgi()
            except ConnectionAbortedError:
                self.close_connection = True

    with patch.dict("os.environ", KEYS):
        store = Store(DomainDispatcherApplication(create_backend_app))
        server = make_server("127.0.0.1", 0, store, threaded=True, request_handler=Quiet)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", store
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
