r"""Classical Chinese 文言文互译: into modern Chinese and back, out of firefly-train-1.1M.

The items of the kind `ClassicalChinese` are read:

    {"kind": "ClassicalChinese", "input": "翻译成现代文：\n学而时习之，不亦说乎？",
     "target": "学了又按时温习它，不也是很愉快吗？"}

The input, which carries the text in a phrase of the dataset's authors, is the instruction as it
stands; the target is the answer. Which way the translation goes is told by the phrase and kept in
the metadata (`方向:文译白` or `方向:白译文`). The dataset gives no ids: a record's id is made of
its text.

Shape: the three fields and the kinds' names are those of the dataset's card and of public loaders.

This project's choices: the words of the phrase that tell the way, the bounds of length, and that
the labels are 文本生成 and 文言文翻译.

Traps: the two halves are cut out of longer passages, so that a translation may say more than its
sentence, or less; a modern text of today in the answer of `白译文` means the pair is the wrong way
round; names and titles are rendered one way here and another way there.
"""

from __future__ import annotations

import polars as pl

from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.echo import SameAsInstruction
from cqia.filters.lacunae import Lacunae
from cqia.filters.length import Length, PromptLength
from cqia.filters.refusals import Refusals
from cqia.filters.shares import HanShare
from cqia.filters.status import Status
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source
from cqia.sources.firefly import LICENCE, ORIGIN, SCHEMA, reader

CLASSICAL = r"(?:成|为|到|作|出|个|用|的)(?:对应的|相应的|其)?(?:文言文?|古文|古代汉语|古汉语)"
"""A phrase with these words asks for classical Chinese."""
MODERN = r"现代文|现代汉语|现代中文|白话|今译|什么意思|是什么含义"
"""A phrase with these words asks for modern Chinese."""


def _way() -> pl.Expr:
    """Which way an item is to be translated; null when its phrase does not tell.

    Some phrases name both (这句文言文用现代文怎么说): what is asked for decides, and the modern
    comes first, for `文言文` is named as what stands there.
    """
    asked = pl.col("input")
    classical = asked.str.contains(rf"(?:{MODERN}).{{0,8}}{CLASSICAL}")
    return (
        pl.when(asked.str.contains(MODERN) & ~classical)
        .then(pl.lit("文译白"))
        .when(asked.str.contains(CLASSICAL))
        .then(pl.lit("白译文"))
    )


TRANSLATE_CLASSICAL_CHINESE = Source(
    name="translate_classical_chinese",
    family="chinese_traditional",
    type="nlp",
    title="文言文互译",
    origin=ORIGIN,
    licence=LICENCE,
    forms=(Form(kind="json", read=reader("ClassicalChinese", {"方向": _way()}), schema=SCHEMA),),
    labels={
        "task_major": ["文本生成"],
        "task_minor": ["文言文翻译"],
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
        Lacunae(field="instruction"),
        Lacunae(field="output"),
        PromptLength(low=12, high=600),
        Length(field="output", low=6, high=600),
        HanShare(low=0.6),
        SameAsInstruction(),
        Refusals(),
        Truncation(),
    ),
)
