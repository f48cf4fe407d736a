"""An exported dataset, copied to a folder elsewhere: file by file, its manifest last.

The rule is that of a folder here: what an earlier run wrote is replaced, anything else is left
alone, and a copy that was stopped goes on from the files that are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from cqia import store
from cqia.errors import UserError
from cqia.places.folders import below, fetched, put, remove, send
from cqia.workers import Progress


def publish(
    folder: Path, url: str, formats: Sequence[str], progress: Progress | None = None
) -> None:
    """Copy formats of an exported dataset.

    Args:
        folder: where `cqia.stages.assemble.export` wrote it.
        url: the folder elsewhere (`cqia.places`), in which each format has a folder of its own.
        formats: names of formats.
        progress: told of every format copied.

    Raises:
        UserError: the place can't be reached, or a folder there isn't ours to replace.
    """
    url = url.rstrip("/")
    ours = (store.manifest(folder) or {})["formats"]
    told = _told(url)
    for number, name in enumerate(formats, start=1):
        _copy(folder / name, f"{url}/{name}", ours[name], told, url)
        if progress:
            progress(number, len(formats), f"{name} to {url}")


def _copy(folder: Path, place: str, facts: store.Facts, told: store.Facts, url: str) -> None:
    """Copy one format. `told` is what the manifest there says; it is written again on the way."""
    there, name = below(place), folder.name
    if told.get(name) == facts and facts["bytes"].items() <= there.items():
        return
    if there and name not in told:
        raise UserError("this folder holds something else", where=place, mend="name another one")
    if told.get(name, {}).get("coming") != facts["fingerprint"]:
        for one in there:
            remove(f"{place}/{one}")
        told[name] = {"fingerprint": "", "coming": facts["fingerprint"], "files": {}, "bytes": {}}
        _tell(url, told)
        there = {}
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}
    for one, size in sizes.items():
        if there.get(one) != size:
            send(folder / one, f"{place}/{one}")
    if (found := below(place)) != sizes:
        raise UserError(
            f"{len(found)} files are there, {len(sizes)} were sent, or their sizes differ",
            where=place,
            mend="somebody else writes there; name another folder",
        )
    told[name] = facts
    _tell(url, told)


def _told(url: str) -> store.Facts:
    """What an earlier copy says of its formats."""
    place = f"{url}/{store.MANIFEST}"
    body = fetched(place)
    if body is None:
        return {}
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("formats"), dict):
        raise UserError("this is no manifest of ours", where=place, mend="name another folder")
    return dict(found["formats"])


def _tell(url: str, told: store.Facts) -> None:
    facts = {"stage": "export", "formats": told}
    body = orjson.dumps(facts, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    put(f"{url}/{store.MANIFEST}", body)
