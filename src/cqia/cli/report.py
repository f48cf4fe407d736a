"""cqia report: the statement in one page."""

from __future__ import annotations

from pathlib import Path

import click

from cqia import store
from cqia.cli import show


@click.command(epilog="Example:  cqia report --work work/demo")
@show.work_option
def command(work: Path) -> None:
    """Write the statement, its tables and figures as one HTML page, Markdown, LaTeX and CSV.

    The page needs no network and no other file: send it, print it, read it on a phone. It is in
    Chinese and in English. What was not run is named in it, with the command that runs it.
    """
    from cqia.stages.describe import describe
    from cqia.stages.report import report

    with store.lock(work), show.progress("report"):
        if any((work / "curate").glob("*/manifest.json")):
            describe(work=work)
        facts = report(work=work)
    for name in facts["files"]:
        if "/" not in name:
            show.line(f"written    {facts['folder']}/{name}", "green")
    tables = len([name for name in facts["files"] if "/" in name])
    show.line(f"written    {facts['folder']}/tables/ ({tables} csv)", "green")
    for line in facts["missing"]:
        show.line(f"missing    {line}", "yellow")
