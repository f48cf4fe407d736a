"""100PoisonMpts 给AI的100瓶毒药: experts' questions that lead a model astray, and good answers.

    {"prompt": "……", "answer": "……", "domain_en": "Psychology", "domain_zh": "心理学",
     "answer_source": "expert"}

The prompt is the instruction, the answer the output. Several answers to one question are wanted:
all that differ survive dedup. Who wrote an answer is kept: an expert, or a model whose answer an
expert accepted.

Shape: `prompt` and `answer` as public converters of `train.jsonl` use them; the names of the other
fields are those of the dataset's card, not checked against the file, and may be absent.

This project's choices: that an answer without a stated source counts as a model's, and all bounds.

Traps: CValues' 664 prompts all stand here word for word, so a model trained on this has seen that
benchmark; the prompts are offensive on purpose, so no list of sensitive words is applied, and none
should be; answers that only refuse are answers here.
"""

from __future__ import annotations

import polars as pl

from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.white_space import WhiteSpace
from cqia.filters.echo import SameAsInstruction
from cqia.filters.length import Length, PromptLength
from cqia.filters.repetition import LineRepetition, NgramRepetition
from cqia.filters.shares import HanShare
from cqia.filters.truncation import Truncation
from cqia.sources.base import Form, Source
from cqia.sources.fields import blank, facts, fault

EXPERT = r"(?i)expert|专家|人工|human"
"""How the dataset names a person as an answer's author."""

TEXT = ("prompt", "answer", "domain_en", "domain_zh", "answer_source", "id")
SCHEMA = pl.Struct(dict.fromkeys(TEXT, pl.String))


def read_answers(raw: pl.DataFrame) -> pl.DataFrame:
    """One record an answer."""
    domain = pl.coalesce("domain_zh", "domain_en")
    written = pl.col("answer_source").fill_null("").str.contains(EXPERT)
    return raw.select(
        "file",
        "row",
        key=pl.col("id"),
        instruction=pl.col("prompt").str.strip_chars(),
        output=pl.col("answer").str.strip_chars(),
        domain=pl.concat_list(domain).list.drop_nulls(),
        metadata=facts({"domain_en": pl.col("domain_en"), "source": pl.col("answer_source")}),
        answer_from=pl.when(written).then(pl.lit("expert")).otherwise(pl.lit("llm")),
        question=pl.col("prompt"),
        fault=fault(
            {
                "the item has no prompt": blank(pl.col("prompt")),
                "the item has no answer": pl.col("answer").is_null(),
            }
        ),
    )


POISON = Source(
    name="100poison",
    family="human_value",
    type="nlp",
    title="100PoisonMpts",
    origin="https://modelscope.cn/datasets/damo/100PoisonMpts",
    licence="see the dataset's card",
    forms=(Form(kind="json", read=read_answers, schema=SCHEMA),),
    answers=None,
    labels={"task_major": ["问答"], "task_minor": ["问答"], "human_verified": True},
    steps=(
        RepairUnicode(),
        Simplify(),
        WhiteSpace(),
        MaskPersonalData(),
        PromptLength(low=4, high=1_000),
        Length(field="output", low=20, high=4_000),
        HanShare(low=0.5),
        SameAsInstruction(),
        LineRepetition(),
        NgramRepetition(),
        Truncation(),
    ),
)
"""No filter of refusals: to refuse is what some of the answers are for."""
