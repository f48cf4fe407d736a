from collections.abc import Callable
from pathlib import Path

import pytest

from cqia.errors import UserError
from cqia.settings import Table, load, with_environment


def table(place: Path, text: str) -> Table:
    (place / "t.toml").write_text(text, encoding="utf-8")
    return load(place / "t.toml")


def told(one: Table) -> list[str]:
    """The faults that closing a table raises, without the file's folder."""
    try:
        one.close()
    except UserError as fault:
        return [line.rpartition("/")[2] for line in str(fault).splitlines()]
    return []


def test_values_and_defaults(tmp_path: Path) -> None:
    one = table(tmp_path, 'a = 1\nb = "x"\nc = true\nd = 2.5\ne = 3\nf = ["x", "y"]\ng = "z"\n')
    assert (one.take("a", int, 0), one.take("b", str, ""), one.take("c", bool, False)) == (
        *(1, "x"),
        True,
    )
    assert (one.take("d", float, 0.0), one.take("e", float, 0.0)) == (2.5, 3.0)
    assert (one.strings("f"), one.strings("g"), one.strings("no", ("q",))) == (
        *(("x", "y"), ("z",)),
        ("q",),
    )
    assert (one.take("no", int, 7), one.number("no"), one.optional("no", int)) == (7, None, None)
    assert told(one) == []


def test_optional_tells_nothing_from_zero(tmp_path: Path) -> None:
    one = table(tmp_path, "a = 0\nb = -1\n")
    assert [one.optional(key, int) for key in "abc"] == [0, -1, None]
    assert told(one) == []


TAKES: dict[str, Callable[[Table], object]] = {
    "'k' must be a whole number, not 1.5": lambda one: one.take("k", int, 0),
    "'k' must be a whole number, not True": lambda one: one.optional("k", int),
    "'k' must be a number, not 'x'": lambda one: one.take("k", float, 0.0),
    "'k' must be a number, not True": lambda one: one.number("k"),
    "'k' must be a string, not 1": lambda one: one.take("k", str, ""),
    "'k' must be true or false, not 0": lambda one: one.take("k", bool, False),
    "'k' must be a table, not 'x'": lambda one: one.table("k"),
    "'k' must be a list, not {}": lambda one: one.tables("k"),
    "'k' must be tables: [[k]]": lambda one: one.tables("k"),
    "'k' must be a list of strings": lambda one: one.strings("k"),
}
VALUES = ["1.5", "true", '"x"', "true", "1", "0", '"x"', "{}", "[1]", "[1]"]


@pytest.mark.parametrize(("message", "value"), list(zip(TAKES, VALUES, strict=True)))
def test_a_wrong_type_is_named_with_its_line(message: str, value: str, tmp_path: Path) -> None:
    one = table(tmp_path, f"# k\n\nk = {value}\n")
    TAKES[message](one)
    assert told(one) == [f"t.toml:3: {message}"]


def test_all_faults_are_told_at_once_and_in_order(tmp_path: Path) -> None:
    one = table(tmp_path, 'seed = "x"\nsede = 1\n\n[inner]\nsize = "big"\ncolour = 1\n')
    one.take("seed", int, 0)
    inner = one.table("inner")
    inner.take("size", int, 0)
    inner.done()
    assert told(one) == [
        "t.toml:1: 'seed' must be a whole number, not 'x'",
        "t.toml:5: [inner] 'size' must be a whole number, not 'big'",
        "t.toml:6: [inner] unknown key 'colour'; known: size",
        "t.toml:2: unknown key 'sede'; did you mean seed?",
    ]


def test_a_fault_is_found_in_its_own_table(tmp_path: Path) -> None:
    blocks = ["[[one]]\nn = 1\n", '[[one]]\nn = "x"\n[one.more]\nm = "y"\n', '[other]\nn = "x"\n']
    one = table(tmp_path, "\n".join(['n = "x"', *blocks, "[[ one ]]", 'n = "x"']))
    for block in one.tables("one"):
        block.take("n", int, 0)
        block.table("more").take("m", int, 0)
    one.table("other").take("n", int, 0)
    one.take("n", int, 0)
    lines = [fault.split(":")[1] for fault in told(one)]
    assert lines == ["6", "8", "14", "11", "1"]


def test_a_key_in_quotes_or_with_dots_is_found(tmp_path: Path) -> None:
    one = table(tmp_path, 'x = 1\n"Length.output" = 2\na.low = 3\nt = { "b.c" = 4 }\n')
    assert [one.where(key).rpartition(":")[2] for key in ("Length.output", "a", "b.c")] == [
        *("2", "3"),
        "4",
    ]
    assert one.where("nowhere") == str(tmp_path / "t.toml")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"a = \n", r"t\.toml:1: no valid TOML"),
        (b"a = 1\na = 2\n", r"t\.toml:2: no valid TOML"),
        (b'a = "\xff"\n', r"t\.toml: not UTF-8; save it as UTF-8"),
    ],
)
def test_what_is_no_toml_is_refused(body: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_bytes(body)
    with pytest.raises(UserError, match=message):
        load(tmp_path / "t.toml")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for place in (tmp_path / "no.toml", tmp_path):
        with pytest.raises(UserError, match="no such file; check the path"):
            load(place)


def test_the_environment_fills_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CQIA_A", "甲")
    monkeypatch.delenv("CQIA_B", raising=False)
    assert with_environment("${CQIA_A}/${CQIA_A:-x}/${CQIA_B:-乙}/${CQIA_B:-}", "") == "甲/甲/乙/"
    assert with_environment("$CQIA_A $ {} ${}", "") == "$CQIA_A $ {} ${}"
    with pytest.raises(UserError, match=r"f:3: the environment variable CQIA_B is not set; export"):
        with_environment("${CQIA_B}", "f:3")
