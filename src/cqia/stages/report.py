"""Report: a whole statement in one page, and its tables as Markdown, LaTeX and CSV.

Reads what other stages left and changes none of it. What was not run is told in one line with the
command that runs it; with the data side only, there is a report of the data.
"""

from __future__ import annotations

from pathlib import Path

from cqia import ledger, store
from cqia.reporting.build import build
from cqia.reporting.files import frame, markdown, tex, trace
from cqia.reporting.material import gather
from cqia.reporting.page import page
from cqia.tables import render


def report(*, work: Path, folder: Path | None = None) -> store.Facts:
    """Write `report.html`, `report.md`, `report.tex` and `tables/*.csv`.

    Args:
        work: the working folder.
        folder: where the files go; None: `work/report`. Nothing else in it is touched.

    Returns:
        The files, and what was missing.

    Raises:
        UserError: there is neither a statement nor curated data.
    """
    if not (work / "statement").is_dir() and not (work / "compare").is_dir():
        ledger.curated(work)
    material = gather(work)
    made = build(material)
    folder = folder or work / "report"
    files = {
        "report.html": page(made.title, made.sections, made.figures),
        "report.md": markdown(material, made.title, made.grids, made.tables),
        "report.tex": tex(made.grids, made.tables),
        "tables/trace.csv": render(trace(made.grids), "csv"),
        **{f"tables/{one.key}.csv": render(frame(one), "csv") for one in made.grids},
        **{f"tables/{key}.csv": render(table, "csv") for key, (_, table) in made.tables.items()},
    }
    for name, body in files.items():
        store.write_bytes(folder / name, body.encode())
    return {
        "stage": "report",
        "folder": str(folder),
        "files": sorted(files),
        "missing": [one.en for one in material.missing],
    }
