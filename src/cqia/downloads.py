"""One file over the wire: bounded in size and time, as many attempts as it takes and we allow."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import IO
from urllib.parse import urlsplit

from cqia.errors import UserError

MIB = 1 << 20
_BLOCK = 1 << 16
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """Where the files are asked for, and how long and how much we put up with.

    The bounds are this project's choice: the largest file has 5 MB.
    """

    raw: str = "https://raw.githubusercontent.com"
    archives: str = "https://codeload.github.com"
    timeout: float = 30
    """Seconds without a byte."""
    patience: float = 600
    """Seconds for one answer as a whole: a server that sends a byte now and then is cut off."""
    attempts: int = 4
    pause: float = 1
    """Seconds before the second attempt; doubled each time."""
    file_limit: int = 32 * MIB
    archive_limit: int = 128 * MIB
    unpacked_limit: int = 256 * MIB
    """For all members of an archive that are read, together."""


class Lost(Exception):
    """One file can't be had; the others may."""


class _Unfinished(Exception):
    """An answer that may do better at another attempt."""


class _SameScheme(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only where it stays with the scheme: https never becomes http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).scheme != urlsplit(req.full_url).scheme:
            raise Lost(f"redirected from {req.full_url} to another protocol")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def get(url: str, web: Web, limit: int, hand: str) -> bytes:
    """The body at an address, after as many attempts as it takes and we allow.

    Raises:
        Lost: the server answers, but not with this file.
        UserError: the host can't be reached; then the other files can't be had either.
    """
    host = urlsplit(url).netloc
    pause = web.pause
    for attempt in range(1, web.attempts + 1):
        try:
            return _once(url, web, limit)
        except urllib.error.HTTPError as fault:
            with fault:
                problem = f"{url} answers {fault.code}"
            if fault.code not in _AGAIN:
                raise Lost(problem) from None
            reached = True
        except (_Unfinished, http.client.HTTPException, ConnectionError) as fault:
            problem, reached = f"{url}: the connection was cut ({fault})", True
        except ValueError as fault:
            raise Lost(f"{url} sends an answer that can't be read ({fault})") from None
        except OSError as fault:
            problem, reached = _unreachable(fault, host), False
            if _is_lasting(fault):
                break
        if attempt < web.attempts:
            time.sleep(pause)
            pause *= 2
    if reached:
        raise Lost(problem)
    raise UserError(problem, mend=hand)


def _once(url: str, web: Web, limit: int) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "cqia"})
    deadline = time.monotonic() + web.patience
    opener = urllib.request.build_opener(_SameScheme)
    with opener.open(request, timeout=web.timeout) as answer:
        length = answer.length
        body = bytearray()
        while len(body) != length and (block := answer.read1(_BLOCK)):
            body += block
            if len(body) > limit:
                raise Lost(f"{url} sends more than {limit:,} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError(f"not finished after {web.patience:g} s")
    if length is not None and len(body) != length:
        raise _Unfinished(f"{len(body):,} of {length:,} bytes")
    return bytes(body)


def _cause(fault: OSError) -> object:
    return fault.reason if isinstance(fault, urllib.error.URLError) else fault


def _is_lasting(fault: OSError) -> bool:
    """Whether another attempt in a few seconds is pointless."""
    return isinstance(_cause(fault), socket.gaierror | ssl.SSLCertVerificationError)


def _unreachable(fault: OSError, host: str) -> str:
    cause = _cause(fault)
    if isinstance(cause, socket.gaierror):
        return f"no network: the name {host} can't be resolved"
    return f"the host {host} could not be reached ({cause})"
