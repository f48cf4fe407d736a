from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqia.cleaners.boilerplate import Boilerplate
from cqia.raw.encoding import decode_page
from cqia.text.main_text import main_text
from cqia.text.markup import to_markdown
from tests.main_text import key, mark, score

STORY = [f"第{number}段说的是灯塔怎样给夜里的船指路，船员们都很熟悉它。" for number in range(4)]
MENU = "<ul>" + "".join(f'<li><a href="{n}">频道{n}</a></li>' for n in range(20)) + "</ul>"
NEWS = (
    "<ul>"
    + "".join(f'<li><a href="{n}">某地举行活动，众人称好！</a></li>' for n in range(9))
    + "</ul>"
)


def found(body: str) -> str:
    html = main_text(f"<html><head><title>x</title></head><body>{body}</body></html>")
    return to_markdown(html or "")


def paragraphs(*lines: str) -> str:
    return "".join(f"<p>{line}</p>" for line in lines)


def test_an_article_among_menus_and_teasers() -> None:
    body = MENU + "<h1>灯塔</h1>" + paragraphs(*STORY) + "<p>责任编辑：某某</p>" + NEWS + MENU
    assert found(body) == "\n\n".join(STORY)


def test_what_stands_between_sentences_stays() -> None:
    inner = (
        f"<p>{STORY[0]}</p><h2>历史</h2><ol><li>{STORY[1]}</li><li>短</li></ol><p>{STORY[2]}</p>"
    )
    said = found(f"{MENU}<div>{inner}</div>{NEWS}")
    assert said == f"{STORY[0]}\n\n## 历史\n\n1. {STORY[1]}\n2. 短\n\n{STORY[2]}"


def test_adverts_within_the_article_go() -> None:
    advert = '<div><a href="x">点我领取优惠大礼包，先到先得！</a></div><p>【免责声明】仅供参考，不构成投资建议。</p>'
    body = paragraphs(*STORY, *STORY) + advert + paragraphs(*STORY, *STORY)
    assert found(body).split() == 4 * STORY


@pytest.mark.parametrize(
    "wrap",
    [
        "<form id=aspnet>{}</form>",
        "<table><tr><td>{}</td></tr></table>",
        "<center><font size=2>{}</font></center>",
        "<article><section>{}</section></article>",
    ],
)
def test_old_and_new_page_frames(wrap: str) -> None:
    assert found(MENU + wrap.format(paragraphs(*STORY)) + NEWS).split() == STORY


def test_lines_that_are_parted_by_breaks() -> None:
    said = found(
        MENU + "<div>" + "<br><br>".join([*STORY, "编辑|某某", "关注我们"]) + "</div>" + NEWS
    )
    assert said.split() == STORY


def test_hidden_text_scripts_and_comments_are_no_text() -> None:
    evil = f"<div hidden>{STORY[0]}</div><script>'{STORY[0]}'</script><!-- <p>{STORY[0]}</p> -->"
    assert found(evil) == ""
    assert found(evil + paragraphs(STORY[1])) == STORY[1]


@pytest.mark.parametrize("page", ["", "<", "<p", "no tags at all", MENU, "<body>", "\x00" * 9])
def test_a_page_without_sentences_has_no_main_text(page: str) -> None:
    assert main_text(page) is None


def test_the_time_grows_with_the_page_and_not_faster() -> None:
    deep = "<div>" * 3_000 + STORY[0] + "<p>短</p>" * 20_000
    assert STORY[0] in (main_text(deep) or "")


@given(st.lists(st.sampled_from([*STORY, "<p>", "</p>", "<a href=x>", "</a>", "<br>", "<", "&lt;", "短", "<li>", "<!--", "-->", "<td>"]), max_size=40).map("".join))  # fmt: skip
def test_any_soup_is_read_and_nothing_is_made_up(page: str) -> None:
    html = main_text(page)
    if html is not None:
        text = to_markdown(html)
        assert set(text) <= set(to_markdown(page)) | set("\n -.#>*1234567890")


PAGES = sorted(key())


def whole(data: Path, page: str) -> str:
    html = decode_page((data / "html_pages" / f"{page}.html").read_bytes())
    text = to_markdown(main_text(html) or "")
    return str(pl.select(Boilerplate().clean(pl.lit(text))).item())


@pytest.mark.parametrize("page", PAGES)
def test_saved_pages_against_their_key(page: str, data: Path) -> None:
    got = score(whole(data, page), key()[page])
    assert got.precision == 1.0
    assert got.found >= got.wanted - 1


def test_the_scorer_sees_what_is_missing_and_what_is_too_much() -> None:
    page = {"main": [mark("甲乙丙丁"), mark("戊己庚辛")], "neutral": [mark("题目")]}
    assert score("甲 乙丙丁\n题目\n广告广告", page) == (2, 1, 2, 1)
    assert score("# 题目\n- 甲乙丙丁戊己庚辛", page) == (2, 2, 1, 1)
    assert score("", page).precision == 0.0
