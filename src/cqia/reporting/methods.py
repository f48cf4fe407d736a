"""The methods page: what was done, as the manifests tell it, and nothing that they don't."""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl

from cqia import store
from cqia.reporting import html
from cqia.reporting.both import Both
from cqia.reporting.material import Material

STATISTICS = (
    Both(
        "每个均值的区间为 95%；差异是与未微调基座在同一批题目上的配对差异，成簇的题目"
        "（同一段材料、同一个问题）按簇计算，种子算作一种变异来源。",
        "Every mean has a 95 % interval; differences to the untuned base are paired on the same "
        "items, items that hang together (a passage, a question) count as one cluster, and seeds "
        "are a source of variance.",
    ),
    Both(
        "同时区间覆盖整张表；p 值按 Holm 校正；分不出高下的行共享名次；可检出差异按功效 0.8 计算。",
        "Simultaneous intervals cover a whole table; p-values are Holm-adjusted; rows that can't "
        "be told apart share a rank; the detectable difference is that of power 0.8.",
    ),
    Both(
        "读不出的回答、失败的请求都计数，从不当作分数。",
        "Replies that can't be read and requests that failed are counted and are never a score.",
    ),
)
FILES = Both(
    "每个数字都来自 compare/cells.parquet 的一行；单元格的 data-cell 属性和 tables/trace.csv "
    "列出它的文件夹。",
    "Every number is from a row of compare/cells.parquet; a cell's data-cell attribute and "
    "tables/trace.csv name its folders.",
)


def methods(material: Material) -> str:
    """All that is told of how the numbers came about."""
    told = material.statement
    body = "".join(html.paragraph(one) for one in (*STATISTICS, FILES)) if told else ""
    parts = (
        ("bases", Both("基座", "Base models")),
        ("subsets", Both("训练子集", "Subsets")),
        ("benchmarks", Both("评测", "Benchmarks")),
    )
    for key, title in parts:
        if rows := told.get(key):
            body += html.frame(f"methods-{key}", title, _frame(rows))
    body += _evaluations(material) + _tuning(material) + _cells(material)
    return body + _manifests(material)


def failed(material: Material) -> str:
    """Trainings that failed, with their errors."""
    rows = [one for one in material.statement.get("cells", []) if one.get("state") == "failed"]
    if not rows:
        return ""
    names = ("base", "subset", "seed", "error", "folder")
    frame = _frame([{name: one.get(name) for name in names} for one in rows])
    return html.frame("failed", Both("失败的单元", "Failed cells"), frame)


def _cells(material: Material) -> str:
    cells = material.statement.get("cells", [])
    if not cells:
        return ""
    cells = [{key: value for key, value in one.items() if key not in _ASIDE} for one in cells]
    title = Both(f"训练单元（{len(cells)}）", f"Training cells ({len(cells)})")
    return html.folded(title, html.frame("methods-cells", title, _frame(cells)))


_ASIDE = ("mark", "traceback", "draw", "tries")
"""What stands in a row's file for those who mend it."""


def _evaluations(material: Material) -> str:
    """Versions and hashes of what was asked."""
    names = ("version", "metric", "unit", "setting", "items", "judge", "judge_family", "program")
    rows = [
        {"benchmark": key, **{name: facts.get(name) for name in names}}
        for key, facts in material.evaluations.items()
    ]
    scores = sorted((material.work / "score").glob("*/manifest.json"))
    asked = [{"name": path.parent.name, "prompt": store.read_json(path).get("prompt")}
             for path in scores]  # fmt: skip
    body = ""
    if rows:
        title = Both("评测的版本与哈希", "Versions and hashes of evaluations")
        frame = _frame(rows)
        body += html.frame("methods-evaluations", title, frame)
    if asked:
        title = Both("评审提示词的哈希", "Hashes of judges' prompts")
        body += html.frame("methods-prompts", title, _frame(asked))
    return body


def _tuning(material: Material) -> str:
    """How the rows were tuned: every setting that occurs, and in how many trainings."""
    counts: dict[str, int] = {}
    for path in sorted((material.work / "train").glob("*/*/*/manifest.json")):
        tuning = store.read_json(path).get("tuning")
        if tuning:
            key = tuning if isinstance(tuning, str) else _json(tuning)
            counts[key] = counts.get(key, 0) + 1
    rows = [{"tuning": key, "cells": n} for key, n in counts.items()]
    return html.frame("methods-tuning", Both("微调设置", "Tuning"), _frame(rows)) if rows else ""


def _manifests(material: Material) -> str:
    """The statement's and the comparison's own manifests, whole."""
    body = ""
    for name in ("statement", "compare"):
        facts = store.manifest(material.work / name)
        if facts:
            shown = {key: value for key, value in facts.items() if key != "cells"}
            text = orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode()
            title = Both(f"清单 {name}/manifest.json", f"Manifest {name}/manifest.json")
            body += html.folded(title, f'<pre class="reply"><code>{html.text(text)}</code></pre>')
    return body


def _frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Any rows as a frame: what is no plain value becomes JSON; columns without a value go."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        if all(type(value) is bool for value in values):
            columns[name] = pl.Series(name, values, dtype=pl.Boolean)
        elif all(value is None or type(value) in (int, float) for value in values):
            columns[name] = pl.Series(name, values, dtype=pl.Float64).cast(
                pl.Int64 if all(type(value) is not float for value in values) else pl.Float64
            )
        else:
            columns[name] = pl.Series(name, [_text(value) for value in values], dtype=pl.String)
    return pl.DataFrame(
        [one for one in columns.values() if one.cast(pl.String).str.len_bytes().sum()]
    )


def _text(value: object) -> str:
    if value is None or value == {}:
        return ""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "、".join(value)
    return _json(value) if isinstance(value, dict | list) else str(value)


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
