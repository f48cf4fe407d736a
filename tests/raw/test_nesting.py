from __future__ import annotations

from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from cqia.raw.nesting import DEEP, MANY, too_deep
from cqia.raw.plan import plan, read
from cqia.text.main_text import main_text
from cqia.text.markup import to_markdown

N = 2 * MANY


@pytest.mark.parametrize(
    "unit",
    [
        "<div>",
        "<DIV class='a'>",
        "<x>",
        "<ul><li>",
        "<pre><code>",
        "<div/>",
        "<div></x>",
        "<div></p>",
        "<div><!-- </div> -->",
        "<div title='</div>'>",
        '<div title = "</div>">',
        "<div><script></div></script>",
        "<div><textarea></div></textarea>",
        "<div><!x</div>",
        "<div><table><td></div>",
        "<svg><div/>",
        '<p "><div "></p>',
        "<div a=''b='</div>'>",
        "<x </x>",
    ],
)
def test_what_nests(unit: str) -> None:
    assert too_deep(unit * N)
    assert not too_deep(unit * (MANY // unit.count("<") // 2)), "so few tags are never too many"


@pytest.mark.parametrize(
    "unit",
    [
        "<div></div>",
        "<p>段",
        "<ul><li>一<li>二</ul>",
        "<br><img src=a><hr/>",
        "<b><i>字</b></i>",
        "<table><tr><td>格<td>格</table>",
        "<svg><path d='M0 0'/><circle r=1 /></svg>",
        "1 < 2 ",
        "<!-- <div> -->",
        "<script>'<div>'</script>",
        "<a href='<div>'>x</a>",
        "<div><font>色</div>",
    ],
)
def test_a_long_page_that_is_flat(unit: str) -> None:
    assert not too_deep(unit * N)


def test_it_ends_where_a_page_breaks_off() -> None:
    for tail in ("<a href='", "<!-- ", "<script>", "<", "</", "<!x", "<a b=\"'"):
        assert not too_deep("<p></p>" * N + tail * 30_000)


@pytest.mark.parametrize("name", ["x.html", "x.htm.gz", "x.warc"])
def test_such_a_page_is_a_bad_row(tmp_path: Path, name: str) -> None:
    import gzip

    page = b"<div>" * N
    body = page
    if name.endswith("warc"):
        answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + page
        body = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.b/\r\n" + (
            b"Content-Type: application/http; msgtype=response\r\nContent-Length: %d\r\n\r\n"
            % len(answer)
        ) + answer + b"\r\n\r\n"  # fmt: skip
    elif name.endswith("gz"):
        body = gzip.compress(page)
    path = tmp_path / name
    path.write_bytes(body)
    (batch,) = read(plan([str(path)], ["html"])[0], None)
    assert batch.items.is_empty()
    assert batch.bad["reason"].to_list() == [DEEP]


def test_the_text_of_such_a_page_is_had_without_a_parser() -> None:
    assert to_markdown("<div>甲" * N) == "甲" * N
    assert main_text("<div>甲" * N) is None


def test_a_deep_head_over_a_long_flat_page_is_read() -> None:
    assert not too_deep("<div>" * 3_000 + "<p>段</p>" * N)
    assert too_deep("<div>" * 9_000 + "<p>段</p>" * N)


def test_a_parser_agrees_on_what_nests() -> None:
    for unit in ("<div></x>", "<svg><div/>", "<x </x>", "<div><!-- </div> -->"):
        tree = LexborHTMLParser(unit * 500)
        assert len(tree.css("div, x")) == len(tree.css("div div, x x")) + 1
