"""Write the skeleton of a new source into a checkout: a source that works, to be made into another.

A source without code needs none of this: a `[[source]]` block in a TOML does
(`cqia.sources.generic`).
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from string import Template

from cqia.errors import UserError

FORMS = ("json", "csv", "html")
"""Kinds of raw form that there is a skeleton for."""

CATALOGUE = Path("src/cqia/sources/catalogue.py")
HERE = Path(__file__).parent


def write(name: str, form: str, root: Path) -> list[Path]:
    """Write a new source's files and its lines in the catalogue.

    Args:
        name: the source's name, also the module's.
        form: one of FORMS.
        root: the checkout.

    Returns:
        The files written or changed, relative to the checkout.

    Raises:
        UserError: a name that is no module's or taken, or no checkout.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise UserError(
            f"{name!r} is no name for a source's file",
            mend="make it of small letters, digits and _, a letter first",
        )
    catalogue = root / CATALOGUE
    if not catalogue.is_file():
        raise UserError(
            "this is no checkout of cqia",
            where=str(root),
            mend="name one with --root; a source without code needs none: see docs/recipes.md",
        )
    texts = {
        Path(f"src/cqia/sources/{name}.py"): _text(f"{form}.py", name),
        Path(f"samples/{name}/items.{form}"): _text(f"items.{form}", name),
        Path(f"tests/sources/test_{name}.py"): _text("test.py", name),
        CATALOGUE: _entered(catalogue.read_text(encoding="utf-8"), name, str(catalogue)),
    }
    for path in texts:
        if path != CATALOGUE and (root / path).exists():
            raise UserError("this file is there already", where=str(root / path))
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return list(texts)


def _text(template: str, name: str) -> str:
    text = (HERE / f"{template}.txt").read_text(encoding="utf-8")
    if template.startswith("items."):
        return text
    return Template(text).substitute(name=name, constant=name.upper())


def _entered(catalogue: str, name: str, where: str) -> str:
    """The catalogue with the source's import, in the order of the alphabet, and its entry, last."""
    line = f"from cqia.sources.{name} import {name.upper()}\n"
    imports = re.findall(r"^from cqia\.sources\.\w+ import \w+\n", catalogue, re.MULTILINE)
    after = [one for one in imports if one < line]
    end = catalogue.rfind("\n)")
    if line in imports or not after or end < 0:
        raise UserError(f"{name!r} can't be entered here", where=where, mend="enter it by hand")
    entered = f"{catalogue[: end + 1]}    {name.upper()},{catalogue[end:]}"
    return entered.replace(after[-1], after[-1] + line, 1)
