"""The dataset card: what is in the dataset, where it comes from, and how it was made.

Everything in it comes from the manifests, so it is right for any source and says nothing that was
not measured. Titles and licences may hold anything; they are escaped for YAML and for Markdown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import polars as pl

from cqia.exporters.base import file_name
from cqia.exporters.chosen import Chosen
from cqia.paper import TYPES
from cqia.store import Facts
from cqia.tables import escape, plain, render

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**6, "100K<n<1M"))

_FEATURES = """\
  features:
  - name: instruction
    dtype: string
  - name: input
    dtype: string
  - name: output
    dtype: string
  - name: task_type
    struct:
    - name: major
      sequence: string
    - name: minor
      sequence: string
  - name: domain
    sequence: string
  - name: metadata
    dtype: string
  - name: answer_from
    dtype: string
  - name: human_verified
    dtype: bool
  - name: copyright
    dtype: string
"""
"""The columns as the hub's card describes them; without it a column that is empty in a file's
beginning gets the wrong type."""

_FIELDS = """\
| key | type | meaning |
| --- | --- | --- |
| instruction | string | what is asked |
| input | string | what the instruction is about; may be empty |
| output | string | the answer |
| task\\_type | major, minor: lists | the task, broad and narrow |
| domain | list | the subject |
| metadata | string | what the source says of the item; `暂无元数据信息`: nothing |
| answer\\_from | string | human, llm or expert |
| human\\_verified | bool | whether a person checked the record |
| copyright | string | whose text it is; `暂无版权及作者信息`: not known |
"""


def card(chosen: Chosen) -> str:
    """The card as Markdown with YAML front matter."""
    return "\n".join(
        (
            front_matter(chosen),
            "# An instruction dataset in Chinese\n",
            _summary(chosen),
            "## Sources\n",
            _sources(chosen),
            "## How it was made\n",
            _made(chosen),
            "## Rights\n",
            _rights(chosen),
            "## Fields\n",
            _FIELDS,
        )
    )


def front_matter(chosen: Chosen) -> str:
    """The YAML that tells the hub and `datasets` which files are which."""
    families: dict[str, dict[str, list[str]]] = {}
    for facts in chosen.sources:
        for split in chosen.splits():
            if _said(chosen, facts)["splits"].get(split):
                files = families.setdefault(facts["family"], {}).setdefault(split, [])
                files.append(file_name(facts, split))
    records = chosen.facts["chosen"]
    size = next((name for limit, name in _SIZES if records < limit), "1M<n<10M")
    lines = ["---", "license: other", "language:", "- zh", "task_categories:", "- text-generation"]
    lines += ["size_categories:", f"- {_quoted(size)}"]
    lines += ["configs:"] if families else []
    for family, splits in families.items():
        lines += [f"- config_name: {_quoted(family)}", "  data_files:"]
        for split, files in splits.items():
            lines += [
                f"  - split: {split}",
                "    path:",
                *(f"    - {_quoted(one)}" for one in files),
            ]
    lines += ["dataset_info:"] if families else []
    for family in families:
        lines += [f"- config_name: {_quoted(family)}", _FEATURES.rstrip()]
    return "\n".join([*lines, "---", ""])


def _quoted(text: str) -> str:
    """A YAML string: JSON's double quotes mean the same there."""
    return orjson.dumps(plain(text)).decode()


def _said(chosen: Chosen, facts: Facts) -> Facts:
    """What assemble says of a source."""
    said: Facts = chosen.facts["sources"][facts["source"]]
    return said


def _summary(chosen: Chosen) -> str:
    facts = chosen.facts
    splits = ", ".join(f"{name} {facts['splits'][name]:,}" for name in chosen.splits()) or "none"
    said = [_said(chosen, one) for one in chosen.sources]
    earlier = sum(one["turns"] for one in said)
    system = sum(one["system"] for one in said)
    lines = [
        f"{facts['chosen']:,} records from {len(chosen.sources)} sources. Splits: {splits}.",
        "A family of sources is a config.",
    ]
    if facts["validation"]:
        lines.append(
            "Near-duplicates, answers to one question and records with the same prompt never stand"
            " in two splits."
        )
    if earlier or system:
        lines.append(
            f"{earlier:,} records have earlier turns and {system:,} a system text: they stand in"
            " `input`, lines that begin with `用户：`, `助手：` and `系统：`."
        )
    return "\n".join(lines) + "\n"


def _table(rows: Iterable[Mapping[str, Any]]) -> str:
    return render(pl.DataFrame(list(rows), infer_schema_length=None), "md")


def _sources(chosen: Chosen) -> str:
    rows = [
        {
            "type": TYPES.get(facts["type"], facts["type"]),
            "config": facts["family"],
            "source": facts["source"],
            "title": facts["title"],
            "records": (said := _said(chosen, facts))["records"],
            "characters": said["characters"],
            "answers from": ", ".join(f"{who} {n:,}" for who, n in said["writers"].items()),
            "human verified": said["human_verified"],
            "origin": facts["origin"],
        }
        for facts in chosen.sources
    ]
    return _table(rows) if rows else "None.\n"


def _made(chosen: Chosen) -> str:
    rows = []
    for facts in chosen.sources:
        said = _said(chosen, facts)
        rows.append(
            {
                "source": facts["source"],
                "raw items": facts["items"],
                "unreadable": facts["bad"],
                "records read": facts["read"],
                "filtered out": facts["dropped"],
                "duplicates": sum(said["duplicates"].values()),
                "not sampled": sum(said["left"].values()),
                "in the dataset": said["records"],
            }
        )
    if not rows:
        return "Nothing was chosen.\n"
    lines = ["Every record went through its source's cleaners and filters, in this order.\n"]
    lines.append(_table(rows))
    if chosen.duplicates is None:
        lines.append("Duplicates were not looked for.\n")
    lines += _drafted(chosen)
    for facts in chosen.sources:
        lines.append(f"### {escape(facts['source'])}\n")
        lines += [f"{number}. {escape(step)}" for number, step in enumerate(facts["steps"], 1)]
        dropped = ", ".join(f"{escape(rule)} {n:,}" for rule, n in facts["rules"].items())
        lines.append(f"\nDropped: {dropped or 'none'}.\n")
    return "\n".join(lines)


def _drafted(chosen: Chosen) -> list[str]:
    """What was looked for in answers that models drafted, which came after the duplicates."""
    drafted = chosen.facts.get("drafted")
    if not drafted:
        return []
    hits = [
        f"{escape(name)} in {one['records_hit']:,} records, {'left out' if one['drop'] else 'kept'}"
        for name, one in drafted["contamination"].items()
    ]
    return [
        f"Of the candidates {drafted['answers']:,} have an answer drafted by a model, after"
        f" duplicates were looked for. {drafted['same_answer']:,} of these answers stand word for"
        " word under another question, too; near-duplicates among them were not looked for."
        f" Benchmarks looked for in them: {'; '.join(hits) or 'none'}.\n"
    ]


def _rights(chosen: Chosen) -> str:
    lines = [
        "The texts belong to those who wrote them. What is known of the rights in each source is"
        " listed here; where it says that no licence is stated, none was found, and permission to"
        " pass the text on or to train with it can't be taken from this card.\n"
    ]
    lines += [f"- {escape(one['source'])}: {escape(one['licence'])}" for one in chosen.sources]
    return "\n".join(lines) + "\n"
