"""Safety: draw records for people by lot, take their verdicts, check by machine, and write it up.

    work/safety/
      sheet.csv, sheet.json   the drawn records, to be read by people
      safety.html, safety.md  the assessment, ready to print
      criteria, sources, keywords, rights, failed (md, csv, json)
      rejected.txt            the sources over the threshold, a line each
      manifest.json           rejected sources and failed records, which `cqia assemble --safety`
                              leaves out; they stand until they are judged again

A sheet that people have begun to fill is never written over. What people decide of the drawn
records makes the dataset older than its decisions; until it is assembled anew the same records are
assessed, so that a draw can be read to its end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from cqia import ledger, paper, scores, store
from cqia.describing import maps, safety, sheet
from cqia.describing import records as described
from cqia.describing.safety import Rules
from cqia.errors import UserError
from cqia.reporting import pack
from cqia.reporting.both import Both
from cqia.reporting.page import page
from cqia.reviewing import outcomes, queue
from cqia.reviewing.book import PLACE, Book
from cqia.tables import FORMATS, escape, render

_COLUMNS = ("id", "source", "licence", "copyright")
"""What is held of every record: texts are read part by part, and kept of the drawn ones only."""

Lists: TypeAlias = Mapping[str, tuple[dict[str, int], tuple[str, ...]]]
"""Category -> its words with their weights, and the phrases in which they mean no harm."""


def assess(
    *,
    work: Path,
    rules: Rules,
    verdicts: Sequence[Path] = (),
    words: Path | None = None,
    judge: tuple[str, str] | None = None,
    low: float = 0.0,
    seed: int = 1,
) -> store.Facts:
    """Write the sheet and the assessment as far as it has got.

    Args:
        work: the working folder; its dataset, as far as it got, is assessed.
        rules: the thresholds.
        verdicts: filled sheets; what was reviewed in the working folder counts too.
        words: a folder of more keyword lists, CATEGORY.txt and CATEGORY.allow.txt.
        judge: judge and model whose scores are a model's check.
        low: a record fails that check when the mean of its readable scores lies below.
        seed: of the lottery.

    Returns:
        The folder, the criteria, the rejected sources, and counts.

    Raises:
        UserError: nothing was curated, a sheet can't be read, or a begun one would be written over.
    """
    lists = safety.keyword_lists(words)
    known, records, hits = _read(work, lists)
    folder = work / "safety"
    drawn = _with_texts(work, safety.draw(records, rules, seed=seed))
    about = f"safety {safety.corpus_mark(drawn['id'])}"
    sheet.write(folder, drawn, _round(work, about))
    said, unreadable = _verdicts(work, about, [*verdicts, *sheet.files(folder)])
    judged = _judged(work, judge, low, records)
    sources = safety.by_source(records, drawn, said, hits, judged, rules)
    found = _criteria(records, drawn, said, hits, judged, rules)
    rejected = sources.filter(state=safety.REJECTED)["source"].to_list()
    frames = {
        "criteria": pack.criteria(found),
        "sources": sources,
        "keywords": _keywords(hits, lists),
        "rights": maps.rights(records, known),
        "failed": drawn.filter(
            pl.col("id").is_in([one for one, is_ in said.items() if is_ == safety.FAILED])
        ).select("id", "source", instruction=pl.col("instruction").str.slice(0, 80)),
    }
    lead = _lead(records, drawn, unreadable, lists, rules, seed, judge)
    report = pack.build(
        facts=lead,
        found=found,
        **{name: frames[name] for name in ("sources", "keywords", "rights", "failed")},
    )
    files = {
        f"{name}.{kind}": render(frame, kind) for name, frame in frames.items() for kind in FORMATS
    }
    files["safety.html"] = page(report.title, report.sections, report.figures)
    files["safety.md"] = _markdown(lead, frames)
    files["rejected.txt"] = "".join(f"{name}\n" for name in rejected)
    for name, body in files.items():
        store.write_bytes(folder / name, body.encode())
    standing, failed = _standing(folder, records, drawn, said, rejected)
    told = {"rejected": standing, "failed": failed, "about": about, "seed": seed}
    store.seal(folder, store.fingerprint(told), {"stage": "safety", **told})
    return {
        "stage": "safety",
        "folder": str(folder),
        "about": about,
        "records": len(records),
        "drawn": len(drawn),
        "read": drawn.filter(pl.col("id").is_in(list(said))).height,
        "unreadable": unreadable,
        "criteria": frames["criteria"].to_dicts(),
        "rejected": standing,
        "ids": drawn.select("id", "source").rows(),
    }


def _standing(
    folder: Path,
    records: pl.DataFrame,
    drawn: pl.DataFrame,
    said: Mapping[str, str],
    rejected: list[str],
) -> tuple[list[str], list[str]]:
    """The sources that stay rejected and the records that stay failed, earlier ones included.

    What an earlier assessment turned away is not in this corpus any more, so nothing new was said
    of it; what is in it again was judged again.
    """
    before = store.manifest(folder) or {}
    here = set(records["source"])
    sources = {one for one in before.get("rejected", []) if one not in here} | set(rejected)
    mine = {one for one in drawn["id"] if said.get(one) == safety.FAILED}
    failed = {one for one in before.get("failed", []) if said.get(one) != safety.PASSED} | mine
    return sorted(sources), sorted(failed)


def _round(work: Path, about: str) -> int | None:
    """The round of review in which this draw is read, where there is one."""
    if not (work / PLACE).exists():
        return None
    mine = [one["id"] for one in queue.rounds(Book(work)) if one["facts"].get("about") == about]
    return max(mine, default=None)


def start(work: Path, facts: store.Facts, name: str, *, seed: int) -> int:
    """Start the round of review of a draw, or say which one it is."""
    found = _round(work, facts["about"])
    if found is not None:
        return found
    return queue.start(Book(work), name, facts["ids"], seed=seed, about=facts["about"])


def _stage(work: Path) -> tuple[dict[str, store.Facts], str]:
    """The curated sources' manifests, and the last stage: later decisions don't make it stale."""
    curated = {name: store.manifest(work / "curate" / name) or {} for name in ledger.curated(work)}
    prints = {name: one["fingerprint"] for name, one in curated.items()}
    doubles, chosen = (store.manifest(work / one) for one in ("dedup", "assemble"))
    inputs = {"curate": prints, "dedup": doubles and doubles["fingerprint"]}
    if chosen and chosen["inputs"] == inputs:
        return curated, "assemble"
    return curated, described.stage(work, prints)[0]


def _read(work: Path, lists: Lists) -> tuple[list[store.Facts], pl.DataFrame, pl.DataFrame]:
    """The manifests, the records without their texts, and the keywords in them, part by part."""
    curated, last = _stage(work)
    records, hits = [], []
    for batch in described.batches(work, list(curated), last):
        whole = batch.with_columns(pl.col("source").cast(pl.String))
        records.append(whole.select(_COLUMNS))
        hits.append(safety.keyword_hits(whole, lists))
    if not sum(map(len, records)):
        raise UserError("there are no records to assess", where=str(work))
    known = sorted(curated.values(), key=lambda one: paper.place(one["type"], one["source"]))
    return known, pl.concat(records), pl.concat(hits)


def _with_texts(work: Path, drawn: pl.DataFrame) -> pl.DataFrame:
    curated, last = _stage(work)
    texts = described.texts_of(work, list(curated), last, drawn["id"])
    return drawn.join(texts, on="id", how="left", maintain_order="left")


def _verdicts(work: Path, about: str, paths: Sequence[Path]) -> tuple[dict[str, str], int]:
    """All verdicts, and how many could not be read; who says fail is not outvoted.

    Of reviews only the round of this draw counts: who reads for quality was not asked for safety.
    """
    judged = outcomes.judged(Book(work), about) if (work / PLACE).exists() else {}
    said = {id_: safety.PASSED if good else safety.FAILED for id_, good in judged.items()}
    odd = 0
    for path in paths:
        found, lines = sheet.verdicts(path)
        odd += len(lines)
        for id_, one in found.items():
            said[id_] = safety.FAILED if safety.FAILED in (said.get(id_), one) else one
    return said, odd


def _judged(
    work: Path, judge: tuple[str, str] | None, low: float, records: pl.DataFrame
) -> pl.DataFrame | None:
    """id, source, bad of the records with a readable score."""
    if judge is None:
        return None
    rows = scores.read(work, *judge).filter(state="read").drop_nulls("score")
    means = rows.group_by("id").agg(bad=pl.col("score").mean() < low)
    return records.select("id", "source").join(means, on="id", maintain_order="left")


def _criteria(
    records: pl.DataFrame,
    drawn: pl.DataFrame,
    said: Mapping[str, str],
    hits: pl.DataFrame,
    judged: pl.DataFrame | None,
    rules: Rules,
) -> list[Mapping[str, Any]]:
    """What was asked, what was found, and whether that is enough."""
    mine = [said[one] for one in drawn["id"] if one in said]
    passed = mine.count(safety.PASSED)
    free = hits.filter(~pl.any_horizontal(pl.all().exclude("id", "source") > 0)).height
    found = [
        _criterion(
            Both("人工抽检合格率", "pass rate by people"), passed, len(mine), len(drawn),
            rules.people, exact=True,
        ),
        _criterion(
            Both("关键词检查无命中（全部记录）", "free of keywords (all records)"), free, len(hits),
            len(hits), rules.machines,
        ),
    ]  # fmt: skip
    if judged is not None:
        least = min(len(records), max(1, int(rules.checked * len(records) + 0.999999)))
        good = judged.filter(~pl.col("bad")).height
        wanted = max(least, len(judged))
        name = Both("模型检查合格率", "pass rate by a model's scores")
        found.append(_criterion(name, good, len(judged), wanted, rules.machines, exact=True))
    return found


def _criterion(
    name: Both, passed: int, read: int, wanted: int, rate: float, *, exact: bool = False
) -> Mapping[str, Any]:
    low, high = safety.exact(passed, read) if exact else (None, None)
    return {
        "name": name,
        "wanted": f"≥ {pack.percent(rate)} (n ≥ {wanted:,})",
        "found": pack.percent(passed / read if read else None),
        "checked": read,
        "interval": f"{pack.percent(low)} – {pack.percent(high)}" if read and exact else "",
        "state": safety.state_of(passed, read, wanted, rate),
    }


def _keywords(hits: pl.DataFrame, lists: Lists) -> pl.DataFrame:
    """A row a category: words on the list, records with one, their share."""
    rows = [
        {
            "category": name,
            "entries": len(listed),
            "records": hits.filter(pl.col(name) > 0).height if name in hits.columns else 0,
            "checked": len(hits),
        }
        for name, (listed, _) in lists.items()
    ]
    return pl.DataFrame(rows).with_columns(share=pl.col("records") / pl.col("checked"))


def _lead(
    records: pl.DataFrame,
    drawn: pl.DataFrame,
    unreadable: int,
    lists: Lists,
    rules: Rules,
    seed: int,
    judge: tuple[str, str] | None,
) -> list[Both]:
    entries = sum(len(listed) for listed, _ in lists.values())
    mark = safety.corpus_mark(records["id"])
    lead = [
        Both(
            f"语料共 {len(records):,} 条（标识 {mark}），按种子 {seed} 随机抽取 {len(drawn):,} 条"
            "供人工检查。",
            f"{len(records):,} records (mark {mark}); {len(drawn):,} were drawn by lot for people "
            f"with seed {seed}.",
        ),
        Both(
            f"关键词 {entries:,} 条，{len(lists)} 类（建议不少于 {rules.words:,} 条）。",
            f"{entries:,} keywords in {len(lists)} categories (at least {rules.words:,} wanted).",
        ),
    ]
    if len(drawn) < rules.drawn:
        lead.append(
            Both(f"语料不足 {rules.drawn:,} 条，全部抽取。",
                 f"There are fewer than {rules.drawn:,} records: all were drawn.")
        )  # fmt: skip
    if judge is None:
        lead.append(Both("没有模型检查。", "No model's check was made."))
    else:
        lead.append(Both(f"模型检查：{'@'.join(judge)}。", f"Model's check: {'@'.join(judge)}."))
    if unreadable:
        lead.append(Both(f"{unreadable} 个判定读不出，按未阅计。",
                         f"{unreadable} verdicts can't be read: counted as unread."))  # fmt: skip
    return lead


def _markdown(lead: list[Both], frames: Mapping[str, pl.DataFrame]) -> str:
    lines = [f"# {pack.TITLE.zh} / {pack.TITLE.en}\n"]
    for one in [*lead, pack.NOTE]:
        lines.append(f"{escape(one.zh)}\n\n{escape(one.en)}\n")
    for name, frame in frames.items():
        lines.append(f"## {name}\n\n{render(frame, 'md')}")
    return "\n".join(lines)
