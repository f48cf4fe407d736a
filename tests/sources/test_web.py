import polars as pl
from selectolax.lexbor import LexborHTMLParser

from cqia.sources.web import Layout, address, body, each_page, first_text, heading

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
