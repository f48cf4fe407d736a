from __future__ import annotations

import csv
import io
import json
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqia.errors import UserError
from cqia.tables import escape, plain, render


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_markdown_numbers_stand_to_the_right() -> None:
    frame = pl.DataFrame(
        {"名": ["甲", None], "n": [1234567, 2], "x": [0.5, 1234.0], "b": [True, None]}
    )
    assert render(frame, "md") == (
        "| 名 | n | x | b |\n"
        "| --- | ---: | ---: | --- |\n"
        "| 甲 | 1,234,567 | 0.5 | True |\n"
        "|  | 2 | 1,234 |  |\n"
    )


def test_markdown_cells_cannot_break_the_table() -> None:
    frame = pl.DataFrame({"a|b": ["x|y\nz", "`<b>` [l](u)"]})
    assert render(frame, "md").splitlines() == [
        r"| a\|b |",
        "| --- |",
        r"| x\|y z |",
        r"| \`\<b\>\` \[l\](u) |",
    ]


@pytest.mark.parametrize("start", [*"=+-@＝＋－＠", "\t", "  ="])
def test_csv_formulas_are_disarmed(start: str) -> None:
    text = f"{start}cmd|' /C calc'!A0"
    assert cells(render(pl.DataFrame({"a": [text]}), "csv"))[1] == [f"'{text}"]


def test_csv_numbers_stay_numbers() -> None:
    frame = pl.DataFrame({"n": [-5], "x": [-0.25], "s": ["-5"], "none": [None]})
    assert cells(render(frame, "csv")) == [["n", "x", "s", "none"], ["-5", "-0.25", "'-5", ""]]


def test_csv_lists_and_quotes() -> None:
    frame = pl.DataFrame({"l": [["甲", "乙"]], "q": ['say "a, b"\nnext']})
    assert cells(render(frame, "csv"))[1] == ["甲、乙", 'say "a, b"\nnext']


def test_json_is_a_list_of_objects() -> None:
    frame = pl.DataFrame(
        {"a": [1, None], "f": [float("nan"), 0.5], "d": [date(2024, 1, 2), None], "l": [["x"], []]}
    )
    assert json.loads(render(frame, "json")) == [
        {"a": 1, "f": None, "d": "2024-01-02", "l": ["x"]},
        {"a": None, "f": 0.5, "d": None, "l": []},
    ]


def test_a_frame_without_rows() -> None:
    frame = pl.DataFrame(schema={"a": pl.String})
    assert render(frame, "md") == "| a |\n| --- |\n"
    assert render(frame, "csv") == "a\n"
    assert json.loads(render(frame, "json")) == []


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UserError, match="unknown table format 'xls'"):
        render(pl.DataFrame(), "xls")


@given(st.text(st.characters(codec="utf-8")))
def test_no_control_character_reaches_a_terminal(text: str) -> None:
    for made in (plain(text), *(render(pl.DataFrame({"t": [text]}), f) for f in ("md", "csv"))):
        steering = [c for c in made if (ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160]
        assert not steering
        assert not set(made) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.text(st.characters(codec="utf-8")))
def test_markdown_has_one_line_a_row(text: str) -> None:
    made = render(pl.DataFrame({"t": [text], "u": ["x"]}), "md")
    assert len(made.splitlines()) == 3
    assert escape(text) == escape(text).strip()


def test_plain_keeps_what_is_text() -> None:
    text = "汉字\t👩‍👩‍👧\né 🇨🇳 x\u0301"
    assert plain(text) == text
