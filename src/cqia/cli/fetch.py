"""cqia fetch: public data from its home."""

from __future__ import annotations

from pathlib import Path

import click

from cqia.cli import show
from cqia.errors import UserError, unknown


@click.command(epilog="Example:  cqia fetch open-data --to data")
@click.argument("what")
@show.data_option("--to")
@click.option(
    "--accept-changed", is_flag=True, help="Take a file even when it changed at its home."
)
def command(what: str, to: Path, accept_changed: bool) -> None:
    """Bring the public files of WHAT into the data folder.

    WHAT is open-data, or a benchmark: safetybench, belle-eval, ceval, cmmlu, agieval-zh.

    Each file is checked by its sha256; what is there already is not fetched again. Where the table
    has no sha256, that of the first download is kept beside the file, and holds from then on.
    """
    from cqia.fetching import fetch
    from cqia.open_data import BENCHMARKS, OPEN_DATA

    known = {"open-data": OPEN_DATA, **BENCHMARKS}
    if what not in known:
        raise unknown("collection", what, known)
    with show.progress("fetch") as progress:
        outcomes = fetch(known[what], to, accept_changed=accept_changed, progress=progress)
    for one in outcomes:
        if one.fate == "accepted":
            show.line(
                f"{one.name}: taken although it changed; its sha256 is {one.sha256}", "yellow"
            )
        if one.fate == "recorded":
            show.line(
                f"{one.name}: its sha256 was not known; recorded at this first download:"
                f" {one.sha256}",
                "yellow",
            )
    there = sum(one.fate == "there" for one in outcomes)
    new = sum(one.fate in ("fetched", "recorded", "accepted") for one in outcomes)
    show.line(f"data       {to}: {new} fetched, {there} there already", "green")
    if lost := [f"{one.name}: {one.detail}" for one in outcomes if one.detail]:
        raise UserError("\n".join(lost))
    then = "run experiments/open-data.toml" if what == "open-data" else f"evaluate {what}"
    show.line(f"next       CQIA_DATA={to} cqia {then}")
