"""How varied texts are, in measures that don't grow or shrink with the number of texts.

All are taken at one size, told beside them; a source smaller than that has none. Bigger sets hold
more of everything, and their share of new n-grams falls, so raw counts compare sizes.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CHARACTERS = 10_000
"""n-grams that distinct-n counts, of as many records in random order as it takes."""
SAMPLE = 400
"""Records that the spread is measured on at most."""
DRAWS = 20
READ = 2_000
"""Characters of a record that are looked at."""
_BUCKETS = 1 << 18


class Measure(NamedTuple):
    """A value, its interval where it has one, and how many it was made of."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0


NOTHING = Measure(None)


def distinct(texts: Sequence[str], n: int, *, size: int = CHARACTERS) -> Measure:
    """Distinct character n-grams among the first `size` (Li et al. 2016, on characters)."""
    seen: set[str] = set()
    left = size
    for text in texts:
        count = min(max(len(text) - n + 1, 0), left)
        seen.update(text[at : at + n] for at in range(count))
        left -= count
        if not left:
            return Measure(len(seen) / size, n=size)
    return Measure(None, n=size - left)


def rarefied(counts: Sequence[int], size: int) -> Measure:
    """Expected number of kinds among `size` drawn without replacement (Hurlbert 1971).

    It is exact for these counts: the sum over kinds of 1 - C(N - N_i, size) / C(N, size).
    """
    from scipy.special import gammaln

    held = np.array([one for one in counts if one > 0], dtype=np.float64)
    whole = float(held.sum())
    if size < 1 or whole < size:
        return Measure(None, n=int(whole))

    rest = whole - held
    can = rest[rest >= size]
    least = gammaln(whole - size + 1) - gammaln(whole + 1)
    none = np.exp(gammaln(can + 1) - gammaln(can - size + 1) + least)
    return Measure(float(len(held) - none.sum()), n=int(whole))


def vectors(texts: Sequence[str]) -> Any:  # noqa: ANN401
    """Unit vectors of TF-IDF over character bigrams, hashed; sparse, a row a text.

    tf is 1 + log of the count, idf is log((1 + N) / (1 + n)) + 1.
    """
    from scipy.sparse import csr_matrix

    places: list[int] = []
    values: list[float] = []
    starts = [0]
    for text in texts:
        body = "".join(text[:READ].split())
        grams, counts = np.unique(
            [zlib.crc32(body[at : at + 2].encode()) % _BUCKETS for at in range(len(body) - 1)]
            or [0],
            return_counts=True,
        )
        places += [int(one) for one in grams]
        values += [float(one) for one in 1 + np.log(counts)]
        starts.append(len(places))
    found = csr_matrix((values, places, starts), shape=(len(texts), _BUCKETS), dtype=np.float64)
    held = np.bincount(found.indices, minlength=_BUCKETS)
    found.data *= (np.log((1 + len(texts)) / (1 + held)) + 1)[found.indices]
    norms = np.sqrt(np.asarray(found.multiply(found).sum(axis=1)).ravel())
    found.data /= np.repeat(norms, np.diff(found.indptr))
    return found


def spread(rows: Any) -> Measure:  # noqa: ANN401
    """Mean cosine distance between two texts, with the jackknife's 95 % interval."""
    from scipy import stats

    n = rows.shape[0]
    if n < 3:
        return Measure(None, n=n)
    whole = np.asarray(rows.sum(axis=0)).ravel()
    each = np.asarray(rows @ whole).ravel() - 1
    total = each.sum()
    value = 1 - total / (n * (n - 1))
    without = 1 - (total - 2 * each) / ((n - 1) * (n - 2))
    error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    reach = float(stats.t.ppf(0.975, n - 1)) * error
    return Measure(float(value), max(0.0, value - reach), min(1.0, value + reach), n)


def vendi(rows: Any, *, size: int, seed: int = 0) -> Measure:  # noqa: ANN401
    """Effective number of different texts among `size` (Friedman and Dieng, arXiv 2210.02410).

    exp of the entropy of the eigenvalues of the similarities divided by their number. The mean of
    draws, and what lies between the 2.5th and 97.5th percentile of them.
    """
    n = rows.shape[0]
    if size < 2 or n < size:
        return Measure(None, n=n)
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(DRAWS if n > size else 1):
        mine = rows[np.sort(rng.choice(n, size, replace=False))]
        values = np.linalg.eigvalsh((mine @ mine.T).toarray() / size)
        values = values[values > 1e-12]
        found.append(float(np.exp(-(values * np.log(values)).sum())))
    if len(found) == 1:
        return Measure(found[0], n=size)
    low, high = np.percentile(found, [2.5, 97.5])
    return Measure(float(np.mean(found)), float(low), float(high), size)


def looked_at(size: pl.Expr) -> pl.Expr:
    """Whether `table` looks into a record's text, by its length; rows in random order, of `source`.

    Of every source and of all together it takes the first records until they hold enough
    characters, and of every source the first `SAMPLE`. The texts of the others may be null.
    """
    # Pairs of characters are one fewer than characters, so they take longer to be enough.
    pairs = (size.cast(pl.Int64) - 1).clip(0)
    before = pairs.cum_sum() - pairs
    rank = pl.int_range(pl.len()).over("source")
    return (rank < SAMPLE) | (before < CHARACTERS) | (before.over("source") < CHARACTERS)


def table(records: pl.DataFrame, *, at: int, seed: int) -> pl.DataFrame:
    """A row a source and the total: every measure, its interval and n.

    Args:
        records: source, text (null where `looked_at` says no), verb and noun (both empty where no
            pair was found, null where none was looked for), in random order.
        at: pairs and records that sources are compared at.
        seed: of the draws.
    """
    sample = records.group_by("source", maintain_order=True).head(SAMPLE)
    whole = vectors(sample["text"].to_list()) if len(sample) else None
    owners = sample["source"].to_numpy() if len(sample) else np.array([])
    names = records["source"].unique(maintain_order=True).sort().to_list()
    rows = []
    for name in [*names, ""]:
        mine = records.filter(source=name) if name else records
        ours = np.flatnonzero(owners == name) if name else _evenly(len(owners), seed)
        kinds = mine.filter(pl.col("noun").fill_null("") != "").group_by("verb", "noun").len()
        texts = mine["text"].drop_nulls().to_list()
        found = {
            "distinct_1": distinct(texts, 1),
            "distinct_2": distinct(texts, 2),
            "pair_types": rarefied(kinds["len"].to_list(), at),
            "spread": spread(whole[ours]) if whole is not None else NOTHING,
            "vendi": vendi(whole[ours], size=at, seed=seed) if whole is not None else NOTHING,
        }
        row: dict[str, Any] = {"source": name or "total", "records": len(mine)}
        for key, one in found.items():
            row |= {key: one.value, f"{key}_n": one.n}
            if key in ("spread", "vendi"):
                row |= {f"{key}_low": one.low, f"{key}_high": one.high}
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def _evenly(count: int, seed: int) -> NDArray[np.int64]:
    """The records that the total is measured on: drawn from the sources' samples alike."""
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(count, min(count, SAMPLE), replace=False))
