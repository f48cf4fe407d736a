"""The page: one file that needs nothing else and does nothing that a hostile text wants of it.

Scripts run only when their hash stands in the page's content security policy; nothing may be loaded
or sent. Figures lie in the page as data.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from cqia.reporting.both import Both
from cqia.reporting.html import section, spans, text

Section = tuple[str, Both, str]
"""Its id, its heading, its HTML; one without HTML is left out."""

_HERE = Path(__file__).parent


def plotly() -> str:
    """The code that draws the figures; empty when plotly is not installed."""
    found = find_spec("plotly")
    if found is None or found.origin is None:
        return ""
    path = Path(found.origin).parent / "package_data" / "plotly.min.js"
    return path.read_text(encoding="utf-8").replace("\r\n", "\n").replace("\r", "\n")


def page(title: Both, sections: list[Section], figures: Mapping[str, Any]) -> str:
    """The whole page."""
    scripts = [plotly() if figures else "", (_HERE / "page.js").read_text(encoding="utf-8")]
    scripts = [one for one in scripts if one]
    shown = [one for one in sections if one[2]]
    links = "".join(f'<a href="#{key}">{spans(name)}</a>' for key, name, _ in shown)
    body = "".join(section(*one) for one in shown)
    names = f'data-title-zh="{text(title.zh)}" data-title-en="{text(title.en)}"'
    return (
        f'<!doctype html>\n<html lang="zh-CN" data-lang="zh" {names}>\n<head>\n'
        '<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(scripts)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(title.zh)}</title>\n"
        f"<style>\n{(_HERE / 'page.css').read_text(encoding='utf-8')}</style>\n</head>\n<body>\n"
        f'<header class="bar"><div class="inner"><nav>{links}</nav>{_buttons()}</div></header>\n'
        f"<main>\n<h1>{spans(title)}</h1>\n{body}</main>\n"
        f'<script type="application/json" id="figures">{data(figures)}</script>\n'
        + "".join(f"<script>{one}</script>\n" for one in scripts)
        + "</body>\n</html>\n"
    )


def _buttons() -> str:
    return (
        f'<button id="language">{spans(Both("English", "中文"))}</button>'
        f'<button id="theme">{spans(Both("明/暗", "Theme"))}</button>'
    )


def _policy(scripts: list[str]) -> str:
    """Nothing but these scripts, and styles and pictures of the page's own."""
    hashes = " ".join(f"'sha256-{_hash(one)}'" for one in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def data(value: Mapping[str, Any]) -> str:
    """JSON that can't end the element it stands in."""
    body = orjson.dumps(value).decode()
    for char in "<>&\u2028\u2029":
        body = body.replace(char, f"\\u{ord(char):04x}")
    return body
