"""Lines that belong to the page and not to the text."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.text.guarded import amend, tally

_END = r"[^。！？!?]{0,40}[。！!~～…]*"
"""The rest of one short sentence: a line that goes on to say more is not boilerplate."""

_LINES = (
    # rights
    r"(?:未经.{0,10}(?:授权|许可|允许|同意)[，,]?)?(?:请勿|不得|严禁|禁止|谢绝)"
    r"(?:任何)?(?:形式的?)?(?:商业)?转载" + _END,
    r"(?:如需|欢迎|商业|若要?|如)?转载(?:本文|文章|时)?[，,]?(?:请|需|须|务必)?"
    r"(?:注明|联系|保留|标明)" + _END,
    r"著作权归.{0,20}所有.{0,60}",
    r"版权(?:声明|说明)[:：].*|版权所有.{0,40}|免责声明[:：].*",
    # who made it
    r"(?:责任编辑|(?:执行|值班|本文|图文|美术)?编辑|责编|校对|审核|排版|监制|编审|小编)[:：].{1,20}",
    r"(?:最后|最近)?(?:编辑|发布|更新|首发)于[ :：]?\d{2,4}[-年/.]\d{1,2}[-月/.]\d{1,2}.{0,20}",
    r"(?:本文|文章|原文)(?:首发|转载|转自|摘自|选自|整理自|来自|来源)(?:于|自|在|至)?"
    r"[:： 「《“@\w]" + _END,
    r"(?:原文|本文)(?:链接|地址|出处|网址)[:：].*|来源[:：] ?知乎|链接[:：] ?https?://\S+",
    # follow me
    r".{0,12}(?:长按|扫码|扫一扫|扫描|识别|微信扫).{0,12}"
    r"(?:关注|添加|加我|加群|入群|进群|加微信|加好友|领取|下载|报名)" + _END,
    r"(?:.{0,12}[，,！!])?(?:欢迎|请|记得|点击|快来|赶紧|可以|来|也可以)?.{0,4}(?:关注|搜索?)"
    r"(?:一下)?(?:我们?的?|本|作者的?|下方|同名|微信)*"
    r"(?:公众号|订阅号|视频号|抖音号?|微博|专栏|知乎)(?:[:：“「《【『 @(（].*"
    r"|[，,].{0,20}(?:回复|获取|领取|更多|不迷路|第一时间|精彩).*|[。！!~～]*)",
    r"(?:.{0,16}(?:如果|觉得|喜欢|有用|有帮助).{0,16}?)?(?:就|还)?"
    r"(?:请|求|欢迎|记得|别忘了?|麻烦|帮忙|动动.{0,4}?|可以)?(?:给我|给个|帮我|大家)?"
    r"(?:点个?赞|一键三连|三连|双击)"
    r"(?:[、+/和与 ]?(?:收藏|关注|转发|评论|支持|分享|投币|在看|喜欢|加))*"
    r"(?:一下|支持|哦|吧|呀|啦|喔|呗|鼓励|我|本文|再走|[~～。！!？ ]){0,8}",
    # the page's furniture
    r"[上下]一[篇页](?:[:：].*)?",
    r"分享[到至][:：]?(?:[ 、,]?(?:微信|朋友圈|微博|新浪微博|QQ|QQ空间|QQ好友|豆瓣|人人网?"
    r"|腾讯微博|复制链接|更多))*",
    r"(?:点击)?(?:左下角|下方)?[“「]?(?:阅读|查看)原文[”」]?(?:[，,].{0,20})?[。>»！!]*",
    r"(?:打印|关闭|返回顶部|收藏|举报|打印本页|关闭窗口|我要评论|相关(?:阅读|推荐|文章))[:：]?",
    r"(?:点击|点此|立即|马上|免费|在线|我要)+(?:问诊|咨询|预约|挂号|提问)"
    r"(?:在线|专业|相关|该科|更多)*(?:医生|专家|客服|大夫)?[。！!>»]*",
    r"(?:谢谢?|感谢)(?:邀请?|题主邀请?)[。.，,！!…~～]*",
)
_LINE = re.compile("|".join(f"(?:{one})" for one in _LINES))
_TAIL = re.compile(
    r"(?:文章|本文|图片|图文|内容|素材|信息|资料|稿件|部分)*(?:来源|出处)[:：].{1,40}"
)
_AUTHOR = re.compile(r"作者[:：].{1,40}")
_LINK = re.compile(r"链接[:：] ?https?://\S+")
_INVITED = re.compile(r"(?:谢谢?邀(?:请)?(?:[。.，,！!…~～]+|\s)\s*)+(?=\S)")
_TRIM = " \t\u3000*_#>-—=~·|()（）[]【】《》↓↑←→👇👆"
_GUARD = (
    "转载|著作权|版权|免责声明|编辑|责编|校对|审核|排版|监制|编审|小编|[布新发]于|本文|文章|原文|来源|出处"
    "|链接|扫|识别|长按|公众号|订阅号|视频号|抖音|微博|专栏|知乎|[点赞]赞|点个赞|三连|双击|一[篇页]|分享[到至]"
    "|打印|关闭|返回顶部|收藏|举报|我要评论|相关|[谢感]谢|谢邀|咨询|预约|挂号|问诊|提问"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boilerplate(Cleaner):
    """Drops whole lines that the page put there: copyright, editors, follow-me, share bars.

    A line goes only when it is such a line from its first character to its last; a sentence that
    talks about these things stays. `来源：…` goes only where nothing but boilerplate follows,
    `作者：…` only above a dropped link, and `谢邀` before a text goes without the text.
    """

    max_chars: int = 80
    """A longer line is a paragraph and stays."""

    def clean(self, text: pl.Expr) -> pl.Expr:
        return amend(text, _GUARD, lambda one: self._stripped(one)[0])

    def counts(self, text: pl.Expr) -> pl.Expr:
        return tally(text, _GUARD, ("lines",), lambda one: (self._stripped(one)[1],))

    def _stripped(self, text: str) -> tuple[str, int]:
        """The text without such lines, and how many there were; read from the end upwards."""
        kept: list[str] = []
        tail, linked, count = True, False, 0
        for raw in reversed(text.split("\n")):
            line, bare = _opened(raw)
            count += line != raw
            if not bare:
                kept.append(line)
            elif len(bare) <= self.max_chars and (
                _LINE.fullmatch(bare)
                or (tail and _TAIL.fullmatch(bare))
                or (linked and _AUTHOR.fullmatch(bare))
            ):
                linked = linked or _LINK.fullmatch(bare) is not None
                count += 1
            else:
                kept.append(line)
                tail = linked = False
        if not count:
            return text, 0
        return "\n".join(reversed(kept)).strip("\n"), count


def _opened(raw: str) -> tuple[str, str]:
    """The line without thanks for the invitation, and without its decoration."""
    found = _INVITED.match(raw)
    line = raw[found.end() :] if found else raw
    return line, line.strip(_TRIM)
