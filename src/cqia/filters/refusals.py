"""Answers in which a model speaks of itself instead of answering."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.filters.base import TextFilter

MODEL = r"(?:人工智能|AI|A\.I\.|大?语言模型|聊天机器人|智能助手|虚拟助手|语言AI)"
KIND = r"(?:大?语言模型|大模型|模型|聊天机器人|机器人|助手|助理|程序|系统|虚拟人)?"
ONE = r"(?:一[个名款种位台])?"

REFUSAL = "|".join(
    (
        rf"作为{ONE}{MODEL}{KIND}[，,、：:\s]{{0,2}}(?:我[^们国]|抱歉|很遗憾|无法|不能|不具备|没有)",
        rf"我(?:只|仅仅|仅|其实)?是{ONE}{MODEL}{KIND}[，,。]",
        r"(?:对不起|抱歉|遗憾)[，,。！!\s]{0,2}(?:但|但是)?(?:作为AI)?我?(?:无法|不能|没有办法|没办法|不可以)"
        r"(?:直接|为您|为你|给您|给你|帮您|帮你|继续)?(?:回答|提供|满足|完成|协助|回应|执行|生成|给出|帮助|处理|参与|访问|讨论|续写|撰写|创作|翻译)",
        r"我(?:无法|不能)(?:直接)?(?:回答|回应)(?:这个|这类|该|此类|您的|你的)?(?:问题|请求|提问)",
        r"(?i:as an ai(?: language)? (?:model|assistant))",
    )
)
"""The first-person phrases of a refusal. `人工智能作为一种技术` and the like don't match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals(TextFilter):
    """Number of phrases in which a model refuses or names itself as a model.

    Text about artificial intelligence is kept: a mark is a first-person phrase, not a topic.
    """

    high: float | None = 0

    def measure(self) -> pl.Expr:
        return pl.col(self.field).str.count_matches(REFUSAL)
