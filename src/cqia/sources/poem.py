r"""Classical poems 古诗词撰写: going on with a poem, out of firefly-train-1.1M.

The items of the kind `AncientPoem` are read:

    {"kind": "AncientPoem", "input": "续写下面的古诗：\n白日依山尽，黄河入海流。",
     "target": "欲穷千里目，更上一层楼。"}

The input, which carries the lines in a phrase of the dataset's authors, is the instruction as it
stands; the target is the answer. The dataset gives no ids: a record's id is made of its text.

Shape: the three fields and the kinds' names are those of the dataset's card and of public loaders.

This project's choices: the bounds of length, that a poem with a lost character (□) goes, and that
the labels are 文本生成 and 古诗续写.

Traps: an answer may hold the lines that were given once more; simplified forms merge characters
that a poet kept apart; well-known poems stand in school examinations too, so look for the
benchmarks in them; a machine's "poem" reads like an explanation in modern words.
"""

from __future__ import annotations

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
from cqia.sources.base import Form, Source
from cqia.sources.firefly import LICENCE, ORIGIN, SCHEMA, reader

POEM = Source(
    name="poem",
    family="chinese_traditional",
    type="nlp",
    title="古诗词撰写",
    origin=ORIGIN,
    licence=LICENCE,
    forms=(Form(kind="json", read=reader("AncientPoem"), schema=SCHEMA),),
    labels={
        "task_major": ["文本生成"],
        "task_minor": ["古诗续写"],
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
        PromptLength(low=8, high=300),
        Length(field="output", low=5, high=600),
        HanShare(low=0.6),
        SameAsInstruction(),
        Refusals(),
    ),
)
"""No filter of repetition: refrains belong to songs. None of truncation: a line of verse may end
without a mark."""
