"""Whether a question belongs in the data at all, its answer unseen: what a board's titles need."""

from __future__ import annotations

from cqia.judges.base import SCORE, TEXT, YES_NO, Judge, shaped

INSTRUCTION = Judge(
    name="instruction",
    version=1,
    about="whether the question is answerable, instructive, self-contained and safe",
    parts=("instruction", "input"),
    schema=shaped(分析=TEXT, 可回答=YES_NO, 有启发=YES_NO, 自足=YES_NO, 安全=YES_NO, 得分=SCORE),
    score="得分",
)
