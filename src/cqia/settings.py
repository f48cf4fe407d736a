"""Strict reading of TOML: unknown keys and wrong types are errors, all told at once."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from cqia.errors import UserError, unknown

T = TypeVar("T")

_NAMES: dict[type, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


class Table:
    """One TOML table that is read key by key; what is left at the end was not known.

    Faults are collected on the way and raised together by `close`, so that a user mends a file in
    one go.
    """

    def __init__(
        self,
        values: dict[str, Any],
        *,
        path: Path,
        text: str,
        name: str = "",
        lines: range | None = None,
    ) -> None:
        self._values = dict(values)
        self._asked: list[str] = []
        self._path = path
        self._text = text
        self._name = name
        self._lines = range(len(text.splitlines())) if lines is None else lines
        self.faults: list[str] = []

    def where(self, key: str = "", value: object = "") -> str:
        """The file and, as far as it can be found, the line of a key (with this value)."""
        lines = self._text.splitlines()
        wanted = re.compile(rf"(^|[\s{{,\[\".]){re.escape(key)}\"?\s*[=\].]")
        found = [number for number in self._lines if key and wanted.search(lines[number])]
        exact = [number for number in found if str(value) in lines[number]]
        place = (exact or found or self._lines[:1] if self._name else exact or found)[:1]
        return f"{self._path}:{place[0] + 1}" if place else str(self._path)

    def _below(self, name: str, time: int) -> range:
        """The lines of the table whose header `[name]` stands for the time-th time, from 0."""
        lines = self._text.splitlines()
        header = re.compile(rf"\s*\[\[?\s*{re.escape(name)}\s*\]")
        inner = re.compile(rf"\s*(?!\[)|\s*\[\[?\s*{re.escape(name)}\.")
        starts = [number for number in self._lines if header.match(lines[number])]
        if time >= len(starts):
            return self._lines
        first = starts[time]
        ends = (one for one in range(first + 1, len(lines)) if not inner.match(lines[one]))
        return range(first, next(ends, len(lines)))

    def take(self, key: str, kind: type[T], default: T) -> T:
        """The value of a key, or the default; a value of another type is a fault."""
        self._asked.append(key)
        value = self._values.pop(key, default)
        if kind is float and type(value) is int:
            value = float(value)
        if value is default or type(value) is kind:
            return value
        self.fault(key, f"{key!r} must be {_NAMES[kind]}, not {value!r}", value)
        return default

    def strings(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of strings (or one string)."""
        value = self.raw(key, default)
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
            return tuple(value)
        self.fault(key, f"{key!r} must be a list of strings")
        return tuple(default)

    def number(self, key: str) -> float | None:
        """A number, or None when the key is absent."""
        value = self.raw(key, None)
        if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            return value
        self.fault(key, f"{key!r} must be a number, not {value!r}")
        return None

    def optional(self, key: str, kind: type[T]) -> T | None:
        """The value of a key, or None when it is absent; a value of another type is a fault."""
        given, faults = self.has(key), len(self.faults)
        value = self.take(key, kind, kind())
        return value if given and len(self.faults) == faults else None

    def raw(self, key: str, default: object) -> Any:  # noqa: ANN401
        """The value of a key as it stands."""
        self._asked.append(key)
        return self._values.pop(key, default)

    def table(self, key: str) -> Table:
        """A table inside this one; empty when absent."""
        return self._inner(key, self.take(key, dict, {}), 0)

    def tables(self, key: str) -> list[Table]:
        """An array of tables inside this one."""
        found = self.take(key, list, [])
        if all(isinstance(one, dict) for one in found):
            return [self._inner(key, one, time) for time, one in enumerate(found)]
        self.fault(key, f"{key!r} must be tables: [[{key}]]")
        return []

    def _inner(self, key: str, values: dict[str, Any], time: int) -> Table:
        name = f"{self._name}.{key}" if self._name else key
        lines = self._below(name, time)
        inner = Table(values, path=self._path, text=self._text, name=name, lines=lines)
        inner.faults = self.faults
        return inner

    def rest(self) -> tuple[tuple[str, Any], ...]:
        """All that was not taken yet, for one who knows what may stand there."""
        return tuple((key, self.raw(key, None)) for key in sorted(self._values))

    def has(self, key: str) -> bool:
        """Whether a key is there and was not taken yet."""
        return key in self._values

    def fault(self, key: str, what: str, value: object = "") -> None:
        """Note a fault at a key (with this value)."""
        place = f"[{self._name}] " if self._name else ""
        self.faults.append(f"{self.where(key, value)}: {place}{what}")

    def done(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._values:
            problem = unknown("key", key, self._asked)
            self.fault(key, f"{problem.what}; {problem.mend}", self._values[key])
        self._values = {}

    def close(self) -> None:
        """Raise all faults that were noted.

        Raises:
            UserError: there were any.
        """
        self.done()
        if self.faults:
            raise UserError("\n".join(self.faults))


def load(path: Path) -> Table:
    """Read a TOML file.

    Raises:
        UserError: there is none, or it is no TOML.
    """
    if not path.is_file():
        raise UserError("no such file", where=str(path), mend="check the path")
    try:
        text = path.read_text(encoding="utf-8")
        return Table(tomllib.loads(text), path=path, text=text)
    except tomllib.TOMLDecodeError as fault:
        line = re.search(r"line (\d+)", str(fault))
        place = f"{path}:{line.group(1)}" if line else str(path)
        raise UserError(f"no valid TOML ({fault})", where=place) from None
    except UnicodeDecodeError:
        raise UserError("not UTF-8", where=str(path), mend="save it as UTF-8") from None


def with_environment(text: str, where: str) -> str:
    """Put in the values of `${NAME}` and `${NAME:-default}` from the environment.

    Raises:
        UserError: a variable without default is not set.
    """

    def value(found: re.Match[str]) -> str:
        name, default = found.group(1), found.group(2)
        if (given := os.environ.get(name, default)) is None:
            raise UserError(
                f"the environment variable {name} is not set", where=where, mend=f"export {name}=…"
            )
        return given

    return re.sub(r"\$\{(\w++)(?::-([^{}]*+))?\}", value, text)
