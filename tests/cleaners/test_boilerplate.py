from __future__ import annotations

from collections.abc import Callable

import pytest

from cqia.cleaners.base import Cleaner
from cqia.cleaners.boilerplate import Boilerplate

Clean = Callable[[Cleaner, str], str]
Count = Callable[[Cleaner, str], dict[str, int]]

DROPPED = [
    "转载请注明出处。", "未经授权，禁止转载", "责任编辑：张三", "（责编：李四、王五）", "文章来源：某某日报", "关注公众号：某某读书，回复资料领取",
    "欢迎关注我的微信公众号", "扫描下方二维码关注我们", "长按识别二维码，添加好友", "觉得有用就点个赞吧~", "求点赞收藏", "一键三连支持一下",
    "谢邀。", "本文首发于某某网站", "版权声明：本文归作者所有", "编辑于 2020-01-01", "上一篇：怎样读书", "下一篇", "分享到：微信 微博 QQ空间",
    "点击阅读原文", "免责声明：以上内容仅供参考。", "著作权归作者所有。商业转载请联系作者获得授权，非商业转载请注明出处。", "来源：知乎",
]  # fmt: skip

KEPT = [
    "运营一个公众号要先想清楚读者是谁。", "关注公众号数量的增长没有意义。", "点赞是一种社交行为。", "扫描二维码时要当心，不要扫来路不明的码。",
    "转载这件事，法律上有明确规定。", "编辑的工作是改稿。", "来源：汉语词典\n释义如下", "作者：李白\n床前看月光", "谢邀是知乎的口头禅。",
    "上一篇文章讲了排序。", "分享到此结束，我们来看例子。", "版权是作者的权利。", "我收藏了三本旧书。", "本文来自不同角度的思考说明：先有问题，再有方法。这一点很要紧。",
    "怎样让更多的人关注公众号？",
]  # fmt: skip


@pytest.mark.parametrize("line", DROPPED)
def test_such_a_line_goes(clean: Clean, count: Count, line: str) -> None:
    assert clean(Boilerplate(), "正文第一段。\n\n" + line) == "正文第一段。"
    assert count(Boilerplate(), "正文第一段。\n\n" + line) == {"lines": 1}


@pytest.mark.parametrize("text", KEPT)
def test_a_text_about_it_stays(clean: Clean, text: str) -> None:
    assert clean(Boilerplate(), text + "\n完。") == text + "\n完。"


def test_the_head_of_a_copied_answer(clean: Clean) -> None:
    head = "作者：某人\n链接：https://www.zhihu.com/question/1/answer/2\n来源：知乎\n"
    assert clean(Boilerplate(), head + "\n谢邀，先说结论。") == "先说结论。"


def test_a_long_line_is_a_paragraph(clean: Clean) -> None:
    line = "免责声明：" + "说" * 90
    assert clean(Boilerplate(), line) == line
    assert clean(Boilerplate(max_chars=200), line) == ""
