"""The main text of a page of which nothing is known: the article, without what stands around it.

The page is cut into blocks (a paragraph, a heading, a list item, …) in the order they stand, each
block is given a weight, and the main text is the run of blocks whose weights add up to most:
Pasternack and Roth, *Extracting Article Text from the Web with Maximum Subsequence Segmentation*,
WWW 2009. They learn the weights; here they are written down, for Chinese pages: sentences count for
a page's text, links and loose words against it, and a block that begins as only the end of an
article does (责任编辑, 相关阅读, 上一篇) counts much against it. The weights are this project's
choice, made on saved news pages; docs/main-text.md tells what they reach there and elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser

from cqia.raw.nesting import too_deep
from cqia.text.between import without
from cqia.text.markdown import BLOCKS, unescaped

SENTENCE = re.compile("[。！？；!?…]|，.{0,40}，")
"""What tells sentences from labels."""

CLOSING = re.compile(
    r"\W{0,3}(?:首页|当前位置|您的位置|相关|推荐|精彩推荐|热门|热点|热图|热帖|排行|最新|为你推荐|猜你喜欢|[您你]可能|更多|评论|网友|跟帖"
    r"|我要评论|发表评论|写评论|责任编辑|责编|编辑[|:：]|校对[|:：]|来源[|:：]|声明|特别声明|郑重声明|免责|版权|转载|本文为"
    r"|分享|收藏|上一篇|下一篇|扫一扫|扫码|扫描|返回|标签|关键词|点击进入|关注我们|联系我们|关于我们"
    r"|友情链接|广告$|加载更多|展开|登录|注册|正文已结束|Copyright|©)"
)
"""How short blocks begin that stand around a text and not in it."""

LEGAL = re.compile(
    r"免责声明|不构成.{0,6}(?:投资|建议)|(?:举报|客服|急救)电话|版权所有|(?:网备|ICP备|ICP证|许可证)|[Rr]ights\s?[Rr]eserved"
    r"|未经.{0,12}(?:授权|许可|允许).{0,6}(?:不得|禁止|严禁)|保留追究.{0,10}责任|操作风险自担"
)
"""What only the notes at the foot of a page say."""

LONGEST = 300
"""A block's characters count up to so many: one long disclaimer is not an article."""
SHORT = 60
"""Characters of a block up to which `CLOSING` is looked for."""
LOOSE = 12
"""What a block that holds no sentence counts against the text."""
CLOSED = 120
"""What a closing block counts against the text."""
LINKED = 0.5
"""Share of a block's characters in links from which it is navigation."""

LEAD = 20
"""What a block before the run must weigh to be taken too: an entry's summary stands above the box
of facts and the list of contents, which part it from the rest."""
TEASER = 0.1
"""The same for a block that begins with a link."""

_TEXTUAL = ("p", "br", "h2", "h3", "h4", "td")
_GONE = [
    "script", "style", "noscript", "template", "iframe", "svg", "select", "textarea", "button",
    "nav", "footer", "aside", "object", "audio", "video", "canvas", "head",
]  # fmt: skip
_HIDDEN = '[hidden], [style*="display:none" i], [style*="display: none" i]'
_SPACE = re.compile(r"\s+")


@dataclass(slots=True)
class Block:
    """A block: where it stands in the serialised page, its text, and its characters in links.

    led: whether it begins with a link, as the teaser of another page does.
    """

    start: int
    end: int
    text: str
    linked: int
    tag: str
    led: bool

    @property
    def closing(self) -> bool:
        """Whether it is of what stands around a text."""
        short = len(self.text) <= SHORT
        return bool((short and CLOSING.match(self.text)) or LEGAL.search(self.text))

    @property
    def heading(self) -> bool:
        """Whether it heads what follows it in the text."""
        plain = self.linked <= LINKED * len(self.text)
        return self.tag in ("h2", "h3", "h4") and plain and not self.closing

    @property
    def weight(self) -> float:
        """What the block says for its being main text, and against."""
        size = len(self.text)
        if self.closing:
            return -CLOSED
        if self.linked > (TEASER if self.led else LINKED) * size:
            return -LOOSE - self.linked / 2
        if SENTENCE.search(self.text) and self.tag != "h1":
            return min(size, LONGEST) - self.linked
        return -LOOSE / 2 if self.tag in _TEXTUAL else -LOOSE


def main_text(page: str) -> str | None:
    """The HTML of a page's main text; None: the page has none, or nests too deep to be one."""
    if too_deep(page):
        return None
    tree = LexborHTMLParser(page)
    tree.strip_tags(_GONE)
    if "hidden" in page or "display" in page:
        for node in tree.css(_HIDDEN):
            node.decompose()
    root = tree.body
    body = without((root.html if root is not None else None) or "", "<!--", "-->")
    blocks = _blocks(body)
    first, last = _best([block.weight for block in blocks])
    if first and blocks[first - 1].heading:
        first -= 1
    kept = [body[one.start : one.end] for one in blocks[:first] if one.weight >= LEAD]
    at = blocks[first].start if blocks else 0
    for one in blocks[first:last]:
        kept.append(body[at : one.start])
        at = one.end
        if one.weight >= -LOOSE:
            kept.append(body[one.start : one.end])
    return "".join(kept) or None


def _best(weights: list[float]) -> tuple[int, int]:
    """The run with the greatest sum, as a range; of equals the first (Kadane's algorithm)."""
    best = total = 0.0
    first = last = start = 0
    for place, weight in enumerate(weights):
        total += weight
        if total <= 0:
            total, start = 0.0, place + 1
        elif total > best:
            best, first, last = total, start, place + 1
    return first, last


def _blocks(body: str) -> list[Block]:
    """The blocks of a serialised page: balanced tags, `<` escaped in texts and values."""
    found: list[Block] = []
    text: list[str] = []
    start = at = linked = links = 0
    led = False
    kind = opened = ""
    for piece in body.split("<"):
        here, at = at - 1, at + len(piece) + 1
        name, _, said = piece.partition(">")
        name = name.partition(" ")[0]
        closes = name[:1] == "/"
        bare = name[1:] if closes else name
        if bare in BLOCKS or bare == "br":
            end = here + len(name) + 2 if closes or bare == "br" else max(here, 0)
            if whole := _SPACE.sub("", "".join(text)):
                kind = bare if closes or bare == "br" else opened
                found.append(Block(start, end, unescaped(whole), linked, kind, led))
            if whole or closes:
                start, linked, led = end, 0, False
            text = []
            opened = "" if closes else bare
        elif bare == "a":
            links = max(links + (-1 if closes else 1), 0)
        if said and not said.isspace():
            led = led or (links > 0 and not text)
            text.append(said)
            if links:
                linked += len(_SPACE.sub("", said))
    if whole := _SPACE.sub("", "".join(text)):
        found.append(Block(start, len(body), unescaped(whole), linked, opened, led))
    return found
