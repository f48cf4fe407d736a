from __future__ import annotations

from collections.abc import Callable

import pytest

from cqia.cleaners.base import Cleaner
from cqia.cleaners.html_to_text import HtmlToText

Clean = Callable[[Cleaner, str], str]
Count = Callable[[Cleaner, str], dict[str, int]]

DETECT, HTML = HtmlToText(), HtmlToText(mode="html")

RENDERED = {
    "<p>甲</p><p>乙</p>": "甲\n\n乙",
    "甲<br>乙<br/><br>丙": "甲\n乙\n\n丙",
    "<h2><b>题</b></h2><p>文</p>": "## 题\n\n文",
    "<p>这<b> 很 </b>好<strong></strong></p>": "这 **很** 好",
    "<ul><li>甲<ol start='3'><li>一</li><li>二</li></ol></li><li><p>乙</p></li></ul>": "- 甲\n  3. 一\n  4. 二\n- 乙",
    '<pre><code class="hljs language-c++">vector&lt;int&gt; v;\n  v[0];\n</code></pre>': "```c++\nvector<int> v;\n  v[0];\n```",
    '<div class="highlight"><pre><code class="language-text"><span>a</span>\n```\nb</code></pre></div>': "````text\na\n```\nb\n````",
    "<p>用<code>a&lt;b</code>和<code>x`y</code></p>": "用`a<b`和``x`y``",
    "<blockquote><p>甲</p><p>乙</p></blockquote><p>丙</p>": "> 甲\n>\n> 乙\n\n丙",
    "<table><tr><th>名</th><th>值</th></tr><tr><td>a|b</td><td>1<br>2</td></tr></table>": "| 名 | 值 |\n| --- | --- |\n| a\\|b | 1 2 |",
    '<p>设<img class="x" eeimg="1" src="https://www.zhihu.com/equation?tex=x" alt="x^2">则</p>': "设$x^2$则",
    '<p><img eeimg="1" alt="\\frac{a}{b}\\\\"></p>': "$$\\frac{a}{b}$$",
    '<p>设<span class="ztext-math" data-tex="a&lt;b">乱</span></p>': "设$a<b$",
    '<p><script type="math/tex; mode=display">\\sum</script></p>': "$$\\sum$$",
    '<p><span class="katex"><span class="katex-mathml"><math><semantics><mi>x</mi><annotation encoding="application/x-tex">x_1</annotation></semantics></math></span><span class="katex-html">x1</span></span>是</p>': "$x_1$是",
    "<p>甲<script>alert(1)</script><style>p{}</style><noscript>乙</noscript><span style='display: none'>丙</span><i hidden>丁</i></p>": "甲",
    '<p>见<a href="https://a.b">链接</a><img src="a.png">。</p>': "见链接。",
    "<p>一行\n两行 three\nfour</p>": "一行两行 three four",
    "<p>10<sup>3</sup>与H<sub>2</sub>O<sup>[1]</sup></p>": "10^3与H2O[1]",
    "<p>A &amp; B &lt; C &#x4e2d;</p>": "A & B < C 中",
    "<p>甲<!-- <b>乙</b> -->丙": "甲丙",
}

UNTOUCHED = [
    "vector<int> a; List<String> b; map<string, int> c;",
    "if (a < b && c > d) { x = y<z>w; }",
    "#include <stdio.h>\n#include <vector>",
    "用<div>标签包住它，<span>也可以。",
    "泛型写成 <T>，T 是类型。",
    "```html\n<p>段落</p><br>\n```\n以上是代码 `<b>x</b>`。",
    "讲讲 HTML：<b>粗</b> 与 <br> 的用法",
    "小于号在 HTML 里写作 &lt;，空格写作 &nbsp;",
    "AT&T 和 R&D，a&b=1&copy=2",
    "心 <3，箭头 <- 和 ->",
]


@pytest.mark.parametrize(("page", "text"), RENDERED.items())
def test_markup_becomes_markdown(clean: Clean, page: str, text: str) -> None:
    assert clean(HTML, page) == text
    assert clean(DETECT, page) == text


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_is_no_markup_stays(clean: Clean, count: Count, text: str) -> None:
    assert clean(DETECT, text) == text
    assert count(DETECT, text) == {"html": 0}


def test_escaped_tags_stay_text_and_stay_so(clean: Clean) -> None:
    once = clean(DETECT, "<p>写作 &lt;b&gt;粗&lt;/b&gt;</p>")
    assert once == "写作 \\<b>粗\\</b>"
    assert clean(DETECT, once) == once
    assert clean(HTML, "<p>&lt;b&gt;粗&lt;/b&gt;</p>") == "<b>粗</b>"


def test_stray_entities_are_decoded_to_the_last_layer(clean: Clean, count: Count) -> None:
    assert (
        clean(DETECT, "他&nbsp;说 &amp;amp;lt; &ldquo;好&rdquo; &#8212;") == "他\u00a0说 < “好” —"
    )
    assert clean(DETECT, "代码 `&lt;` 外 &lt;") == "代码 `&lt;` 外 <"
    assert count(DETECT, "<p>甲</p>") == {"html": 1}


def test_line_ends_count_where_no_block_is(clean: Clean) -> None:
    text = "第一行\n第二行<br>第三行\n\n```cpp\nvector<int> v;\n  x &lt; y;\n```"
    wanted = "第一行\n第二行\n第三行\n\n```cpp\nvector<int> v;\n  x &lt; y;\n```"
    assert clean(DETECT, text) == wanted
