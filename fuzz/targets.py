"""Every target by name: the one list that the harness, the tests and the documentation read."""

from __future__ import annotations

from cqia.errors import unknown
from fuzz import files, forms, raws, replies, steps
from fuzz.target import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for group in (raws, forms, steps, replies, files)
    for target in group.TARGETS
}


def chosen(names: tuple[str, ...]) -> list[Target]:
    """The targets of these names; a name that ends in `*` stands for all that begin so; none: all.

    Raises:
        UserError: there is no such target.
    """
    found: dict[str, Target] = {}
    for name in names or ("*",):
        fit = [
            one
            for one in TARGETS
            if one == name or (name[-1:] == "*" and one.startswith(name[:-1]))
        ]
        if not fit:
            raise unknown("target", name, TARGETS)
        found |= {one: TARGETS[one] for one in fit}
    return list(found.values())
