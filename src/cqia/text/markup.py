"""HTML to Markdown, and telling HTML from a text that merely holds angle brackets.

The lexbor parser (an HTML5 parser, so broken pages are read as a browser reads them) repairs the
page and writes it out again balanced and escaped; one pass over the tags of that output then writes
the Markdown. This is faster than asking for one node after the other, and nothing recurses.
"""

from __future__ import annotations

import html
import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from cqia.raw.nesting import too_deep
from cqia.text.between import without
from cqia.text.fences import outside, spans
from cqia.text.markdown import Writer

_VOID = ("br", "hr", "img")
_NAMES = (
    "p|div|span|a|b|i|u|s|em|strong|del|sub|sup|code|pre|br|hr|img|h[1-6]|ul|ol|li|dl|dt|dd|table"
    "|thead|tbody|tr|td|th|blockquote|figure|figcaption|section|article|header|footer|main|nav"
    "|html|head|body|font|center|small|big|script|style|noscript|iframe|video|input|button|form"
)
TAG = re.compile(rf"(?<!\\)<(/?)({_NAMES})(\s[^<>]*)?/?>", re.IGNORECASE)
_QUOTED = re.compile(r"[\w-]\s*=\s*[\"']")
_TALK = ("标签", "元素", "实体", "转义", "HTML", "html", "Html")
_BLOCK = re.compile(
    r"</?(?:p|div|ul|ol|li|h[1-6]|table|tr|td|blockquote|section|article|pre|body)[\s>/]", re.I
)

GUARD = r"<[A-Za-z/!]|&[A-Za-z#]"
"""A text that this Rust regex does not hit holds no markup."""

ENTITY = re.compile(
    r"&(?:(?:amp|#38|#x26);)*(?:(?:lt|gt|quot|apos|nbsp|ensp|emsp|ldquo|rdquo|lsquo|rsquo|hellip"
    r"|mdash|ndash|middot|bull|times|divide|plusmn|deg|copy|reg|trade|laquo|raquo|yen|larr|rarr"
    r"|#0*(?:34|39|60|62|1[6-9]\d|[2-9]\d\d|\d{4,6})|#x0*(?:2[27]|3[ceCE]|[a-fA-F]\d|[1-9a-fA-F]"
    r"[0-9a-fA-F]{2,4}));|(?<=;))"
)

_DROPPED = [
    "script", "style", "noscript", "template", "iframe", "svg", "math", "select", "textarea",
    "button", "xmp", "noembed", "noframes", "plaintext", "object", "audio", "video", "canvas",
]  # fmt: skip
_HIDDEN = (
    '[hidden], [style*="display:none" i], [style*="display: none" i], .MathJax, .MathJax_Preview,'
    " .katex-html"
)


def _simple() -> re.Pattern[str]:
    """HTML that a parser would leave as it is: blocks of text with inline tags, no tag in its like.

    Possessive throughout, so that the time is linear.
    """
    text = r"(?:[^<&\r\0]++|&(?:amp|lt|gt|quot|nbsp);)"
    given = r"(?: [a-z][a-z-]*+(?:=\"[^\"<>&\r\0]*+\")?)*+"
    inner = f"(?:{text}|<br>|<img{given}>)*+"
    names = ("b", "strong", "em", "i", "u", "s", "del", "span", "a", "sup", "sub")
    line = "|".join(f"<{name}{given}>{inner}</{name}>" for name in names)
    lines = f"(?:{text}|<br>|<img{given}>|{line})*+"
    leaves = "|".join(f"<{name}{given}>{lines}</{name}>" for name in ("p", "div", "h2", "h3", "h4"))
    some = f"(?:{text}|<br>|<img{given}>|{line}|{leaves})*+"
    item = f"<li{given}>{some}</li>"
    lists = "|".join(f"<{name}{given}>(?:{item}|[ \n]++)*+</{name}>" for name in ("ul", "ol"))
    return re.compile(f"(?:{leaves}|{lists}|<hr>|{text}|<br>|<img{given}>|{line})*+")


_SIMPLE = _simple()
_SPECIAL = ("hidden", "display", "math", "Math", "katex", "tex", "eeimg", "start=")
"""What may ask for more than writing down: such a text is parsed."""


def is_html(text: str) -> bool:
    """Whether a text is HTML, and not prose or code with angle brackets.

    It is when a tag of a known name that stands outside Markdown code is void (`<br>`), or carries
    a quoted attribute, or is followed by its closing tag. A text that talks about tags (标签, 元素,
    HTML) must besides begin with one.
    """
    if "<" not in text:
        return False
    prose = "\n".join(piece for code, piece in spans(text) if not code)
    if talks(prose) and not prose.lstrip().startswith("<"):
        return False
    opened: set[str] = set()
    for tag in TAG.finditer(prose):
        name = tag[2].lower()
        if tag[1]:
            if name in opened:
                return True
        elif name in _VOID or (tag[3] and _QUOTED.search(tag[3])):
            return True
        else:
            opened.add(name)
    return False


