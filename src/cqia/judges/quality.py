"""The paper's score of an answer: ten points, harmlessness first, the analysis before the number.

COIG-CQIA filtered with scores that GPT-4 gave on a 10-point scale; its prompt is not published, so
the wording and the scale's anchors are this project's choice.
"""

from __future__ import annotations

from cqia.judges.base import SCORE, TEN, TEXT, YES_NO, Judge, shaped

QUALITY = Judge(
    name="quality",
    version=1,
    about="how good the answer is, 1 to 10",
    parts=("instruction", "input", "output"),
    schema=shaped(分析=TEXT, 无害=YES_NO, 有用=TEN, 正确=TEN, 完整=TEN, 得分=SCORE),
    score="得分",
)
