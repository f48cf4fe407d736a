"""Folders elsewhere that are written to, file by file; each file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

from cqia.places.far import insist, system


def fetched(name: str) -> bytes | None:
    """A small file's bytes; None: there is none."""
    there = system(name)

    def ask() -> bytes | None:
        try:
            return bytes(there.cat_file(name))
        except FileNotFoundError:
            return None

    return insist(name, ask)


def below(name: str) -> dict[str, int]:
    """The files below a folder elsewhere, by their names from there, with their sizes."""
    there = system(name)

    def ask() -> dict[str, int]:
        there.invalidate_cache()
        try:
            listed = there.find(name, detail=True)
        except FileNotFoundError:
            return {}
        root = str(there._strip_protocol(name)).rstrip("/") + "/"
        return {path.removeprefix(root): int(one["size"] or 0) for path, one in listed.items()}

    return insist(name, ask)


def put(name: str, body: bytes) -> None:
    """Write a small file whole or not at all."""
    there = system(name)
    insist(name, lambda: there.pipe_file(name, body))


def send(path: Path, name: str) -> None:
    """Copy a file of this machine elsewhere, whole or not at all."""
    there = system(name)
    insist(name, lambda: there.put_file(str(path), name))


def remove(name: str) -> None:
    """Delete a file elsewhere."""
    there = system(name)
    insist(name, lambda: there.rm_file(name))
