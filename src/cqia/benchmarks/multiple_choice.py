"""Exam questions as multiple choice: C-Eval, CMMLU and AGIEval's Chinese part, through one class.

    id,question,A,B,C,D,answer[,explanation]      C-Eval: val/SUBJECT_val.csv, dev/SUBJECT_dev.csv
    ,Question,A,B,C,D,Answer                      CMMLU: test/SUBJECT.csv, dev/SUBJECT.csv
    {"passage": …, "question": …, "options": ["(A)…", …], "label": "C"}     AGIEval: SUBJECT.jsonl

What the file is of stands in its name; zips are looked into. A question whose key is missing, or
names several letters, can't be asked as a single choice: it is `unasked` and counted. Prompts are
this project's own, the same for all three, so scores are not those of the official scripts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, ClassVar

import polars as pl

from cqia.benchmarks import choosing
from cqia.benchmarks.base import Benchmark, Graded, Item, Metric, Render, Total, of_groups
from cqia.benchmarks.choosing import Mode
from cqia.benchmarks.files import MEND, Row, once, rows, text, texts
from cqia.benchmarks.subjects import AGIEVAL, CEVAL, CMMLU, Subject
from cqia.errors import UserError
from cqia.llm.protocol import Asking, Reply
from cqia.raw.files import MEMBER, expand
from cqia.text.choices import LETTERS, in_order

HEAD = "下面是{title}的单项选择题，请直接写出正确答案。\n"
SPLIT = re.compile(r"_(?:val|test|dev)$")


@dataclass(frozen=True, kw_only=True)
class MultipleChoice(Benchmark):
    """A benchmark of exam questions.

    home: its folder below the data folder. subjects: what it is made of. mode: how the letter is
    had. shots: solved examples of the subject before a question, from its dev files, 0 or 5.
    """

    name: str
    home: str
    subjects: tuple[Subject, ...] = field(repr=False)
    version: int = 1
    metric: Metric = choosing.ACCURACY
    mode: Mode = "logprob"
    shots: int = 0
    max_tokens: int = 64
    more: ClassVar[Mapping[str, Any]] = {"official": pl.String}

    @property
    def folder(self) -> str:
        return self.home

    def items(self, files: Sequence[str]) -> list[Item]:
        known = {subject.name: subject for subject in self.subjects}
        found: list[tuple[Item, str]] = []
        examples: dict[str, list[Item]] = {}
        for file in [member for name in files for member in expand(name)]:
            path = PurePosixPath(file.rpartition(MEMBER)[2])
            subject = known.get(SPLIT.sub("", path.stem))
            if subject is None or path.suffix.lower() not in (".csv", ".jsonl"):
                continue
            listed = [(_item(row, subject, path.name), row.place) for row in rows(file)]
            if path.stem.endswith("_dev") or path.parent.name == "dev":
                examples.setdefault(subject.name, []).extend(item for item, _ in listed)
            else:
                found += listed
        if not found:
            raise UserError(
                f"no subject of {self.name} among the files",
                where=", ".join(files),
                mend=f"keep the files' own names; cqia fetch {self.name}",
            )
        once([(item.id, place) for item, place in found])
        return self._headed([item for item, _ in found], examples)

    def ask(self, item: Item, render: Render) -> Asking:
        return choosing.ask(item, self.mode, self.max_tokens)

    def grade(self, item: Item, reply: Reply, verdicts: Sequence[Reply] = ()) -> Graded:
        return choosing.grade(item, reply, self.mode)

    def totals(self, outcomes: pl.DataFrame) -> list[Total]:
        """Accuracy over all that was asked, and the mean of each category's subjects."""
        return [*choosing.totals(outcomes, self.mode), *_categories(outcomes)]

    @property
    def label(self) -> str:
        return f"{self.name}-{self.mode}-{self.shots}shot"

    def _headed(self, items: list[Item], examples: Mapping[str, list[Item]]) -> list[Item]:
        """Items behind the line that names their subject, and its solved examples."""
        titles = {subject.name: subject.title for subject in self.subjects}
        before: dict[str, str] = {}
        for name in dict.fromkeys(item.group for item in items):
            solved = [one for one in examples.get(name, []) if one.gold][: self.shots]
            if len(solved) < self.shots:
                raise UserError(
                    f"{len(solved)} solved examples of {name}, {self.shots} are needed",
                    mend="name its dev file too, or ask with --shots 0",
                )
            told = "".join(map(choosing.solved, solved))
            before[name] = HEAD.format(title=titles[name]) + told
        return [replace(item, before=before[item.group]) for item in items]


def _item(row: Row, subject: Subject, file: str) -> Item:
    fields = {key.lower(): value for key, value in row.fields.items()}
    lower = Row(row.place, fields)
    if "options" in fields:
        return _with_options(lower, subject, file)
    options = tuple(text(lower, letter.lower()).strip() for letter in LETTERS[:4])
    key = text(lower, "answer", default="").strip()
    own = text(lower, "id", "", default="").strip() or row.place.rpartition(":")[2]
    return _keyed(lower, subject, f"{PurePosixPath(file).stem}-{own}", options, key)


def _with_options(row: Row, subject: Subject, file: str) -> Item:
    label = row.fields.get("label")
    id_ = f"{PurePosixPath(file).stem}-{row.place.rpartition(':')[2]}"
    if row.fields["options"] is None:
        return _keyed(row, subject, id_, (), "")
    options = in_order(texts(row, "options"))
    key = "".join(label) if isinstance(label, list) else str(label or "")
    return _keyed(row, subject, id_, options, key.replace(" ", ""))


def _keyed(row: Row, subject: Subject, id_: str, options: tuple[str, ...], key: str) -> Item:
    """An item with its key, or with the reason why it can't be asked."""
    passage = text(row, "passage", default="")
    why = ""
    if not options:
        why = "no options"
    elif not key:
        why = "no key"
    elif len(key) > 1:
        why = "the key names several letters"
    elif key not in LETTERS[: len(options)]:
        raise UserError(f"the key {key!r} is no option's letter", where=row.place, mend=MEND)
    return Item(
        id=id_,
        question=text(row, "question"),
        group=subject.name,
        category=subject.category,
        cluster=hashlib.sha256(passage.encode()).hexdigest()[:12] if passage.strip() else "",
        options=options,
        gold="" if why else key,
        passage=passage,
        unasked=why,
    )


def _categories(outcomes: pl.DataFrame) -> list[Total]:
    """Of each category the mean of its subjects' means; none where a subject was asked in vain."""
    found = []
    for (name,), mine in outcomes.group_by("category", maintain_order=True):
        asked = mine.filter(pl.col("state") != "unasked")
        means = asked.group_by("group", maintain_order=True).agg(pl.col("score").mean())["score"]
        mean = means.mean() if len(means) and not means.null_count() else None
        said = of_groups(f"{name}, mean of its subjects", len(means), mine["group"].n_unique())
        count = int(asked["score"].count())
        found.append(Total(said, None if mean is None else float(mean), count))  # type: ignore[arg-type]
    return found


C_EVAL = MultipleChoice(name="ceval", home="ceval", subjects=CEVAL)
C_MMLU = MultipleChoice(name="cmmlu", home="cmmlu", subjects=CMMLU)
AGI_EVAL = MultipleChoice(name="agieval-zh", home="agieval_zh", subjects=AGIEVAL)
