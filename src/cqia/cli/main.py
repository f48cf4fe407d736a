"""The `cqia` command: finds the verb's file, and turns a user's mistake into one line."""

from __future__ import annotations

import importlib
import sys

import click

from cqia.errors import UserError, killed, no_room, unknown

VERBS = {
    "run": "play an experiment's TOML from raw files to the dataset",
    "demo": "play the whole job on the samples that come with cqia",
    "sources": "list the sources, or show one source's whole recipe",
    "curate": "read a source's raw files, clean and filter them",
    "dedup": "find duplicates, and benchmark items in the data",
    "answer": "have a model draft answers where a record has none",
    "score": "ask a model, as a judge, about the records",
    "agreement": "do judges say the same of the same records?",
    "attack": "put orders into what a judge reads, and see whether it obeys",
    "distil": "learn a judge's scores, and score all records roughly",
    "select": "choose so many candidates by a method, and say why each",
    "assemble": "choose, mix, split and export the dataset",
    "describe": "the source table, lengths and the funnel",
    "safety": "draw records for people, check all, and write a safety assessment",
    "pretrain": "make a small base model from the dataset's texts",
    "configure": "write the dataset and a configuration for another trainer",
    "preflight": "what training would do with each record, before it is done",
    "train": "fine-tune a base model on the dataset",
    "evaluate": "ask a model a benchmark's questions, and grade its replies",
    "compare": "which row is better at what, with intervals and shared ranks",
    "report": "the statement, its tables and figures in one page",
    "web": "look, review and compare in the browser",
    "review": "take rounds of review out, bring results in",
    "drops": "how many records each rule dropped, with examples",
    "why": "everything that happened to one record",
    "whatif": "what another bound would keep and drop, without a rerun",
    "diff": "what two runs did differently",
    "audit": "look for defects in a finished dataset, and mend them",
    "collect": "collect a site's public pages into an archive, politely",
    "fetch": "download open data from its public home",
    "new-source": "write the skeleton of a source in code",
    "completion": "print the completion script for a shell",
}
"""Verb -> its line in the help, in the order of the work."""


class Verbs(click.Group):
    """Imports a verb's module only when it is called, so that `cqia --help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"cqia.cli.{cmd_name.replace('-', '_')}")
        found = module.command
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if (
            not ctx.resilient_parsing
            and args
            and not args[0].startswith("-")
            and args[0] not in VERBS
        ):
            raise unknown("command", args[0], VERBS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


HELP = """From raw Chinese sources to a statement of which source makes a model better, and at what.

从中文原始语料到一个站得住的结论：哪个来源让模型变好，好在哪一项。每条记录为什么留下、为什么丢弃，都有账可查。

\b
raw files -> curate -> dedup -> assemble -> train -> evaluate -> compare -> report
               |         |         |
               +---------+---------+--> ledger: why, drops, whatif, diff
"""


@click.group(
    cls=Verbs,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start here:  cqia demo   then   cqia why ID --work work/demo",
)
@click.version_option(package_name="cqia")
def cqia() -> None:
    """Hold the verbs."""


def main() -> None:
    """Run the command line; exit 2 with one line on a user's mistake."""
    try:
        cqia(standalone_mode=False, prog_name="cqia")
    except UserError as fault:
        for line in str(fault).splitlines():
            click.echo(f"cqia: {plain(line)}", err=True)
        sys.exit(2)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as fault:
        fault.show()
        sys.exit(fault.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("cqia: stopped; the same command goes on from here", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except Exception as fault:
        if (known := no_room(fault) or killed(fault)) is None:
            raise
        click.echo(f"cqia: {plain(str(known))}", err=True)
        sys.exit(2)


def plain(line: str) -> str:
    """A line without control characters: it may quote hostile input."""
    return "".join(char if char.isprintable() else "\ufffd" for char in line)


if __name__ == "__main__":
    main()
