"""A generated Chinese corpus with planted duplicates, for timings and recall.

python benchmarks/corpus.py --docs 200000 --out corpus.jsonl --truth truth.jsonl

Seven tenths of the documents are new, two tenths near-duplicates of one of them, one tenth exact
copies. Text is drawn from topics: a topic is a Zipf distribution over two-character words made of
the 3,755 common characters, so that unrelated documents share some n-grams, but few. Adverts, HTML,
traditional script, invented telephone numbers and repetition are mixed in.

The truth file has a line a planted duplicate: `a` (the original's row), `b` (the copy's row) and
`jaccard`, the exact similarity of the character 5-grams of both outputs' matching views.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import opencc
import polars as pl

from cqia.text.matching import matching_view
from cqia.text.shingles import jaccard

Codes = npt.NDArray[np.uint32]

BATCH = 5_000
RESERVOIR = 20_000
WORDS, TOPICS, TOPIC_WORDS = 20_000, 200, 800
NEAR, EXACT = 0.2, 0.1
NOISE = 0.03
ADVERTS = (
    "点击下方链接，关注本号，每天领取一份学习资料。",
    "转发本文到三个群，截图找客服换一张优惠券！",
    "想了解更多的朋友请加老师，名额有限，先到先得。",
)
ASKS = ("请介绍一下{}。", "{}是怎么回事？", "写一段关于{}的文字。", "为什么说{}很重要？")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--docs", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with options.out.open("w", encoding="utf-8") as out, options.truth.open("w") as truth:
        for texts, pairs in corpus(options.docs, seed=options.seed):
            out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in texts)
            truth.writelines(json.dumps(pair) + "\n" for pair in pairs)


def corpus(
    docs: int, *, seed: int
) -> Iterator[tuple[list[dict[str, str]], list[dict[str, float]]]]:
    """Batches of rows, and of planted pairs; the same for the same seed and number."""
    rng = np.random.default_rng(seed)
    language = Language(rng)
    originals: list[tuple[int, str]] = []
    for start in range(0, docs, BATCH):
        rows, pairs = [], []
        kinds = rng.random(min(BATCH, docs - start))
        for row, kind in enumerate(kinds, start):
            if kind < NEAR + EXACT and originals:
                source, text = originals[rng.integers(len(originals))]
                pairs.append((source, row, text))
                output = text if kind >= NEAR else edited(text, rng, language)
            else:
                output = noisy(language.text(rng), rng, language)
                if len(originals) < RESERVOIR:
                    originals.append((row, output))
                else:
                    originals[rng.integers(RESERVOIR)] = (row, output)
            ask = ASKS[rng.integers(len(ASKS))].format(language.subject(rng))
            rows.append({"id": f"generated-{row}", "instruction": ask, "output": output})
        yield rows, measured(pairs, [row["output"] for row in rows], start)


class Language:
    """Words, and topics that use them."""

    def __init__(self, rng: np.random.Generator) -> None:
        raw = bytes(
            byte for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF) for byte in (high, low)
        )
        self.characters = codes(raw.decode("gb2312", errors="ignore"))
        convert = opencc.OpenCC("s2t").convert
        self.traditional = {int(one): convert(chr(one)) for one in self.characters}
        weight = 1.0 / (np.arange(len(self.characters)) + 20)
        rng.shuffle(self.characters)
        self.words = rng.choice(self.characters, (WORDS, 2), p=weight / weight.sum())
        common = rng.choice(WORDS, 300, replace=False)
        self.topics = rng.integers(0, WORDS, (TOPICS, TOPIC_WORDS))
        self.topics[:, ::4] = rng.choice(common, self.topics[:, ::4].shape)
        zipf = 1.0 / (np.arange(TOPIC_WORDS) + 3)
        self.ranks = np.cumsum(zipf / zipf.sum())

    def text(self, rng: np.random.Generator) -> str:
        """100 to 2,000 characters, 600 on average, in sentences and paragraphs."""
        length = int(np.clip(rng.lognormal(6.2, 0.6), 100, 2_000)) * 2 // 5
        topic = self.topics[rng.integers(TOPICS)]
        ranks = np.searchsorted(self.ranks, rng.random(length))
        text = np.zeros((length, 4), np.uint32)
        text[:, :2] = self.words[topic[np.minimum(ranks, TOPIC_WORDS - 1)]]
        stop = rng.random(length)
        text[stop < 0.18, 2] = ord("，")
        text[stop < 0.06, 2] = ord("。")
        text[stop < 0.01, 3] = ord("\n")
        text[-1, 2:] = ord("。"), 0
        return string(text[text > 0])

    def subject(self, rng: np.random.Generator) -> str:
        return string(self.words[rng.integers(0, WORDS, 2)].ravel())


def edited(text: str, rng: np.random.Generator, language: Language) -> str:
    """Replace scattered characters, or one block: as many as bring the similarity to 0.62-0.98."""
    share = (1 - (aim := rng.uniform(0.62, 0.98))) / (1 + aim)
    new = codes(text)
    size = len(new)
    if rng.random() < 0.5:
        places = rng.choice(size, max(1, round(size * share / 5)), replace=False)
    else:
        length = max(1, round(size * share))
        places = np.arange(length) + rng.integers(0, size - length + 1)
    new[places] = rng.choice(language.characters, len(places))
    return string(new)


def noisy(text: str, rng: np.random.Generator, language: Language) -> str:
    """One kind of noise each for a few texts in a hundred."""
    kind = int(rng.random() / NOISE)
    if kind == 0:
        return text + "\n" + ADVERTS[rng.integers(len(ADVERTS))]
    if kind == 1:
        return "<div><p>" + text.replace("\n", "</p><br/><p>") + "</p></div>"
    if kind == 2:
        return text.translate(language.traditional)
    if kind == 3:
        return text + f"联系电话：19900{rng.integers(10**6):06d}"
    if kind == 4:
        return text + text[:40] * int(rng.integers(3, 12))
    return text


def measured(
    pairs: list[tuple[int, int, str]], outputs: list[str], start: int
) -> list[dict[str, float]]:
    before = matching_view(pl.Series([text for _, _, text in pairs], dtype=pl.String))
    after = matching_view(pl.Series([outputs[b - start] for _, b, _ in pairs], dtype=pl.String))
    return [
        {"a": a, "b": b, "jaccard": round(jaccard(left, right), 6)}
        for (a, b, _), left, right in zip(pairs, before, after, strict=True)
    ]


def codes(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le"), np.uint32).copy()


def string(codes: Codes) -> str:
    return codes.astype("<u4").tobytes().decode("utf-32-le")


if __name__ == "__main__":
    main()
