"""Finds every regular expression in the package: Python's, and those that Polars gets.

The source is read, not run: each call of `re.…` and of `.str.contains` and its kin is a site, and
its pattern is worked out with the names of its module. What a function makes of its arguments
can't be worked out so; `MADE` says how such a pattern is had, or why none is needed.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import cqia

ROOT = Path(cqia.__file__).parent
PYTHON = ("compile", "sub", "subn", "match", "fullmatch", "search", "findall", "finditer", "split")
POLARS = ("contains", "replace", "replace_all", "extract", "extract_all", "count_matches", "find")
GUARDED = ("amend", "rewrite", "tally")
"""Functions of `cqia.text.guarded`, whose second argument is a Rust regex."""
ONCE = {"match", "fullmatch"}
"""Methods that begin at one place only."""


class Site(NamedTuple):
    """A pattern and where it stands. anchored: it is only tried at one place of a text."""

    place: str
    name: str
    engine: str
    pattern: str
    flags: int
    anchored: bool


class Found(NamedTuple):
    """The patterns, and the places whose pattern could not be worked out."""

    sites: list[Site]
    unknown: list[str]


def every() -> Found:
    """All sites of the package."""
    sites: list[Site] = []
    unknown: list[str] = []
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}
    whole = "\n".join(texts.values())
    for path, text in texts.items():
        inside = path.relative_to(ROOT).as_posix()
        tree = ast.parse(text)
        calls = list(_calls(tree))
        if not calls:
            continue
        module = importlib.import_module(
            ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        )
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for call, engine, given in calls:
            key = f"{inside}:{_scope(call, parents)}"
            name = _target(call, parents)
            for one in _values(given, call, module, key, engine):
                if one is None:
                    unknown.append(key)
                    continue
                used = "" if one.engine == "polars" else text if name[:1] == "_" else whole
                place = f"{inside}:{call.lineno}"
                sites.append(
                    one._replace(place=place, name=name, anchored=_anchored(call, name, used))
                )
    unique = {(one.engine, one.pattern, one.flags, one.anchored): one for one in reversed(sites)}
    kept = sorted(
        unique.values(), key=lambda one: (one.place.split(":")[0], one.place, one.pattern)
    )
    return Found(kept, sorted(set(unknown)))


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str, ast.expr]]:
    """Calls that take a pattern, the engine, and the argument."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        func = node.func
        if isinstance(func, ast.Name) and func.id in GUARDED and len(node.args) > 1:
            yield node, "polars", node.args[1]
        if not isinstance(func, ast.Attribute):
            continue
        if isinstance(func.value, ast.Name) and func.value.id == "re" and func.attr in PYTHON:
            yield node, "re", node.args[0]
        strings = isinstance(func.value, ast.Attribute) and func.value.attr == "str"
        if strings and func.attr in POLARS and not _literal(node):
            yield node, "polars", node.args[0]


def _literal(call: ast.Call) -> bool:
    return any(
        one.arg == "literal" and isinstance(one.value, ast.Constant) and one.value.value
        for one in call.keywords
    )


def _scope(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> str:
    """The function that a node stands in; empty: none."""
    while node in parents:
        node = parents[node]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return node.name
    return ""


def _target(call: ast.Call, parents: dict[ast.AST, ast.AST]) -> str:
    """The name that a compiled pattern gets."""
    node = parents.get(call)
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.keyword) and node.arg:
        return node.arg
    return ""


def _anchored(call: ast.Call, name: str, whole: str) -> bool:
    """Whether a pattern is only tried at one place, judged by the text that uses its name."""
    func = call.func
    if not whole or not isinstance(func, ast.Attribute):
        return False
    if func.attr != "compile":
        return func.attr in ONCE
    used = set(re.findall(rf"\b{re.escape(name)}\.(\w+)\(", whole)) if name else set()
    return bool(used) and used <= ONCE


