"""Which task a record is, in the release's words, and of which domain."""

from __future__ import annotations

from cqia.judges.base import TEXT, Judge, shaped
from cqia.vocabulary import MAJOR, MINOR

TASK = Judge(
    name="task",
    version=1,
    about="major and minor task type and domain, in the release's words",
    parts=("instruction", "input", "output"),
    schema=shaped(
        分析=TEXT,
        大类={"type": "string", "enum": list(MAJOR)},
        小类={
            "type": "array",
            "items": {"type": "string", "enum": list(MINOR)},
            "minItems": 1,
            "maxItems": 3,
        },
        领域={"type": "array", "items": TEXT, "minItems": 1, "maxItems": 3},
    ),
    words=(("major", "、".join(MAJOR)), ("minor", "、".join(MINOR))),
)
