"""The short way for simple HTML gives what the parser gives."""

import re
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cqia.text import markup

WORDS = st.sampled_from(
    ["中文", "，ab", " ", "  ", "\n", "\n\n", "\t", "&lt;", "&amp;", "&nbsp;", "\xa0", "x^2", ">", "**",
     "1. ", "\u3000", "<br>", "<br/>", "<br />", '<img src="a" alt="b">', "<b>粗 </b>", "<b></b>",
     '<a href="x"> 链\n接</a>', "<strong>强</strong>", "<sup>[1]</sup>", "x<sup>2</sup>", "<i> </i>"]
)  # fmt: skip
INLINE = st.lists(WORDS, max_size=6).map("".join)
LEAF = st.builds("<{0}>{1}</{0}>".format, st.sampled_from(["p", "div", "h2", "h3"]), INLINE)
ITEM = st.lists(INLINE | LEAF, max_size=3).map("".join).map("<li>{}</li>".format)
LIST = st.builds(
    "<{0}>{1}</{0}>".format,
    st.sampled_from(["ul", "ol"]),
    st.lists(ITEM | st.sampled_from(["\n", " "]), max_size=4).map("".join),
)
PAGE = st.lists(LEAF | LIST | INLINE | st.just("<hr>"), max_size=5).map("".join)
TAGS = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<ul>",
        "</ul>",
        "<li>",
        "</li>",
        "<div>",
        "</div>",
        "<a>",
        "</a>",
    ]
)
SOUP = st.lists(TAGS | WORDS, max_size=8).map("".join)


def parsed(page: str, *, breaks: bool) -> str:
    with patch.object(markup, "_SIMPLE", re.compile("(?!)")):
        return markup.to_markdown(page, breaks=breaks)


@settings(max_examples=400)
@given(PAGE | SOUP, st.booleans())
def test_the_short_way_is_the_long_way(page: str, breaks: bool) -> None:
    assert markup.to_markdown(page, breaks=breaks) == parsed(page, breaks=breaks)


@pytest.mark.parametrize(
    ("page", "short"),
    [
        ("<p>甲<b>乙</b>&lt;丙</p>\n<ul><li>丁</li></ul>", True),
        ('<p class="a" data-b>甲<br/>乙</p>', True),
        ("<p>甲<p>乙", False),
        ("<b>甲<i>乙</i></b>", False),
        ("<p>甲 & 乙</p>", False),
        ("<P>甲</P>", False),
        ("<p>甲<script>x</script></p>", False),
        ("<p>甲\r\n乙</p>", False),
    ],
)
def test_what_goes_the_short_way(page: str, short: bool) -> None:
    simple = page.replace("<br/>", "<br>")
    assert bool(markup._SIMPLE.fullmatch(simple)) == short


@pytest.mark.parametrize(
    "bad", ["<p>" + "甲<b>" * 50_000, "<ul>" + "<li>甲</li>" * 50_000, "<p " + 'a="b" ' * 50_000]
)
def test_long_texts_that_miss_the_short_way_by_their_end(bad: str) -> None:
    """Backtracking would not come back from here."""
    assert not markup._SIMPLE.fullmatch(bad)
