import pytest
from hypothesis import given
from hypothesis import strategies as st

from cqia.text.wikitext import categories, to_markdown


@pytest.mark.parametrize(
    ("wikitext", "markdown"),
    [
        ("'''甲'''是''乙''", "**甲**是乙"),
        ("== 一 ==\n文\n=== 二 ===\n文", "## 一\n\n文\n\n### 二\n\n文"),
        ("= 顶 =\n文", "## 顶\n\n文"),
        ("[[甲]]和[[乙|丙]]与[[丁#节]]", "甲和丙与丁"),
        ("见[http://a.example 甲]和[https://b.example]。", "见甲和。"),
        ("{{导航|a={{内|b}}}}文", "文"),
        ("文<ref>注</ref>后<ref name=a />尾", "文后尾"),
        ("<!-- 注 -->文", "文"),
        ("[[File:a.png|thumb|说明[[链接]]]]文", "文"),
        ("文\n[[Category:甲]]\n[[分类:乙|键]]", "文"),
        ("文\n[[en:Text]]", "文"),
        ("* 一\n** 二\n# 甲\n# 乙\n文\n# 丙", "- 一\n  - 二\n1. 甲\n2. 乙\n文\n1. 丙"),
        (";词\n:释", "**词**\n释"),
        ("<math>\\frac{a}{b}</math>", "$\\frac{a}{b}$"),
        ("<nowiki>[[不是链接]]</nowiki>", "[[不是链接]]"),
        ("<pre>a == b\n* c</pre>", "```\na == b\n* c\n```"),
        ("一<br/>二", "一\n二"),
        ("__NOTOC__文", "文"),
        ("甲&nbsp;乙 &lt;丙&gt;", "甲 乙 <丙>"),
        ("-{zh-cn:软件;zh-tw:軟體}-", "软件"),
        (
            '{| class="t"\n|+ 表\n! 甲 !! 乙\n|-\n| 一 || style="x"|二\n|-\n|三\n|四\n|}\n尾',
            "表\n\n| 甲 | 乙 |\n| --- | --- |\n| 一 | 二 |\n| 三 | 四 |\n\n尾",
        ),
        ("普通的文字，没有标记。", "普通的文字，没有标记。"),
        ("", ""),
    ],
)
def test_markup_becomes_markdown(wikitext: str, markdown: str) -> None:
    assert to_markdown(wikitext) == markdown


def test_categories_are_named_once() -> None:
    text = "[[Category:甲]] [[分类:乙|键]] [[category: 甲 ]] [[链接]]"
    assert categories(text) == ["甲", "乙"]


@given(st.text(alphabet="甲{}[]|='*#\n<>!-/reftabl:", max_size=200))
def test_no_text_breaks_it_and_none_grows_much(text: str) -> None:
    assert len(to_markdown(text)) <= 12 * len(text) + 20


def test_unclosed_markup_takes_no_time() -> None:
    for piece in ("{{", "[[", "{|\n|", "<ref>", "'''", "[[File:", "<!--"):
        to_markdown(piece * 5_000)
