"""Keep the documentation true: run what it shows, and write down what came of it.

    python docs/build.py

Three kinds of places are made anew; `tests/test_docs.py` fails where one of them is out of date:

- a ```console block: every `$ cqia …` in it is run (`| head -N` and `| tail -N` cut its output);
- a ```python block with a ```text block after it: the code is run, the text is what it prints;
- `<!-- made: NAME -->` … `<!-- end -->`: what the function of that name returns.

and `docs/sources/NAME.md`, a page a source, is made whole from its module.

Commands run in an empty folder beside the project's `samples` and `experiments`, in which
`work/demo` holds the played demo.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import glob
import inspect
import io
import json
import re
import shlex
import tempfile
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

from click.testing import CliRunner

from cqia import paper
from cqia.auditing.audit import kinds
from cqia.cleaners.catalogue import CLEANERS
from cqia.cli.main import cqia
from cqia.errors import UserError
from cqia.filters.catalogue import FILTERS
from cqia.sources.base import Source
from cqia.sources.catalogue import CATALOGUE, SOURCES, page

ROOT = Path(__file__).resolve().parents[1]

FILES = (
    "README.md",
    "README.zh-CN.md",
    "ARCHITECTURE.md",
    "docs/cli.md",
    "docs/sources.md",
    "docs/recipes.md",
    "docs/audit.md",
    "docs/tree.md",
)
"""The files with such places, in the order they are made."""

_CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PYTHON = re.compile(r"(^```python\n(.*?)^```\n\n```text\n).*?(^```$)", re.MULTILINE | re.DOTALL)
_MADE = re.compile(r"(^<!-- made: (\w+) -->\n).*?(^<!-- end -->$)", re.MULTILINE | re.DOTALL)


@contextlib.contextmanager
def stand() -> Iterator[Path]:
    """An empty folder to run commands in, as a reader's checkout would be, with the demo played."""
    with (
        tempfile.TemporaryDirectory() as place,
        contextlib.chdir(place),
        patch("cqia.shipped.shipped", Path),
    ):
        for name in ("samples", "experiments"):
            Path(name).symlink_to(ROOT / name)
        run("cqia demo --workers 1 --data-only")
        yield Path(place)


def run(command: str) -> str:
    """What a command prints, its errors too.

    Raises:
        RuntimeError: the command ends with a bug.
    """
    typed, _, cut = command.partition(" | ")
    arguments: list[str] = []
    for one in shlex.split(typed)[1:]:
        arguments += sorted(glob.glob(one)) if "*" in one else [one]
    runner = CliRunner(env={"FORCE_COLOR": None, "CQIA_DATA": None})
    result = runner.invoke(cqia, arguments, prog_name="cqia", terminal_width=80)
    said = result.output
    if isinstance(result.exception, UserError):
        said += "".join(f"cqia: {line}\n" for line in str(result.exception).splitlines())
    elif result.exception and not isinstance(result.exception, SystemExit):
        raise RuntimeError(f"{command}: {result.exception!r}") from result.exception
    lines = [line.rstrip() for line in said.splitlines()]
    end, _, count = cut.partition(" -")
    if count:
        lines = lines[: int(count)] if end == "head" else lines[-int(count) :]
    return "".join(f"{line}\n" for line in lines)


def made(text: str) -> str:
    """A document with every made place made anew."""
    text = _CONSOLE.sub(_console, text)
    text = _PYTHON.sub(_python, text)
    return _MADE.sub(lambda found: f"{found[1]}{MAKERS[found[2]]().strip()}\n{found[3]}", text)


def _console(found: re.Match[str]) -> str:
    commands = [line[2:] for line in found[1].splitlines() if line.startswith("$ ")]
    body = "".join(f"$ {command}\n{run(command)}" for command in commands)
    return f"```console\n{body}```"


def _python(found: re.Match[str]) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(found[2], "the documentation", "exec"), {})
    return f"{found[1]}{said.getvalue()}{found[3]}"


def _row(*cells: object) -> str:
    return f"| {' | '.join('' if cell is None else str(cell) for cell in cells)} |\n"


def source_table() -> str:
    """One row a source."""
    out = _row("name", "title", "type", "family", "reads", "templates", "in the paper", "licence")
    out += _row(*["---"] * 5, "---:", "---:", "---")
    for one in SOURCES.values():
        count = paper.quantity(one.name)
        out += _row(
            f"[{one.name}](sources/{one.name}.md)",
            one.title,
            one.type,
            one.family,
            ", ".join(form.kind for form in one.forms),
            len(one.templates),
            "" if count is None else f"{count:,}",
            one.licence,
        )
    return out


def paper_table() -> str:
    """The paper's rows, and what stands for each here."""
    out = _row("type", "source in the paper", "records", "here")
    out += _row("---", "---", "---:", "---")
    for row in (*paper.TABLE_1, paper.RUOZHIBA):
        here = f"[{row.source}](sources/{row.source}.md)" if row.source in SOURCES else ""
        out += _row(paper.TYPES[row.type], f"{row.title} ({row.origin})", f"{row.quantity:,}", here)
    return out


