"""The models that a user can name: a TOML with a block each, its prices among it.

    [[model]]
    name = "qwen-plus"                       # as the ledger and reports call it
    url = "https://dashscope.aliyuncs.com/compatible-mode/v1"
    key = "DASHSCOPE_API_KEY"                # the environment variable that holds the key
    family = "qwen"
    price = { prompt = 0.8, reply = 2.0, currency = "CNY" }   # for a million tokens

    [[model]]
    name = "qwen-7b"
    urls = ["http://a:8000/v1", "http://b:8000/v1"]   # the same model on several servers

    [[model]]
    name = "base"
    path = "models/base"                     # a transformers folder on this machine

The key itself never stands in a file of ours. `scripted` needs no block.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from cqia.errors import UserError, unknown
from cqia.llm.budget import Price
from cqia.llm.endpoint import Endpoint
from cqia.llm.fleet import Fleet
from cqia.llm.local import Local
from cqia.llm.protocol import Model
from cqia.llm.scripted import Scripted
from cqia.settings import Table, load

DTYPES = ("auto", "float32", "bfloat16", "float16")
STRUCTURED = ("json_schema", "json_object", "nothing")


class Priced(NamedTuple):
    """A model with its price; None: nobody said what it costs."""

    model: Model
    price: Price | None


def named(name: str, path: Path) -> Priced:
    """The model of that name.

    Raises:
        UserError: the file is wrong or missing, or has no such model.
    """
    if name == "scripted":
        return Priced(Scripted(), Price())
    found = read(path)
    if name not in found:
        raise unknown("model", name, [*found, "scripted"], where=str(path))
    return found[name]


def read(path: Path) -> dict[str, Priced]:
    """Every model of a TOML.

    Raises:
        UserError: everything that is wrong with it, a line each.
    """
    table = load(path)
    found: dict[str, Priced] = {}
    for block in table.tables("model"):
        local = block.has("path")
        one: Endpoint | Fleet | Local = _local(block) if local else _served(block)
        price = _price(block.table("price")) if block.has("price") else Price() if local else None
        block.done()
        if one.name in found or one.name == "scripted":
            block.fault("name", f"model {one.name!r} stands twice", one.name)
        found[one.name] = Priced(one, price)
    table.close()
    return found


def _served(table: Table) -> Endpoint | Fleet:
    """A model behind one URL or several; each has limits of its own."""
    if not table.has("urls"):
        url = table.take("url", str, "")
        _check_url(table, "url", url)
        return _endpoint(table, url)
    urls = table.strings("urls")
    if table.has("url"):
        table.fault("urls", "a model has a url or urls, not both", table.raw("url", ""))
    if len(set(urls)) < 2 or len(set(urls)) < len(urls):
        table.fault("urls", "'urls' names two or more different addresses")
    for one in urls:
        _check_url(table, "urls", one)
    first = _endpoint(table, urls[0] if urls else "http://none")
    return Fleet(endpoints=tuple(replace(first, url=one) for one in urls)) if urls else first


def _check_url(table: Table, key: str, url: str) -> None:
    if not re.match(r"https?://[^/\s]", url):
        table.fault(key, "a model needs a url, as in https://host/v1", url)


def _endpoint(table: Table, url: str) -> Endpoint:
    base = Endpoint(name="", url="")
    found = Endpoint(
        name=table.take("name", str, ""),
        url=url,
        model=table.take("model", str, ""),
        family=table.take("family", str, base.family),
        key=table.take("key", str, ""),
        concurrency=table.take("concurrency", int, base.concurrency),
        per_minute=table.take("per_minute", float, 0.0),
        tokens_per_minute=table.take("tokens_per_minute", float, 0.0),
        timeout=table.take("timeout", float, base.timeout),
        retries=table.take("retries", int, base.retries),
        structured=table.take("structured", str, base.structured),
    )
    _check_name(table, found.name)
    if found.key and not re.fullmatch(r"[A-Za-z_]\w*", found.key):
        table.fault("key", "'key' names an environment variable; the key itself has no place here")
    if found.structured not in STRUCTURED:
        problem = unknown("way to ask for a schema", found.structured, STRUCTURED)
        table.fault("structured", f"{problem.what}; {problem.mend}", found.structured)
    for name, least in (("concurrency", 1), ("timeout", 1), ("retries", 0)):
        if getattr(found, name) < least:
            table.fault(name, f"{name!r} is at least {least}")
    return found


def _local(table: Table) -> Local:
    base = Local(name="", folder=Path())
    path, adapter = table.take("path", str, ""), table.take("adapter", str, "")
    found = Local(
        name=table.take("name", str, ""),
        folder=Path(path),
        family=table.take("family", str, base.family),
        adapter=Path(adapter) if adapter else None,
        batch_tokens=table.take("batch_tokens", int, base.batch_tokens),
        device=table.take("device", str, base.device),
        dtype=table.take("dtype", str, base.dtype),
        concurrency=table.take("concurrency", int, base.concurrency),
        template=table.take("template", bool, base.template),
    )
    _check_name(table, found.name)
    if table.has("url"):
        table.fault("url", "a model has a url or a path, not both", table.raw("url", ""))
    if not (found.folder / "config.json").is_file():
        table.fault("path", f"no model here: {path}/config.json is missing", path)
    if found.dtype not in DTYPES:
        problem = unknown("dtype", found.dtype, DTYPES)
        table.fault("dtype", f"{problem.what}; {problem.mend}", found.dtype)
    for name in ("concurrency", "batch_tokens"):
        if getattr(found, name) < 1:
            table.fault(name, f"{name!r} is at least 1")
    return found


def _check_name(table: Table, name: str) -> None:
    if not re.fullmatch(r"\w[\w.-]*", name):
        table.fault("name", "a model needs a name of letters, digits, '.', '-' and '_'", name)


def _price(table: Table) -> Price:
    found = Price(
        prompt=table.take("prompt", float, 0.0),
        reply=table.take("reply", float, 0.0),
        currency=table.take("currency", str, "CNY"),
    )
    if found.prompt < 0 or found.reply < 0:
        table.fault("prompt", "a price is 0 or more")
    table.done()
    return found


def affordable(one: Priced, most: float | None) -> Price:
    """The price to reckon with.

    Raises:
        UserError: a largest cost is named and the price is not known.
    """
    if one.price is None and most is not None:
        raise UserError(
            f"what model {one.model.name!r} costs is not known, so --max-cost can't hold",
            mend="add its price to the models' TOML: price = { prompt = …, reply = … }",
        )
    return one.price or Price()
