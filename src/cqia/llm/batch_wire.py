"""The five calls of OpenAI's batch protocol over aiohttp: upload, create, find, get, lines."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Self

import orjson

from cqia.errors import UserError, missing_extra
from cqia.llm.endpoint import AGAIN, LONGEST_WAIT, PROXIES, Endpoint

if TYPE_CHECKING:
    import aiohttp

PAGES = 50
"""Pages of the list of batches that are looked through."""


class Gone(Exception):
    """What was asked for is not there (404, 410)."""


class Wire:
    """Calls to an endpoint's files and batches.

    Raises:
        UserError: the extra `llm` or the key is missing.
    """

    def __init__(self, model: Endpoint) -> None:
        self._model = model
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        try:
            import aiohttp
        except ImportError:
            raise missing_extra("aiohttp", "llm") from None
        secret = self._model.secret() if self._model.key else ""
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {secret}"} if secret else {},
            timeout=aiohttp.ClientTimeout(total=None, connect=60, sock_read=self._model.timeout),
            trust_env=any(os.environ.get(name) for name in PROXIES),
        )
        return self

    async def __aexit__(self, *fault: object) -> None:
        if self._session:
            await self._session.close()

    async def upload(self, name: str, body: bytes) -> str:
        """Upload a file of requests; twice does no harm. Returns its id."""
        import aiohttp

        def form() -> aiohttp.FormData:
            data = aiohttp.FormData()
            data.add_field("purpose", "batch")
            data.add_field("file", body, filename=name, content_type="application/jsonl")
            return data

        return self._id(await self._made("files", form=form))

    async def create(self, file: str, token: str) -> str:
        """Make a batch of a file; returns its id.

        Sent once: a broken answer may mean that it was made, and the next run looks for it.
        """
        place = f"/{self._model.url.rstrip('/').rpartition('/')[2]}/chat/completions"
        told = {
            "input_file_id": file,
            "endpoint": place,
            "completion_window": "24h",
            "metadata": {"token": token},
        }
        return self._id(await self._made("batches", json=told, once=True))

    async def find(self, file: str, token: str) -> str | None:
        """The id of the batch that was made of a file; None: there is none.

        Raises:
            UserError: the endpoint doesn't list its batches.
        """
        after = ""
        for _ in range(PAGES):
            try:
                page = await self._call("GET", f"batches?limit=100{after}")
            except Gone:
                raise UserError(
                    "it is not known whether a batch was submitted: this endpoint lists none",
                    where=self._model.url,
                    mend="look for it at the provider, then delete its file in the folder of"
                    " batches to submit it again",
                ) from None
            told = page.get("data")
            listed = told if isinstance(told, list) else []
            batches = [one for one in listed if isinstance(one, dict) and "id" in one]
            for one in batches:
                metadata = one.get("metadata")
                marked = metadata.get("token") if isinstance(metadata, dict) else None
                if one.get("input_file_id") == file or marked == token:
                    return str(one["id"])
            if not batches or not page.get("has_more"):
                return None
            after = f"&after={batches[-1]['id']}"
        return None

    async def get(self, path: str) -> dict[str, Any]:
        """A JSON object.

        Raises:
            Gone: it is not there.
        """
        return await self._call("GET", path)

    async def lines(self, file: str) -> AsyncIterator[bytes]:
        """The lines of a file, which is brought here first; none if it is gone."""
        import aiohttp

        assert self._session
        url = f"{self._model.url.rstrip('/')}/files/{file}/content"
        for attempt in range(self._model.retries + 1):
            with tempfile.TemporaryFile() as held:
                try:
                    async with self._session.get(url) as answer:
                        if answer.status in (404, 410):
                            return
                        answer.raise_for_status()
                        async for piece in answer.content.iter_chunked(1 << 18):
                            held.write(piece)
                except (aiohttp.ClientError, TimeoutError, OSError) as fault:
                    if attempt == self._model.retries:
                        raise self._unreachable(fault) from None
                    await self._pause(attempt)
                    continue
                held.seek(0)
                for line in held:
                    if line.strip():
                        yield line
            return

    async def _made(
        self,
        path: str,
        *,
        json: dict[str, Any] | None = None,
        form: Callable[[], aiohttp.FormData] | None = None,
        once: bool = False,
    ) -> dict[str, Any]:
        try:
            return await self._call("POST", path, json=json, form=form, once=once)
        except Gone as fault:
            raise UserError(
                f"this endpoint offers no batches ({fault})",
                where=self._model.url,
                mend="run the command without --batch",
            ) from None

    async def _call(
        self,
        method: str,
        path: str,
        *,
        json: dict[str, Any] | None = None,
        form: Callable[[], aiohttp.FormData] | None = None,
        once: bool = False,
    ) -> dict[str, Any]:
        """Call until it is answered; `once`: only a 429 is asked again, which did nothing."""
        import aiohttp

        assert self._session
        url = f"{self._model.url.rstrip('/')}/{path}"
        for attempt in range(self._model.retries + 1):
            data = form() if form else None
            last = attempt == self._model.retries
            try:
                async with self._session.request(method, url, json=json, data=data) as answer:
                    body, status = await answer.read(), answer.status
            except (aiohttp.ClientError, TimeoutError, OSError) as fault:
                if once or last:
                    raise self._unreachable(fault) from None
                await self._pause(attempt)
                continue
            passing = status in AGAIN or status >= 500
            if passing and not last and (status == 429 or not once):
                await self._pause(attempt)
                continue
            return self._object(status, body)
        raise AssertionError("the last attempt returns or raises")

    def _object(self, status: int, body: bytes) -> dict[str, Any]:
        said = self._model.safe(f"{status}: {body.decode('utf-8', 'replace')}")
        if status in (404, 405, 410):
            raise Gone(said)
        if status in (401, 403):
            raise UserError(f"the endpoint doesn't accept the key ({said})", where=self._model.url)
        if status >= 400:
            raise UserError(f"the endpoint refuses this batch ({said})", where=self._model.url)
        try:
            found = orjson.loads(body)
        except orjson.JSONDecodeError:
            found = None
        if not isinstance(found, dict):
            raise UserError(
                f"the endpoint's answer is no JSON of the protocol ({said})",
                where=self._model.url,
                mend="run the same command again; what was submitted is looked for first",
            )
        return found

    def _id(self, found: dict[str, Any]) -> str:
        if not isinstance(found.get("id"), str):
            said = self._model.safe(str(found))
            raise UserError(f"the endpoint gave no id ({said})", where=self._model.url)
        return str(found["id"])

    def _unreachable(self, fault: BaseException) -> UserError:
        said = self._model.safe(f"{type(fault).__name__}: {fault}")
        return UserError(
            f"the endpoint can't be reached ({said})",
            where=self._model.url,
            mend="run the same command again; what was submitted is looked for first",
        )

    async def _pause(self, attempt: int) -> None:
        grown = min(self._model.first_wait * 2**attempt, LONGEST_WAIT)
        await asyncio.sleep(random.uniform(0, grown))
