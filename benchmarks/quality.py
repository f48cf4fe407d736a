"""How right a near-deduplication was, told from the documents it kept and the planted truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import polars as pl

from cqia.text.matching import matching_view
from cqia.text.shingles import jaccard

BANDS = (1.01, 0.9, 0.8, 0.7)
THRESHOLD = 0.7


def score(truth: Path, corpus: Path, removed: set[int]) -> dict[str, float]:
    """Recall by band of Jaccard similarity, and precision.

    A planted pair is found when not both of its documents were kept: so it doesn't matter which of
    the two a tool prefers. A removal is right when the document is at least THRESHOLD similar to
    another document made from the same original; so precision counts documents, not pairs.
    """
    pairs = pl.read_ndjson(truth)
    hit = pl.col("a").is_in(list(removed)) | pl.col("b").is_in(list(removed))
    found = pairs.with_columns(found=hit)
    result = {}
    for high, low in (*pairwise(BANDS), (BANDS[0], BANDS[-1])):
        band = found.filter((pl.col("jaccard") < high) & (pl.col("jaccard") >= low))["found"]
        name = "recall" if high == BANDS[0] and low == BANDS[-1] else f"recall {low}"
        result[name] = _share(band.arg_true().len(), len(band))
    right = len(removed & _duplicates(pairs, corpus, removed))
    return {**result, "removed": len(removed), "precision": _share(right, len(removed))}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else float("nan")


def _duplicates(pairs: pl.DataFrame, corpus: Path, removed: set[int]) -> set[int]:
    """The documents that are similar to one of their family: known pairs, then its other copies."""
    near = pairs.filter(pl.col("jaccard") >= THRESHOLD)
    sure = {*near["a"].to_list(), *near["b"].to_list()}
    families = defaultdict(list)
    for a, b in pairs.select("a", "b").iter_rows():
        families[a].append(b)
    doubtful = pairs.filter(pl.col("b").is_in(list(removed - sure)))
    others = {b: [one for one in families[a] if one != b] for a, b, _ in doubtful.iter_rows()}
    views = _views(corpus, sorted({row for b, rest in others.items() for row in (b, *rest)}))
    return sure | {
        b
        for b, rest in others.items()
        if any(jaccard(views[b], views[one]) >= THRESHOLD for one in rest)
    }


def _views(corpus: Path, rows: Sequence[int]) -> dict[int, str]:
    """Row -> matching view of its output."""
    schema = {"id": pl.String, "instruction": pl.String, "output": pl.String}
    frame = pl.scan_ndjson(corpus, schema=schema).select("output").with_row_index("row")
    some = frame.filter(pl.col("row").is_in(list(rows))).collect()
    return dict(zip(some["row"], matching_view(some["output"]), strict=True))
