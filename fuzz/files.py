# ruff: noqa: E501
"""Targets: the other files that strangers write: benchmarks, TOML, results of raters, datasets."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from cqia import contamination, experiment
from cqia.auditing.audit import audit
from cqia.benchmarks.base import Benchmark
from cqia.benchmarks.catalogue import BENCHMARKS
from cqia.cleaners.catalogue import CLEANERS
from cqia.drafting import notes
from cqia.errors import UserError
from cqia.filters.catalogue import FILTERS
from cqia.llm import models
from cqia.recipe import Step, parse
from cqia.reviewing import exchange, pairs, people, queue
from cqia.reviewing.book import Book
from cqia.settings import with_environment
from cqia.store import read_json
from cqia.thresholds import at_most, threshold
from fuzz.draw import Draw
from fuzz.ground import SAMPLES, edited, folder, placed
from fuzz.target import Target, hold

EXPERIMENTS = SAMPLES.parent / "experiments"

CSV = (b"id,question,A,B,C,D,answer\n", b",Question,A,B,C,D,Answer\n", b"question,answer\n")


def _question(draw: Draw) -> dict[str, Any]:
    return draw.fields(
        {
            "id": lambda: draw.pick((draw.below(9), draw.text(1))),
            "question": draw.text,
            "options": lambda: [draw.text(2) for _ in range(draw.below(6))],
            "label": lambda: draw.pick(("A", "B", "AB", None, draw.text(1))),
            "answer": lambda: draw.pick(("A", 1, draw.text(1))),
            "category": lambda: draw.pick(("Privacy and Property", draw.text(1))),
            "class": lambda: draw.pick(("math", "closed\xa0qa")),
            "std_answer": draw.text,
            "prompt": draw.text,
            "passage": lambda: draw.pick((None, "", draw.text())),
        }
    )


def _rows(draw: Draw) -> bytes:
    how = draw.below(4)
    if how == 3:
        return draw.json({draw.pick(("0", "1", draw.text(1))): draw.value() for _ in range(3)})
    found = [draw.json(_question(draw)) for _ in range(1 + draw.below(4))]
    return b"[" + b",".join(found) + b"]" if how == 2 else b"\n".join(found)


def _names(one: Benchmark) -> tuple[str, ...]:
    names = ("marxism_val.csv", "anatomy.csv", "logiqa-zh.jsonl", "gaokao-history.jsonl")
    return names if one.home else ()  # type: ignore[attr-defined]


def benchmark(one: Benchmark) -> Callable[[bytes], None]:
    """A benchmark's files become items with ids of their own."""
    names = _names(one) if hasattr(one, "home") else ("x.json", "x.csv", "x.txt")

    def check(data: bytes) -> None:
        draw = Draw(data)
        name = draw.pick(names)
        if name.endswith(".csv"):
            lines = [",".join(draw.text(2) for _ in range(7)) for _ in range(1 + draw.below(3))]
            body = draw.pick(CSV) + "\n".join(lines).encode("utf-8", "ignore")
        else:
            body = _rows(draw)
        files = [placed(name, draw.damaged(body))]
        if one.name == "belle-eval":
            prompt = draw.fields({"class": lambda: "math", "prompt": draw.text})
            files.append(placed("prompts.json", draw.json(prompt)))
        if one.name == "safetybench":
            files.append(placed("answers.json", draw.json({"0": {"answer": 1}, "1": draw.value()})))
        found = one.items(files)
        ids = [item.id for item in found]
        hold(bool(ids) and len(set(ids)) == len(ids), "items have ids of their own")

    return check


def contaminating(data: bytes) -> None:
    """A file of benchmark items in any layout."""
    draw = Draw(data)
    file = placed("bench.json", draw.damaged(_rows(draw)))
    fields = draw.pick((("question",), ("options", "question"), ("a.b", "")))
    contamination.items(contamination.Benchmark(name="x", files=(file,), fields=fields))


MODELS = b"""
[[model]]
name = "m"
url = "http://127.0.0.1:1/v1"
family = "qwen"
concurrency = 4
timeout = 3.5
price = { prompt = 0.8, reply = 2.0, currency = "CNY" }

[[model]]
name = "base"
path = "base"
dtype = "auto"
"""

