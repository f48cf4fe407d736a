"""Every judge by name."""

from __future__ import annotations

from cqia.judges.base import Judge
from cqia.judges.instruction import INSTRUCTION
from cqia.judges.quality import QUALITY
from cqia.judges.task import TASK

JUDGES: dict[str, Judge] = {judge.name: judge for judge in (QUALITY, INSTRUCTION, TASK)}