def source_pages() -> dict[str, str]:
    """A page a source, by its path: where it comes from, its raw shape, recipe and templates."""
    return {f"docs/sources/{one.name}.md": _page(one) for one in CATALOGUE}


def _page(source: Source) -> str:
    count = paper.quantity(source.name)
    labels = ", ".join(f"`{name}` = {_said(value)}" for name, value in source.labels.items())
    answers = "all" if source.answers is None else source.answers
    fates = json.loads((ROOT / f"tests/sources/golden/{source.name}.json").read_text("utf-8"))
    tally = Counter("unreadable" if fate.startswith("bad:") else fate for fate in fates.values())
    steps = "".join(f"{number}. `{step!r}`\n" for number, step in enumerate(source.steps, 1))
    facts = {
        "paper's type": f"{source.type} ({paper.TYPES[source.type]})",
        "config in the release": source.family,
        "origin": source.origin,
        "licence": source.licence,
        "raw files": ", ".join(form.kind for form in source.forms),
        "answers a question keeps": answers,
        "labels": labels,
        "records in the paper": "none" if count is None else f"{count:,}",
    }
    out = f"# {source.name} {source.title}\n\n{MADE}\n\n" + _row("", "") + _row("---", "---")
    out += "".join(_row(name, value) for name, value in facts.items())
    out += f"\n{page(source)}\n\n## Recipe\n\n{steps}"
    if source.templates:
        out += "\n## Templates\n\n" + "".join(f"- `{_one(t)}`\n" for t in source.templates)
    out += f"\n## What becomes of its samples\n\nThe items of `samples/{source.name}`:\n\n"
    out += _row("fate", "records") + _row("---", "---:")
    return out + "".join(_row(f"`{fate}`", n) for fate, n in tally.most_common())


MADE = "<!-- This page is made from the code by docs/build.py. -->"


def _said(value: object) -> str:
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)


def _one(text: str) -> str:
    return text.replace("\n", "⏎")


def whole_tree() -> str:
    """Every file below src/cqia with the first sentence of its docstring."""
    package = ROOT / "src" / "cqia"
    paths = sorted(package.rglob("*.py"), key=lambda path: (path.parent.parts, path.name))
    out, folder = "", None
    for path in paths:
        if path.name == "__init__.py":
            continue
        if path.parent != folder:
            folder = path.parent
            place = folder.relative_to(package).as_posix()
            out += f"\n### {'src/cqia' if place == '.' else place}\n\n"
            out += _row("file", "what it is") + _row("---", "---")
        out += _row(f"`{path.name}`", _first(path))
    return out


def _first(path: Path) -> str:
    """The first sentence of a module's docstring, as one cell."""
    told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    line = told.split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
    return line.split(". ")[0].rstrip(".")


def floors() -> str:
    """import-linter's layers, top first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    rows = [layer.replace("cqia.", "") for layer in layers]
    return "```text\n" + "".join(f"{row}\n" for row in rows) + "```"


def step_table() -> str:
    """Every cleaner and filter with its parameters."""
    out = ""
    for title, shelf in (("Cleaners", CLEANERS), ("Filters", FILTERS)):
        out += f"### {title}\n\n" + _row("step", "parameters", "what it does") + _row(*["---"] * 3)
        for name, kind in sorted(shelf.items()):
            out += _row(f"`{name}`", _parameters(kind), (inspect.getdoc(kind) or "").split("\n")[0])
        out += "\n"
    return out


def _parameters(kind: type) -> str:
    parts = []
    for one in dataclasses.fields(kind):
        default = "" if one.default is dataclasses.MISSING else f" = {_toml(one.default)}"
        parts.append(f"`{one.name}{default}`")
    return ", ".join(parts)


def _toml(value: object) -> str:
    """A default as it would be written in TOML; absent bounds can't be written."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{one}"' for one in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def finding_table() -> str:
    """Every kind of finding of an audit."""
    out = _row("kind", "severity", "what it is", "mended by --fix") + _row(*["---"] * 4)
    for name, (severity, about, fixable) in kinds().items():
        out += _row(f"`{name}`", severity, about, "yes" if fixable else "")
    return out


MAKERS: dict[str, Callable[[], str]] = {
    "floors": floors,
    "tree": whole_tree,
    "source_table": source_table,
    "paper_table": paper_table,
    "step_table": step_table,
    "finding_table": finding_table,
}
"""Name of a made place -> what makes it."""


def main() -> None:
    """Write every document anew."""
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in FILES}
    with stand():
        fresh = {name: made(text) for name, text in texts.items()}
    (ROOT / "docs" / "sources").mkdir(exist_ok=True)
    for name, text in (fresh | source_pages()).items():
        if not (ROOT / name).exists() or text != (ROOT / name).read_text(encoding="utf-8"):
            (ROOT / name).write_text(text, encoding="utf-8")
            print(f"written  {name}")


if __name__ == "__main__":
    main()
