"""cqia preflight: what training would do with each record, before it is done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from cqia import store
from cqia.cli import show
from cqia.cli.train import dataset, dataset_options
from cqia.tables import plain

if TYPE_CHECKING:
    from cqia.training.glance import Sample

STYLES = {(True, False): "green", (True, True): "bold green reverse", (False, True): "magenta"}
"""(is it learnt, is it a mark of the template) -> its style."""


@click.command(
    epilog="Example:  cqia preflight --work work/demo --base work/demo/base/proxy-tiny"
    " --max-tokens 256 --html preflight.html"
)
@show.work_option
@dataset_options
@click.option("--max-tokens", type=click.IntRange(2), default=2_048, show_default=True,
              help="Longer records are dropped; none is ever cut.")  # fmt: skip
@click.option("--show", "each", type=click.IntRange(0), default=1, show_default=True,
              help="Records of each source to show with their loss mask.")  # fmt: skip
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False),
              help="Write all of it as one page too.")  # fmt: skip
@show.format_option
def command(
    work: Path,
    base_name: str,
    sources: tuple[str, ...],
    max_tokens: int,
    each: int,
    html: Path | None,
    format_: str,
) -> None:
    """Show what each source of the assembled dataset would train, by the base's own template.

    Per source: records kept and dropped by rule, lengths in tokens, prompts that repeat, and
    whether a server would make the same tokens of each prompt. Then whole records as the model
    reads them: what is learnt is green, or stands between ⟦ and ⟧ where there are no colours. A
    record that would train nothing is an error.
    """
    from cqia.training.bases import named, ready
    from cqia.training.chat import opened
    from cqia.training.glance import samples
    from cqia.training.preflight import look, refuse, summary
    from cqia.training.preflight_page import page

    records = dataset(work, sources)
    chat = opened(ready(named(base_name), work / "base"))
    with show.progress("preflight") as progress:
        looked = look(records, chat, max_tokens=max_tokens, progress=progress)
    table = summary(looked.rows)
    show.table(table.transpose(include_header=True, header_name="source", column_names="source")
               if format_ == "table" else table, format_)  # fmt: skip
    shown = samples(looked, chat, each=each) if each else []
    if html:
        body = page(looked.rows, shown or samples(looked, chat), chat, max_tokens=max_tokens)
        store.write_bytes(html, body.encode())
    if format_ == "table":
        for one in shown:
            _print(one)
        if html:
            show.line(f"page       {html}", "green")
    refuse(looked.rows, chat)


def _print(sample: Sample) -> None:
    console = show.console()
    head = f"{sample.source}  {sample.id}  {sample.tokens} tokens, {sample.learnt} learnt"
    console.print(Text(plain(head), style="bold"))
    out = Text()
    inside = False
    for piece in sample.pieces:
        if piece.learnt != inside and not console.is_terminal:
            out.append("⟦" if piece.learnt else "⟧")
        inside = piece.learnt
        out.append(plain(piece.text), style=STYLES.get((piece.learnt, piece.special), "dim"))
    if inside and not console.is_terminal:
        out.append("⟧")
    console.print(out, soft_wrap=True)
    console.print()
