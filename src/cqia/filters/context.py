"""Texts that lean on a picture, a table, a recording or a mark that is not there."""

# ruff: noqa: RUF001
from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cqia.filters.base import TextFilter

NUMBER = r"[\d一二三四五六七八九十甲乙丙丁ⅠⅡⅢ①-⑩a-dA-D]"
AFTER = rf"(?:[所中里是为示，,：:；;。）)（(、\s]|{NUMBER}|回答|完成|判断|作答|求|$)"
THIS = r"(?:[上下左右]面的?|以上|以下|这[张个幅段]|该|此|上述|如下)"

PICTURE = "|".join(
    (
        rf"[如见由据按看读附][下上左右]?图{AFTER}",
        rf"(?:^|[^天以手乎之部])[下上左右]图{AFTER}",
        rf"(?:^|[^\p{{Han}}]|[如见由从在据])图\s?{NUMBER}{{1,2}}(?:[-－.．]\d+)?\s?"
        r"(?:所示|中|为|是|表示|[)），,、。])",
        r"图示[中的]|(?:^|[^\p{Han}]|[由从在据题])图中|看图|读图|题图|附图|插图中|漫画中|示意图(?:中|所示)",
        rf"{THIS}(?:图片|图像|照片|截图|视频|音频|录音|图表|附件|插图|漫画)",
        r"(?:图片|照片|截图|视频|音频|录音|附件)(?:所示|如下|见附)",
        r"(?:视频|录音|音频)(?:中|里)(?:的人|说|提到|的对话)",
        r"听(?:下面|下列|第|录音|材料|对话)|听力(?:材料|原文)|播放录音",
        r"[画划](?:横|波浪)?线(?:的|处|部分|句|词|语句)|加[点粗](?:的|字|词|部分)|下划线(?:的|处|部分)",
        r"[（(【\[](?:见附件|见附图|略图|图略|表略|图片|此处有图|视频)[）)】\]]",
    )
)
"""References to a picture, film, recording, underlining or attachment. A function word, a mark or a
number has to follow the bare 如图 or 下图, so that 试图, 地图, 如图书馆 and 下图灵 don't match."""

TABLE = "|".join(
    (
        rf"(?:如|见|由|据|读|看|填|完成)[上下左右]?表{AFTER}",
        rf"(?:^|[^\p{{Han}}]|[据在由从])[上下左右]表{AFTER}",
        rf"{THIS}表格?(?:中|所示|是|为|给出|列出)",
        r"(?:^|[^\p{Han}]|[如见由从在据])表\s?\d+\s?(?:所示|中|为|是)",
    )
)
"""References to a table."""

GIVEN = r"\||\\begin\{(?:tabular|array)|<t[dr]\b|\t"
"""A table in Markdown, LaTeX or HTML, or cells parted by tabs: the text brings its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingContext(TextFilter):
    """Number of references to a picture, table, recording, underlining or attachment.

    Such a text can't be understood without what it refers to. References to a table don't count
    where the text brings a table; those to a picture always count, because no record carries one.
    The bound is this project's choice.
    """

    high: float | None = 0
    field: str = "instruction"

    def measure(self) -> pl.Expr:
        text = pl.col(self.field)
        tables = pl.when(text.str.contains(GIVEN)).then(0).otherwise(text.str.count_matches(TABLE))
        return text.str.count_matches(PICTURE) + tables
