import polars as pl
from selectolax.lexbor import LexborHTMLParser

from cqia.sources.web import (
    Layout,
    address,
    as_html,
    body,
    each_page,
    first_text,
    heading,
    sections,
)

LAYOUT = Layout(containers=("main.text", "article"), junk=".ad, script", closing=("参考",))


def test_a_page_without_items_is_a_row_of_nulls() -> None:
    raw = pl.DataFrame({"file": ["a", "b"], "row": [1, 1], "html": ["<p>x</p><p>y</p>", None]})
    made = each_page(
        raw, lambda page: [{"p": node.text()} for node in page.css("p")], {"p": pl.String}
    )
    assert made.rows() == [("a", 1, "x"), ("a", 1, "y"), ("b", 1, None)]


def test_the_archives_url_stands_in_for_a_missing_one() -> None:
    raw = pl.DataFrame({"file": ["a"] * 2, "row": [1, 2], "url": ["u1", "u2"], "html": ["", "x"]})
    found: list[dict[str, str | None]] = [{"url": None}, {"url": "own"}]
    made = each_page(raw, lambda page: [found[bool(page.text())]], {"url": pl.String})
    assert made["url"].to_list() == ["u1", "own"]


def test_the_address_is_the_canonical_one() -> None:
    both = '<link rel="canonical" href=" https://a.example/1 "><meta property="og:url" content="b">'
    assert address(LexborHTMLParser(both)) == "https://a.example/1"
    assert address(LexborHTMLParser('<meta property="og:url" content="b">')) == "b"
    assert address(LexborHTMLParser("<link rel=canonical>")) is None


def test_the_heading_or_the_window_title() -> None:
    assert heading(LexborHTMLParser("<title>t</title><h1> a\n b </h1>")) == "a b"
    assert heading(LexborHTMLParser("<title>雪花_示例百科</title>")) == "雪花"
    assert heading(LexborHTMLParser("<p>x</p>")) is None


def test_first_text_tries_selectors_in_order() -> None:
    page = LexborHTMLParser("<i>i</i><b>  b\n c</b>")
    assert first_text(page, "u", "b", "i") == "b c"
    assert first_text(page, "u") is None


def test_the_body_is_the_outermost_blocks_without_junk_and_closing_sections() -> None:
    page = LexborHTMLParser(
        "<article>no</article><main class=text><p>一<span class=ad>广告</span></p>"
        "<ul><li><p>二</p></li></ul><h2>参考资料</h2><p>三</p><h2>后来</h2><p>四</p></main>"
    )
    made = body(page, LAYOUT)
    assert made == "<p>一</p>\n<ul><li><p>二</p></li></ul>\n<h2>后来</h2>\n<p>四</p>"


def test_a_container_without_blocks_is_taken_whole_and_none_is_none() -> None:
    assert body(LexborHTMLParser("<article>字</article>"), LAYOUT) == "字"
    assert body(LexborHTMLParser("<div>字</div>"), LAYOUT) is None


def test_sections_are_cut_at_headings_of_the_second_level() -> None:
    page = LexborHTMLParser(
        "<article><p>总</p><h2>病 因</h2><p>一</p><h3>甲</h3><p>二</p><h2>空</h2>"
        "<h2>参考资料</h2><p>三</p></article>"
    )
    assert sections(page, LAYOUT) == (
        "<p>总</p>",
        [
            {"title": "病 因", "content": "<p>一</p>\n<h3>甲</h3>\n<p>二</p>"},
            {"title": "空", "content": ""},
        ],
    )
    assert sections(LexborHTMLParser("<div>字</div>"), LAYOUT) is None


def test_plain_text_becomes_html_and_html_stays() -> None:
    frame = pl.DataFrame({"text": ["a < b\nc & d", "<p>甲</p>\n<p>乙</p>", "x<br>y", None]})
    assert frame.select(as_html(pl.col("text")))["text"].to_list() == [
        "a &lt; b<br>c & d",
        "<p>甲</p>\n<p>乙</p>",
        "x<br>y",
        None,
    ]
