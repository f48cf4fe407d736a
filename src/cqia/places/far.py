"""What lies elsewhere is asked through here: by fsspec, again where it may help, in plain words.

What may pass (503, a cut connection, no network for a moment) is asked again with growing waits;
what doesn't is one line. So no fault of the network is ever taken for the end of a file.
"""

from __future__ import annotations

import functools
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cqia.errors import UserError, missing_extra

T = TypeVar("T")

SCHEMES = {"s3": "s3fs", "hf": "huggingface_hub", "http": "aiohttp", "https": "aiohttp"}
"""Where a file may lie, and the package that reads there."""
TRIES = 6
FIRST_WAIT = 0.5
"""Seconds before the second try at most; each next wait is up to twice as long."""
PASSING = (408, 425, 429)
"""Statuses below 500 that may pass."""
SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "HF_TOKEN")
AGAIN = "the same command goes on from what is done"
_SHOWN = 200


def system(name: str) -> Any:  # noqa: ANN401
    """The file system of fsspec that a name lies in."""
    return _opened(urlsplit(name).scheme)


@functools.cache
def _opened(scheme: str) -> Any:  # noqa: ANN401
    """What reads at such places. Listings are not remembered: others write there, too."""
    try:
        import fsspec
    except ImportError:
        raise missing_extra("fsspec", "remote") from None
    try:
        return fsspec.filesystem(scheme, use_listings_cache=False)
    except ImportError:
        raise missing_extra(SCHEMES[scheme], "remote") from None


def insist(name: str, ask: Callable[[], T]) -> T:
    """Ask until there is an answer, or no use in asking, or no try left.

    Raises:
        UserError: why there is none.
    """
    told = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(random.uniform(0.5, 1) * FIRST_WAIT * 2 ** (attempt - 1))
        try:
            return ask()
        except _faults() as fault:
            if lasting := _lasting(name, fault):
                raise lasting from None
            told = safe(f"{type(fault).__name__}: {fault}")
    raise UserError(f"asked {TRIES} times, no answer each time ({told})", where=name, mend=AGAIN)


class Changed(UserError):
    """A file is another one than it was when the work was planned."""


def changed(name: str) -> Changed:
    """The error for a file that changed."""
    return Changed("this file changed while it was read", where=name, mend="run it again")


def _faults() -> tuple[type[BaseException], ...]:
    """What reading and writing elsewhere raises, by the libraries that are loaded."""
    names = (
        ("aiohttp", "ClientError"),
        ("botocore.exceptions", "BotoCoreError"),
        ("botocore.exceptions", "ClientError"),
        ("huggingface_hub.errors", "HfHubHTTPError"),
        ("huggingface_hub.errors", "EntryNotFoundError"),
        ("huggingface_hub.errors", "HfUriError"),
        ("httpx", "HTTPError"),
        ("httpx2", "HTTPError"),
    )
    loaded = [(sys.modules.get(module), name) for module, name in names]
    return (
        OSError,
        EOFError,
        NotImplementedError,
        *(getattr(module, name) for module, name in loaded if hasattr(module, name)),
    )


def _lasting(name: str, fault: BaseException) -> UserError | None:
    """The error for what asking again doesn't mend; None: it may pass."""
    kind, status = type(fault).__name__, _status(fault)
    if kind == "FileExpired" or status in (412, 416):
        return changed(name)
    if isinstance(fault, FileNotFoundError) or "NotFound" in kind or status == 404:
        return UserError("no such file, folder or bucket", where=name, mend="check the name")
    if isinstance(fault, PermissionError) or "Credentials" in kind or status in (401, 403):
        what = f"no permission ({safe(str(fault))})"
        return UserError(what, where=name, mend="set keys in the environment: docs/remote.md")
    if isinstance(fault, NotImplementedError | ValueError):
        return UserError(
            f"this can't be done there ({safe(str(fault))})", where=name, mend="name another place"
        )
    if status is not None and 400 <= status < 500 and status not in PASSING:
        what = f"the store refuses this ({safe(str(fault))})"
        return UserError(what, where=name, mend="check the name, and the store's address")
    return None


def _status(fault: BaseException) -> int | None:
    """The status of the answer that a fault tells of."""
    for one in (fault, fault.__cause__):
        answer = getattr(one, "response", None)
        if isinstance(answer, dict):
            answer = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
        for value in (answer, getattr(answer, "status_code", None), getattr(one, "status", None)):
            if isinstance(value, int):
                return value
    return None


def safe(text: str) -> str:
    """The start of a text on one line, without keys in it."""
    for name in SECRETS:
        secret = os.environ.get(name, "").strip()
        text = text.replace(secret, "***") if secret else text
    return "".join(one if one.isprintable() else " " for one in text)[:_SHOWN].strip()