VALUES = ("1", "-1", "2.5", "nan", "inf", '"甲"', "[]", "{}", "true", '["a"]', "[{}]", "1979-05-27",
          "9223372036854775807", '""', '"../x"', '"${NO_SUCH}"', '"\\u0000"', '"x.jsonl"', "[1, 2]",
          '"fuzz.toml"', "{ a = 1 }")  # fmt: skip


def _toml(draw: Draw, body: bytes) -> bytes:
    """A TOML text in which values were exchanged, lines doubled or left out, and keys misspelt."""
    lines = body.decode().splitlines()
    for _ in range(draw.below(6)):
        place = draw.below(max(len(lines), 1))
        key, found, _old = lines[place].partition("=")
        how = draw.below(5)
        if how == 0 and found:
            lines[place] = f"{key}= {draw.pick(VALUES)}"
        elif how == 1:
            lines.insert(place, lines[draw.below(len(lines))])
        elif how == 2:
            del lines[place : place + 1 + draw.below(3)]
            lines = lines or [""]
        elif how == 3 and found:
            lines[place] = f"{key.strip()[: draw.below(9)]}x ={_old}"
        else:
            lines.insert(place, draw.pick(("[dedup]", "[[source]]", "[statement]", "[assemble]",
                                           "[[statement.base]]", "[[assemble.take]]", "[price]")))  # fmt: skip
    return draw.damaged("\n".join(lines).encode())


def model_list(data: bytes) -> None:
    """A TOML of models."""
    draw = Draw(data)
    for name, priced in models.read(Path(placed("models.toml", _toml(draw, MODELS)))).items():
        hold(name == priced.model.name, "a model stands under its name")


@functools.cache
def _experiments() -> tuple[bytes, ...]:
    for name in ("x.jsonl", "fuzz/x.jsonl"):
        placed(name, b'{"q": 1}')
    own = b"""
[[source]]
name = "t"
reader = "jsonl"
files = ["x.jsonl"]
map = { instruction = "q", output = "a" }
steps = [ { step = "Length", field = "output", low = 10 }, { step = "Simplify" } ]

[dedup]
threshold = 0.7

[[contamination]]
name = "b"
files = ["x.jsonl"]

[assemble]
validation = 0.1
formats = ["release"]

[[assemble.take]]
source = "t"
amount = 3

[[assemble.score]]
judge = "quality"
model = "m"
low = 8

[statement]
seeds = [0, 1]
amount = 10
unit = "records"

[statement.tuning]
rate = 0.1

[[statement.base]]
name = "proxy-3m"

[[statement.subset]]
name = "t"

[[statement.benchmark]]
name = "refusal"
files = ["x.jsonl"]
"""
    return (own, own, *(path.read_bytes() for path in sorted(EXPERIMENTS.glob("*.toml"))))


def experiments(data: bytes) -> None:
    """An experiment's TOML, and the same read as a recipe alone."""
    draw = Draw(data)
    file = Path(placed("fuzz/fuzz.toml", _toml(draw, draw.pick(_experiments()))))
    try:
        experiment.read(file)
    except UserError:
        experiment.recipe(file)


@functools.cache
def _book() -> Book:
    place = folder() / "book"
    shutil.rmtree(place, ignore_errors=True)
    book = Book(place)
    queue.start(book, "甲", [("one-k0", "one"), ("one-k1", "one")], overlap=1.0)
    people.invite(book, "乙", "reviewer")
    return book


def _decision(draw: Draw) -> dict[str, Any]:
    return draw.fields(
        {
            "record": lambda: draw.pick(("one-k0", "one-k1", draw.text(1))),
            "action": lambda: draw.pick(("approve", "reject", "fix", "note", "undo", draw.text(1))),
            "reason": lambda: draw.text(2),
            "note": lambda: draw.text(2),
            "output": lambda: draw.text(4),
            "seconds": lambda: draw.pick((1, 2.5, -1, 1e308, None)),
        }
    )


def _labelled(draw: Draw, key: str, value: Any) -> dict[str, Any]:  # noqa: ANN401
    told = draw.pick(({"choices": [value]}, {"text": [value]}, value))
    return draw.fields({"from_name": lambda: key, "value": lambda: told})


