"""Where the files that ship with the package stand: samples and experiments."""

from __future__ import annotations

from pathlib import Path

from cqia.errors import UserError


def shipped(name: str) -> Path:
    """The folder `samples` or `experiments`: inside the installed package, or beside `src`.

    Raises:
        UserError: it is in neither place.
    """
    package = Path(__file__).parent
    for place in (package / name, package.parents[1] / name):
        if place.is_dir():
            return place
    raise UserError(f"the folder {name!r} is not here", mend="install cqia again")
