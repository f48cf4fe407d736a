"""cqia web: the desk in a browser."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from cqia.cli import show
from cqia.errors import missing_extra

PACKAGES = ("fastapi", "jinja2", "uvicorn", "evalica", "scipy", "statsmodels")


@click.command(epilog="Example:  cqia web --work work/demo")
@show.work_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8_765, show_default=True)
@click.option(
    "--name",
    "names",
    multiple=True,
    help="A name that browsers reach the server by, beside localhost; may be given more than once.",
)
@click.option("--tls", is_flag=True, help="Browsers reach it through a proxy with TLS only.")
@click.option("--owner", default="owner", show_default=True, help="The owner's name.")
def command(
    work: Path, host: str, port: int, names: tuple[str, ...], tls: bool, owner: str
) -> None:
    """Open a working folder in the browser: look, review, compare, rule by hand.

    Prints the owner's link; it is new at every start, sessions go on. Others come in by the links
    that the owner makes on the page People. Only this machine can reach the server, unless --host
    says otherwise; then put a proxy with TLS in front and say --tls and --name.
    """
    for package in PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise missing_extra(package, "web")
    import uvicorn

    from cqia import ledger
    from cqia.reviewing.people import invite
    from cqia.web.app import create

    ledger.curated(work)
    app = create(work, hosts=(*names, host), secure=tls)
    token = invite(app.state.desk.book, owner, "owner")
    show.line(f"open       http://{host}:{port}/enter?token={token}", "green")
    show.line("next       invite reviewers on the page People; Ctrl+C stops the server")
    uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False,
                proxy_headers=False)  # fmt: skip
