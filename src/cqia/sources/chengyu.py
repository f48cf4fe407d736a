"""Idioms 成语释义: four-character idioms and what they mean, out of firefly-train-1.1M.

The items of the kind `Dictionary` are read:

    {"kind": "Dictionary", "input": "请解释成语：守株待兔",
     "target": "比喻不主动努力，只盼望得到意外的收获。"}

The input, which carries the idiom in a phrase of the dataset's authors, is the instruction as it
stands; the target is the answer. The dataset gives no ids: a record's id is made of its text.

Shape: the three fields and the kinds' names are those of the dataset's card and of public loaders.

This project's choices: the bounds of length, and that the labels are 问答 and 成语释义.

Traps: a file holds all kinds of tasks, 1.65 million items, of which these are a small part; some
explanations only point to another idiom (同“守株待兔”) or hold the source and nothing else; the
same idiom comes back in other carrier phrases, which only a search on the answers finds.
"""

from __future__ import annotations

from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.adverts import Adverts
from cqia.filters.echo import SameAsInstruction
from cqia.filters.length import Length, PromptLength
from cqia.filters.refusals import Refusals
from cqia.filters.shares import HanShare
from cqia.filters.status import Status
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source
from cqia.sources.firefly import LICENCE, ORIGIN, SCHEMA, reader

CHENGYU = Source(
    name="chengyu",
    family="chinese_traditional",
    type="nlp",
    title="成语释义",
    origin=ORIGIN,
    licence=LICENCE,
    forms=(Form(kind="json", read=reader("Dictionary"), schema=SCHEMA),),
    labels={
        "task_major": ["问答"],
        "task_minor": ["成语释义"],
        "domain": ["传统文化"],
        "answer_from": "human",
    },
    steps=(
        Status(),
        HtmlToText(),
        RepairUnicode(),
        Simplify(),
        WhiteSpace(),
        MaskPersonalData(),
        PromptLength(low=6, high=120),
        Length(field="output", low=10, high=400),
        HanShare(low=0.5),
        SameAsInstruction(),
        Refusals(),
        Adverts(),
        Truncation(),
    ),
)
