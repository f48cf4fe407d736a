"""A corpus-safety assessment in numbers: the draw, verdicts, checks, and what each comes to.

The thresholds' defaults are those that China's TC260-003 (2024) and GB/T 45654-2025 are publicly
said to name; `docs/safety-pack.md` tells which of them were found where, and which not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cqia.errors import UserError
from cqia.filters.phrases import phrases, weight
from cqia.filters.sensitive import CATEGORIES
from cqia.record import TEXT

PASSED, FAILED = "pass", "fail"
OPEN, MET, MISSED = "open", "met", "missed"
REJECTED, STANDS, SUSPECTED, UNREAD = "rejected", "stands", "suspected", "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The thresholds of an assessment."""

    drawn: int = 4_000
    """Records drawn at random for people: at least so many, or all where there are fewer."""
    people: float = 0.96
    """The share of them that must pass."""
    checked: float = 0.10
    """The share of the corpus that keywords and models must look at, at least."""
    machines: float = 0.98
    """The share of those that must pass."""
    source: float = 0.05
    """A source with a larger share of bad records is rejected."""
    words: int = 10_000
    """Entries that a keyword bank should have; told, and nothing is decided by it."""

    def __post_init__(self) -> None:
        for name in ("people", "checked", "machines", "source"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"{name} is a share, 0 to 1")
        if self.drawn < 1:
            raise UserError("1 record or more is drawn")


def corpus_mark(ids: pl.Series) -> str:
    """A hash of which records there are, whatever their order."""
    total = hashlib.sha256()
    for one in ids.sort():
        total.update(str(one).encode() + b"\n")
    return total.hexdigest()[:16]


def draw(records: pl.DataFrame, rules: Rules, *, seed: int) -> pl.DataFrame:
    """The records for people, by lot and without replacement; all where there are fewer.

    Another corpus gets another lottery. Else records that failed and were taken out would leave
    behind a draw of those that passed, which says nothing of the rest.
    """
    import polars_hash as plh

    mark = corpus_mark(records["id"])
    place = plh.concat_str(pl.lit(f"{seed}/{mark}/"), pl.col("id")).nchash.xxh3_64()
    return records.sort(place, "id").head(rules.drawn)


def keyword_lists(folder: Path | None) -> dict[str, tuple[dict[str, int], tuple[str, ...]]]:
    """Words and allowed phrases by category: those that come along, and a folder's CATEGORY.txt.

    Raises:
        UserError: the folder holds no list, or one that is not UTF-8.
    """
    lists = {name: (dict(phrases(name)), tuple(phrases(f"{name}.allow"))) for name in CATEGORIES}
    if folder is None:
        return lists
    paths = sorted(folder.glob("*.txt"))
    if not paths:
        raise UserError("no list CATEGORY.txt", where=str(folder), mend="one word a line")
    for path in paths:
        name, _, kind = path.stem.partition(".")
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise UserError("not UTF-8", where=str(path), mend="save it as UTF-8") from None
        words = [one for line in lines if (one := line.partition("#")[0].strip().lower())]
        listed, allowed = lists.get(name, ({}, ()))
        if kind == "allow":
            lists[name] = (listed, (*allowed, *words))
        else:
            lists[name] = ({**listed, **dict.fromkeys(words, 1)}, allowed)
    return lists


def keyword_hits(
    records: pl.DataFrame, lists: Mapping[str, tuple[dict[str, int], tuple[str, ...]]]
) -> pl.DataFrame:
    """id, source and a column a category: how many of its words stand in the record."""
    text = pl.concat_str(*(pl.col(name).fill_null("") for name in TEXT), separator="\n")
    whole = records.select("id", "source", text=text)
    hits = {
        name: weight(pl.col("text"), listed, allowed)
        for name, (listed, allowed) in lists.items()
        if listed
    }
    return whole.select("id", "source", **hits)


def exact(passed: int, read: int) -> tuple[float | None, float | None]:
    """Clopper and Pearson's (1934) exact 95 % interval of a share; nulls where nothing was read.

    It takes the corpus for endless; for a draw of a small one it is wider than it need be.
    """
    from statsmodels.stats.proportion import proportion_confint

    if read == 0:
        return None, None
    low, high = proportion_confint(passed, read, alpha=0.05, method="beta")
    return float(low), float(high)


def state_of(passed: int, read: int, wanted: int, rate: float) -> str:
    """met, missed, or open: whether so many of so many wanted reach the rate."""
    if wanted == 0:
        return OPEN
    if (passed + wanted - read) / wanted < rate:
        return MISSED
    if read < wanted:
        return OPEN
    return MET


def by_source(
    records: pl.DataFrame,
    drawn: pl.DataFrame,
    verdicts: Mapping[str, str],
    hits: pl.DataFrame,
    judged: pl.DataFrame | None,
    rules: Rules,
) -> pl.DataFrame:
    """A row a source: what people said of its drawn records, what machines said, and its state.

    rejected: people failed a larger share than the rules allow. sure: even the lower bound of that
    share lies above. suspected: nobody read it, or people let it stand, but a larger share holds
    keywords or was scored low. unread: nobody read it. stands: else.
    """
    said = drawn.select("id", "source").with_columns(
        verdict=pl.col("id").replace_strict(dict(verdicts), default=None, return_dtype=pl.String)
    )
    any_hit = pl.any_horizontal(pl.all().exclude("id", "source") > 0)
    rows = []
    for name in records["source"].unique().sort():
        mine = said.filter(source=name)
        read = mine.filter(pl.col("verdict").is_not_null()).height
        failed = mine.filter(verdict=FAILED).height
        low, high = exact(failed, read)
        n = records.filter(source=name).height
        held = hits.filter(source=name).filter(any_hit).height
        scored = judged.filter(source=name) if judged is not None else None
        bad = scored.filter("bad").height if scored is not None else None
        share = failed / read if read else None
        low_share = bad / scored.height if scored is not None and bad is not None and bad else 0.0
        shares = [held / n, low_share]
        state = REJECTED if share is not None and share > rules.source else STANDS
        if state != REJECTED and max(shares) > rules.source:
            state = SUSPECTED
        elif read == 0:
            state = UNREAD
        rows.append(
            {
                "source": name, "records": n, "drawn": mine.height, "read": read,
                "failed": failed, "share": share, "low": low, "high": high,
                "sure": low is not None and low > rules.source,
                "keywords": held, "keyword_share": held / n,
                "scored": scored.height if scored is not None else None, "scored_low": bad,
                "state": state,
            }
        )  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)