def _rated(draw: Draw) -> Any:  # noqa: ANN401
    """Decisions in one of the three kinds of file."""
    how = draw.below(3)
    if how == 0:
        facts = {"round": draw.pick((1, 2, "1")), "person": draw.pick((1, 99, None, [1], {"a": 1}))}
        signed = people.signature(_book(), "offline", json.dumps(facts))
        decisions = [_decision(draw) for _ in range(draw.below(4))]
        return {
            **facts,
            "signature": draw.pick((signed, signed, "x", None)),
            "decisions": decisions,
        }
    name = draw.pick(("乙", "丙", draw.text(1)))
    one = _decision(draw)
    if how == 1:
        result = [_labelled(draw, key, value) for key, value in one.items()]
        said = {"completed_by": name, "lead_time": 1, "result": result}
        data = draw.fields({"id": lambda: one.get("record"), "round": lambda: 1})
        return [draw.fields({"data": lambda: data, "annotations": lambda: [said]})]
    values = {key: draw.pick(({"value": value}, value)) for key, value in one.items()}
    return [
        draw.fields(
            {
                "id": lambda: one.get("record"),
                "metadata": lambda: {"round": 1},
                "responses": lambda: [
                    draw.fields({"user": lambda: name, "values": lambda: values})
                ],
            }
        )
    ]


def ratings(data: bytes) -> None:
    """A results file of Label Studio, Argilla or an offline rater."""
    draw = Draw(data)
    book = _book()
    before = book.number("select count(*) from decision")
    taken = exchange.read(book, draw.json(_rated(draw)))
    hold(book.number("select count(*) from decision") == before + taken, "what is taken is counted")


def duels(data: bytes) -> None:
    """A file of pairs for a comparison by people."""
    draw = Draw(data)
    row = {
        name: draw.text for name in ("item", "question", "a", "b", "answer_a", "answer_b", "judge")
    }
    found = [draw.json(draw.fields(row)) for _ in range(1 + draw.below(3))]
    pairs.of_lines(Path(placed("pairs.jsonl", b"\n".join(found))))


def noted(data: bytes) -> None:
    """A file of notes: CSV, JSON lines or Parquet."""
    draw = Draw(data)
    name = draw.pick(("notes.csv", "notes.jsonl", "notes.parquet", "notes.doc"))
    if name == "notes.jsonl":
        found = [draw.json(draw.fields({"id": draw.text, "note": draw.text})) for _ in range(3)]
        body = b"\n".join(found)
    else:
        body = b"id,note\n" + "\n".join(f"{draw.text(2)},{draw.text(2)}" for _ in range(3)).encode(
            "utf-8", "ignore"
        )
    notes.read(Path(placed(name, draw.damaged(body))))


def audited(data: bytes) -> None:
    """A finished dataset in any form is audited and mended, however broken."""
    draw = Draw(data)
    rows = []
    for _ in range(1 + draw.below(3)):
        turns = [draw.fields({"from": lambda: draw.pick(("human", "gpt")), "value": draw.text})
                 for _ in range(draw.below(4))]  # fmt: skip
        flat = {name: draw.text for name in ("instruction", "input", "output")}
        shape = draw.fields(flat if draw.chance(2) else {"conversations": partial(list, turns)})
        rows.append(draw.json(shape))
    body = b"\n".join(rows) if draw.chance(2) else b"[" + b",".join(rows) + b"]"
    file = placed(draw.pick(("x.jsonl", "x.json")), draw.damaged(body))
    found = audit([file], folder=folder() / "audit", fix=draw.chance(2))
    hold(found.files.height == 1, "a row a file")


def words(data: bytes) -> None:
    """What is typed, or stands in a manifest: thresholds, variables, steps."""
    draw = Draw(data)
    text = draw.pick(("quality@m=8", "Length(low=1)", "${HOME}/${X:-y}", "HtmlToText(mode='html')"))
    text = edited(draw, text.encode()).decode("utf-8", "ignore")
    for read in (threshold, at_most, lambda one: with_environment(one, "x")):
        try:
            read(text)
        except UserError:
            continue
    known: dict[str, type[Step]] = {**CLEANERS, **FILTERS}
    parse(text, known)
    file = Path(placed("facts.json", draw.json(draw.value())))
    hold(isinstance(read_json(file), dict), "a manifest is an object")


TARGETS = (
    *(Target(f"benchmark-{name}", benchmark(one)) for name, one in BENCHMARKS.items()),
    Target("benchmark-contamination", contaminating),
    Target("toml-models", model_list),
    Target("toml-experiment", experiments),
    Target("review-import", ratings),
    Target("review-pairs", duels),
    Target("notes", noted),
    Target("audit", audited),
    Target("words", words),
)