def _values(
    given: ast.expr, call: ast.Call, module: ModuleType, key: str, engine: str
) -> Iterator[Site | None]:
    """The patterns of a call; None: they can't be worked out."""
    if key in MADE:
        for one in MADE[key](module):
            if isinstance(one, re.Pattern):
                yield Site("", "", "re", one.pattern, one.flags, False)
            else:
                yield Site("", "", "polars", one, 0, False)
        return
    flags = [one.value for one in call.keywords if one.arg == "flags"]
    if isinstance(call.func, ast.Attribute) and call.func.attr == "compile":
        flags += call.args[1:2]
    elif _takes_flags(call):
        flags += call.args[2:3]
    try:
        pattern = _worked_out(given, module)
        found = [int(_worked_out(one, module)) for one in flags]
    except (NameError, AttributeError, TypeError):
        yield None
        return
    if isinstance(pattern, str | bytes):
        told = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
        mode = re.ASCII if isinstance(pattern, bytes) else 0
        yield Site("", "", engine, told, sum(found) | mode, False)


def _takes_flags(call: ast.Call) -> bool:
    func = call.func
    return (
        isinstance(func, ast.Attribute)
        and isinstance(func.value, ast.Name)
        and func.value.id == "re"
        and func.attr in ("match", "fullmatch", "search", "findall", "finditer")
    )


def _worked_out(node: ast.expr, module: ModuleType) -> Any:  # noqa: ANN401
    return eval(compile(ast.Expression(node), "pattern", "eval"), dict(vars(module)))


def _nothing(_: ModuleType) -> list[Any]:
    return []


def _rules(module: ModuleType) -> list[Any]:
    rules = vars(module)["RULES"].values()
    whole = "|".join(f"(?:{rule.guard})" for rule in rules)
    return [whole, *(rule.pattern for rule in rules), *(rule.guard for rule in rules)]


def _answer_rules(module: ModuleType) -> list[Any]:
    rules = vars(module)["ANSWER_RULES"]
    return [f"(?s)^(.*?)(?:{rule.pattern})" for rule in rules if rule.pattern]


def _text_rules(_: ModuleType) -> list[Any]:
    from cqia.auditing.rules import TEXT_RULES

    return [rule.guard for rule in TEXT_RULES]


def _disguises(module: ModuleType) -> list[Any]:
    return [re.compile(one) for one in vars(module)["LOOKALIKE"]] + [module._broken()]


def _guards(*names: str) -> Callable[[ModuleType], list[Any]]:
    return lambda module: [vars(module)[name] for name in names]


def _cells(_: ModuleType) -> list[Any]:
    return [re.compile(r"\|\||!!")]


MADE: dict[str, Callable[[ModuleType], list[Any]]] = {
    "auditing/answers.py:_place": _answer_rules,
    "auditing/audit.py:_text_findings": _text_rules,
    "auditing/mend.py:_mended": _text_rules,
    "cleaners/mask_personal_data.py:clean": _rules,
    "cleaners/mask_personal_data.py:counts": _nothing,
    "cleaners/repair_unicode.py:in_python": _nothing,
    "cleaners/white_space.py:_clean": _guards("_ANY_SPACE", "_MUCH_SPACE"),
    "collecting/job.py:__post_init__": _nothing,
    "collecting/spider.py:__init__": _nothing,
    "filters/adverts.py:_broken": _nothing,
    "filters/adverts.py:disguises": _disguises,
    "regressor.py:share": _nothing,
    "settings.py:_below": _nothing,
    "store.py:damaged": _nothing,
    "settings.py:where": _nothing,
    "sources/baikemy.py:_named": _nothing,
    "sources/questions.py:kind": _nothing,
    "text/guarded.py:amend": _nothing,
    "text/guarded.py:counted": _nothing,
    "text/guarded.py:narrowed": _nothing,
    "text/markup.py:_simple": lambda module: [module._simple()],
    "text/wikitext.py:_table": _cells,
}
"""Place and function -> its patterns. None, where they are words alone, come from a user's own hand
(an experiment's keys, the addresses that `collect` follows), or are those of another site."""