def settled(text: str) -> str:
    r"""Render a text if it is HTML, decode stray entities if not; a settled text stays as it is.

    Entities outside code are decoded to the last layer (`&amp;lt;` is `<`): in a text that is no
    HTML any more they are a defect. Where decoding uncovers tags (`&lt;b&gt;x&lt;/b&gt;`) someone
    wrote about tags, and they stay as text, with the backslash that Markdown has for it (`\<b>`).
    """
    if is_html(text):
        page = text if TAG.match(text.lstrip()) else _code_as_html(text)
        text = to_markdown(page, breaks=not _BLOCK.search(text))
    if "&" in text and not talks(text):
        text = outside(text, decoded)
    if is_html(text):
        text = outside(text, lambda piece: TAG.sub(r"\\\g<0>", piece))
    return text


def talks(text: str) -> bool:
    """Whether a text talks about markup, so that tags and entities in it are meant."""
    return any(word in text for word in _TALK)


def decoded(text: str) -> str:
    """The text with its entities decoded to the last layer."""
    return ENTITY.sub(lambda one: _innermost(one[0]), text)


def _innermost(entity: str) -> str:
    body = entity.rstrip(";").rpartition(";")[2].lstrip("&")
    return "&" if body in {"amp", "#38", "#x26"} else html.unescape(f"&{body};")


def _code_as_html(text: str) -> str:
    """Markdown code in a text with a few tags, as HTML code, so that parsing leaves it alone."""
    pieces = []
    for code, piece in spans(text):
        if not code:
            pieces.append(piece)
        elif piece.lstrip().startswith("```"):
            head, _, body = piece.partition("\n")
            language = html.escape(head.strip().strip("`").strip())
            body = _unfenced(body)
            pieces.append(
                f'<pre><code class="language-{language}">\n{html.escape(body)}</code></pre>'
            )
        else:
            ticks = len(piece) - len(piece.lstrip("`"))
            pieces.append(f"<code>{html.escape(piece[ticks:-ticks].strip())}</code>")
    return "".join(pieces)


def _unfenced(body: str) -> str:
    """A block of code without the fence that ends it."""
    told = body.removesuffix("\n").rstrip(" \t")
    bare = told.rstrip("`")
    return bare.rstrip(" \t").removesuffix("\n") if len(told) - len(bare) >= 3 else body


def to_markdown(page: str, *, breaks: bool = False) -> str:
    """Render HTML as Markdown.

    Args:
        page: a page or a fragment.
        breaks: line ends in the text are line breaks, as in a text with a few tags; else they are
            white space, as HTML has it.
    """
    simple = page.replace("<br/>", "<br>").replace("<br />", "<br>") if "<br" in page else page
    if _SIMPLE.fullmatch(simple) and not any(word in page for word in _SPECIAL):
        return Writer(breaks=breaks).write(simple.lstrip(" \t\n\f"))
    if too_deep(page):
        return html.unescape(re.sub(r"<[^<>]*>", "", page)).strip()
    tree = LexborHTMLParser(page)
    _write_formulas(tree, page)
    tree.strip_tags(_DROPPED)
    if "hidden" in page or "display" in page or "MathJax" in page or "katex" in page:
        for node in tree.css(_HIDDEN):
            node.decompose()
    body = tree.body
    clean = (body.html if body is not None else None) or ""
    if "<!--" in clean:
        clean = without(clean, "<!--", "-->")
    return Writer(breaks=breaks).write(clean)


def _write_formulas(tree: LexborHTMLParser, page: str) -> None:
    """Put `$tex$` where a formula's picture, script or MathML stands."""
    if "eeimg" in page or "ztext-math" in page or "equation?tex=" in page:
        for node in tree.css('.ztext-math, img[eeimg], img[src*="equation?tex="]'):
            values = node.attributes
            _formula(node, values.get("data-tex") or values.get("alt") or "")
    if "math/tex" in page:
        for node in tree.css('script[type^="math/tex"]'):
            _formula(node, node.text(), display="mode=display" in str(node.attributes.get("type")))
    if "application/x-tex" in page:
        for node in tree.css('annotation[encoding="application/x-tex"]'):
            whole = node
            for up in _above(node):
                if up.tag == "math" or "katex" in str(up.attributes.get("class") or ""):
                    whole = up
            shown = "katex-display" in str(whole.attributes.get("class") or "")
            shown = shown or whole.attributes.get("display") == "block"
            _formula(whole, node.text(), display=shown)


def _above(node: LexborNode) -> list[LexborNode]:
    """The nearest ancestors: as many as a formula's own markup has at most."""
    found: list[LexborNode] = []
    up = node.parent
    while up is not None and len(found) < 8:
        found.append(up)
        up = up.parent
    return found


def _formula(node: LexborNode, tex: str, *, display: bool = False) -> None:
    tex = tex.strip()
    display = display or tex.endswith("\\\\")
    tex = tex.removesuffix("\\\\").strip()
    sign = "$$" if display else "$"
    node.replace_with(f"{sign}{tex}{sign}" if tex else "")
