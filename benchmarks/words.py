"""Generated word lists for timings: they stand for lists of the length that real ones have."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

FLAGGED = 3_015
STOPS = "的 了 是 在 和 有 就 不 人 都 一 也 很 到 说 要 去 你 会 着 没有 看 好 自己 这 那 与 但是"


def write_words(folder: Path) -> None:
    """Write flagged_words.json and stopwords.json in the form data-juicer reads."""
    letters = _letters(random.Random(1))
    flagged = sorted({next(letters) + next(letters) for _ in range(FLAGGED)})
    folder.mkdir(parents=True, exist_ok=True)
    for name, words in (("flagged_words", flagged), ("stopwords", STOPS.split())):
        text = json.dumps({"zh": words}, ensure_ascii=False)
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


def _letters(rng: random.Random) -> Iterator[str]:
    """Characters of the commoner half of GB 2312, each as likely as the next."""
    while True:
        yield bytes((rng.randrange(0xB0, 0xD7), rng.randrange(0xA1, 0xFF))).decode("gb2312")
