from collections.abc import Callable

import polars as pl

from cqia.sources.encyclopedia import TEMPLATES, read_articles, read_entries
from tests.sources.curated import Curated

Sample = Callable[[str], Curated]


def entries(*pages: str | None) -> pl.DataFrame:
    rows = [(f"{n}.html", 1, page) for n, page in enumerate(pages)]
    return read_entries(pl.DataFrame(rows, schema=["file", "row", "html"], orient="row"))


def test_only_the_entry_is_taken() -> None:
    made = entries(
        '<h1>灯塔</h1><nav>首页</nav><div class="main-content">'
        '<div class="lemma-summary"><div class="para">灯塔是塔。[1]</div></div>'
        '<div class="basic-info">高度</div>'
        '<h2 class="para-title"><span class="title-prefix">灯塔</span>历史'
        '<a class="edit-icon">编辑</a></h2><div class="para">古时<sup>[2]</sup>有火。[编辑]</div>'
        '<ul><li><div class="para">项</div></li></ul>'
        "<h2>参考资料</h2><p>某书</p><h2>影响</h2><p>大。</p></div><footer>版权</footer>"
    )
    assert made["output"].item() == (
        '<div class="lemma-summary"><div class="para">灯塔是塔。</div></div>\n'
        '<h2 class="para-title">历史</h2>\n<div class="para">古时有火。</div>\n'
        '<ul><li><div class="para">项</div></li></ul>\n<h2>影响</h2>\n<p>大。</p>'
    )


def test_an_index_in_code_is_no_citation() -> None:
    made = entries('<h1>x</h1><div class="article-content"><p>取 a[1] 的值[12]。</p></div>')
    assert made["output"].item() == "<p>取 a[1] 的值。</p>"


def test_a_question_is_asked_as_it_stands_and_a_name_by_a_template() -> None:
    body = '<div class="article-content"><p>文。</p></div>'
    made = entries(
        f"<h1>铁为什么会生锈？</h1>{body}", f"<h1>为什么下雨</h1>{body}", f"<h1>铁</h1>{body}"
    )
    asked, named, plain = made["instruction"]
    assert (asked, named) == ("铁为什么会生锈？", "为什么下雨")
    assert plain in {template.replace("{title}", "铁") for template in TEMPLATES}


def test_every_template_is_used() -> None:
    body = '<div class="article-content"><p>文。</p></div>'
    made = entries(*(f"<h1>词{n}条</h1>{body}" for n in range(300)))
    words = made["instruction"].str.replace(r"词\d+条", "{title}")
    assert set(words) == set(TEMPLATES)
    assert len(TEMPLATES) >= 8


def test_a_title_with_braces_and_dollars_is_copied_as_it_is() -> None:
    made = entries('<h1>{title}$1</h1><div class="article-content"><p>文。</p></div>')
    assert "{title}$1" in made["instruction"].item()


def test_the_window_title_stands_in_for_a_missing_heading() -> None:
    made = entries("<title>雪花_示例百科</title><article><p>文。</p></article>")
    assert "雪花" in made["instruction"].item()
    assert "示例" not in made["instruction"].item()


def test_what_is_no_entry_is_a_fault() -> None:
    made = entries(
        "", None, "<h1>404</h1><p>页面不存在</p>", '<div class="article-content">x</div>'
    )
    assert made["fault"].to_list() == [
        "the page has no title",
        "the page has no title",
        "the page has no entry: no element that entries stand in",
        "the page has no title",
    ]


def test_the_entries_are_cleaned(sample: Sample) -> None:
    kept = sample("encyclopedia").outcome.kept
    text = dict(kept.select("metadata", "output").iter_rows())
    shuiche = text["url:https://baike.example.org/item/shuiche"]
    assert "\n\n## 构造\n\n" in shuiche
    assert "\n- 筒车：靠水流自转" in shuiche
    assert "| 春 | 立春、雨水" in text["url:https://baike.example.org/item/jieqi"]
    assert text["url:https://why.example.org/tiexiu.html"].startswith("铁生锈要有两个帮手")
    assert text["url:https://why.example.org/shamo.html"].endswith("羽绒服都要带上。")
    assert "地球本身就是一块大磁铁" in text["url:https://why.example.org/zhinan.html"]
    assert not kept["output"].str.contains("参考资料|相关词条|分享到|editor@").any()


DOKUWIKI = (
    '<link rel="canonical" href="u"><div class="dokuwiki"><div class="page"><h1>运放</h1>'
    '<div class="level1"><p>总说。</p></div>{sections}</div></div>'
)


def test_a_dokuwiki_page_gives_a_record_a_section() -> None:
    parts = "".join(
        f'<h2>{name}</h2><div class="level2"><p>{"一二三四五" * 12}</p></div>'
        for name in ("虚短", "为什么会自激？", "参考资料")
    )
    made = entries(DOKUWIKI.format(sections=parts))
    assert made["key"].to_list() == ["u#虚短", "u#为什么会自激？"]
    assert "虚短" in made["instruction"][0]
    assert "运放" in made["instruction"][0]
    assert made["instruction"][1] == "为什么会自激？"


def test_a_dokuwiki_page_of_one_section_stays_whole() -> None:
    (row,) = entries(DOKUWIKI.format(sections="<h2>单位</h2><p>法拉。</p>")).rows(named=True)
    assert row["key"] == "u"
    assert row["output"] == "<p>总说。</p>\n<h2>单位</h2>\n<p>法拉。</p>"


def test_the_category_is_the_domain() -> None:
    page = '<div class="crumbs">首页 &gt; 种植 &gt; 蔬菜 &gt; 正文</div><h1>甲</h1><article>文</article>'
    assert entries(page)["domain"].to_list() == [["蔬菜"]]


def test_an_article_as_json_reads_like_a_page() -> None:
    frame = pl.DataFrame({"file": "f", "row": 1, "url": "u", "title": "甲", "content": "<p>文</p>"})
    (one,) = read_articles(frame).rows(named=True)
    page = '<link rel="canonical" href="u"><h1>甲</h1><article><p>文</p></article>'
    (two,) = entries(page).rows(named=True)
    assert {**one, "file": ""} == {**two, "file": ""}
