"""Finance tasks 金融: the tasks of COIG-PC whose domain is finance.

    {"instruction": "从下面的文本中抽取公司名称。", "input": "text: <……>", "output": "……",
     "split": "train", "task_name_in_eng": "……", "task_type": {"major": ["信息抽取"], "minor": []},
     "domain": ["金融"]}

The items are read as `coig_pc` reads them, with the same table of kinds; those of other domains are
marked and turned away by the filter `Status`. The text stays in `input`, in the dress the dataset
gives it (`text: <…>`).

Shape: the fields are those of the dataset's card; that finance items carry their text as `text:<…>`
is what the released records show.

This project's choices: which words of `domain` mean finance, and all bounds.

Traps: numbers in answers are those of old news; one announcement serves several tasks, so answers
repeat under different instructions; some outputs are lists in a syntax of their own, which no rule
checks.
"""

from __future__ import annotations

from cqia.sources.base import Form, Source
from cqia.sources.coig_pc import SCHEMA, STEPS, reader

FINANCE_COIG_PC = Source(
    name="finance_coig_pc",
    family="finance",
    type="nlp",
    title="金融",
    origin="https://huggingface.co/datasets/BAAI/COIG-PC",
    licence="each task has its own; the dataset's gate asks for non-commercial use",
    forms=(Form(kind="json", read=reader(finance=True), schema=SCHEMA),),
    answers=None,
    labels={"answer_from": "human", "human_verified": True},
    steps=STEPS,
)
