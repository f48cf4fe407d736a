"""Platform stickers: pictures that a site writes as a name in brackets."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from cqia.cleaners.base import Cleaner
from cqia.text.guarded import amend, tally

_NAMES = """
    doge 滑稽 捂脸 大笑 偷笑 微笑 笑哭 飙泪笑 呲牙 憨笑 坏笑 奸笑 阴险 可爱
    害羞 调皮 吐舌 得意 酷 耶 赞 赞同 强 弱 鼓掌 握手 抱拳 拳头 胜利 加油 爱心
    心碎 玫瑰 凋谢 比心 拥抱 抱抱 亲亲 飞吻 吻 色 大哭 流泪 哭 泪 委屈 难过 伤心
    失望 快哭了 可怜 感动 酸了 吃瓜 思考 疑问 疑惑 惊讶 惊喜 震惊 吓 惊恐 汗 冷汗
    流汗 擦汗 尴尬 无语 晕 抓狂 发怒 怒 生气 鄙视 白眼 翻白眼 撇嘴 傲慢 哼 左哼哼
    右哼哼 闭嘴 嘘 衰 骷髅 再见 拜拜 困 睡 哈欠 发呆 奋斗 咒骂 敲打 抠鼻 挖鼻
    糗大了 摊手 打脸 吐 吐血 机智 皱眉 费解 嘿哈 旺柴 裂开 苦涩 叹气 社会社会
    吃瓜群众 doge脸 黑线 求关注 酷拽 妙啊 歪嘴 星星眼 狗头 狗头保命 二哈 喵喵
    猪头 熊猫 兔子 太阳 月亮 蛋糕 礼物 咖啡 啤酒 便便
"""
NAMES = frozenset(_NAMES.split())
"""The sticker names of Zhihu, Tieba, Weibo, QQ and WeChat that this project knows."""

_OPEN = r"\[(?:doge脸?|\p{Han}{1,5}R?)\]"
_SUFFIXED = re.compile(r"[\u4e00-\u9fff]{1,5}R")
_LONGEST = 6


def _is_sticker(name: str) -> bool:
    return name in NAMES or _SUFFIXED.fullmatch(name) is not None


def _removed(text: str) -> tuple[str, int]:
    """The text without stickers, and how many there were.

    A stack, not a regex, so that a sticker whose halves meet when another one between them goes is
    found in the same pass.
    """
    out: list[str] = []
    count = 0
    pieces = [piece for piece in re.split(r"([\[\]])", text) if piece]
    for at, piece in enumerate(pieces):
        if piece == "]" and not (at + 1 < len(pieces) and pieces[at + 1].startswith("(")):
            name, start = "", len(out)
            while start and out[start - 1] not in "[]" and len(name) <= _LONGEST:
                start -= 1
                name = out[start] + name
            if start and out[start - 1] == "[" and _is_sticker(name):
                del out[start - 1 :]
                count += 1
                continue
        out.append(piece)
    return "".join(out), count


@dataclass(frozen=True, slots=True, kw_only=True)
class Stickers(Cleaner):
    """Removes stickers such as `[捂脸]` and Xiaohongshu's `[偷笑R]`.

    Only known names, or a name of up to five characters with the suffix R. Brackets that hold
    anything else stay: `[1]`, `[注]`, `a[i]`, and so do Markdown links.
    """

    def clean(self, text: pl.Expr) -> pl.Expr:
        return amend(text, _OPEN, lambda one: _removed(one)[0])

    def counts(self, text: pl.Expr) -> pl.Expr:
        return tally(text, _OPEN, ("stickers",), lambda one: (_removed(one)[1],))
