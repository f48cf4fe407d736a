"""Figures as PNG and SVG for a paper, drawn by matplotlib from the same values as the page's.

plotly draws pictures through a browser only; matplotlib needs none, takes its Chinese font from the
system and writes the SVG's letters as paths, so that they look alike where the font is missing.
"""

from __future__ import annotations

import html
import io
from typing import TYPE_CHECKING, Any

from cqia.errors import UserError, missing_extra
from cqia.reporting.figures import PALETTE, Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    Values = dict[str, Any]

FONTS = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC",
    "Hiragino Sans GB", "Microsoft YaHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei",
)  # fmt: skip
"""Fonts with simplified Chinese; the first that is there is taken."""
KINDS = ("png", "svg")
DOTS = 130
WIDTH = 8.0
"""Inches."""


def font() -> str:
    """The family of the font that is taken.

    Raises:
        UserError: matplotlib is missing, or no font with Chinese letters is installed.
    """
    try:
        from matplotlib import font_manager
    except ImportError:
        raise missing_extra("matplotlib", "plot") from None
    known = {one.name for one in font_manager.fontManager.ttflist}
    for name in FONTS:
        if name in known:
            return name
    raise UserError(
        "no font with Chinese letters was found",
        mend="apt-get install fonts-noto-cjk, or any of: " + ", ".join(FONTS),
    )


def draw(figure: Figure, *, language: str, family: str) -> dict[str, bytes]:
    """A figure's files by kind; `language` is zh or en, `family` what `font` found."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    rules = {
        "font.family": [family, "DejaVu Sans"],
        "font.size": 9,
        "text.parse_math": False,
        "svg.fonttype": "path",
        "svg.hashsalt": "cqia",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": False,
    }
    one = _said(figure, language)
    layout, kind = one["layout"], one["data"][0]["type"]
    height = layout.get("height", 420) / 100
    width = layout.get("width", WIDTH * 100) / 100
    size = (height, height) if kind == "sunburst" else (width, height)
    with mpl.rc_context(rules):
        canvas = Canvas(figsize=size, layout="constrained")
        axes = canvas.subplots()
        _DRAW[kind](axes, one["data"], layout)
        files = {}
        for name in KINDS:
            body = io.BytesIO()
            meta = {"Date": None} if name == "svg" else None
            canvas.savefig(body, format=name, dpi=DOTS, metadata=meta)
            files[name] = body.getvalue() if name == "svg" else _small(body)
    return files


def _small(body: io.BytesIO) -> bytes:
    """A PNG with a palette: flat colours need no more, and it is a third of the size."""
    from PIL import Image

    out = io.BytesIO()
    with Image.open(body) as picture:
        picture.convert("RGB").quantize(256).save(
            out, format="png", optimize=True, dpi=(DOTS, DOTS)
        )
    return out.getvalue()


def _said(value: Any, language: str) -> Any:  # noqa: ANN401
    """The figure in one language, its labels as they are and not as plotly's HTML."""
    if isinstance(value, dict):
        if set(value) == {"zh", "en"}:
            return _said(value[language], language)
        return {key: _said(one, language) for key, one in value.items()}
    if isinstance(value, list):
        return [_said(one, language) for one in value]
    return html.unescape(value) if isinstance(value, str) else value


def _rings(axes: Axes, data: list[Values], layout: Values) -> None:
    """A sunburst of two rings."""
    (trace,) = data
    rows = list(zip(trace["ids"], trace["labels"], trace["parents"], trace["values"], strict=True))
    inner = sorted((one for one in rows if not one[2]), key=lambda one: -one[3])
    whole, start = sum(one[3] for one in inner), 0.0
    for number, (key, said, _, n) in enumerate(inner):
        colour = PALETTE[number % len(PALETTE)]
        _wedge(axes, start, n / whole, (0.22, 0.38), colour, said, 1.0)
        at = start
        for _, said_, _, m in (one for one in rows if one[2] == key):
            _wedge(axes, at, m / whole, (0.6, 0.38), colour, said_, 0.55)
            at += m / whole
        start += n / whole
    axes.set_xlim(-1.02, 1.02)
    axes.set_ylim(-1.02, 1.02)
    axes.set_aspect("equal")
    axes.axis("off")


def _wedge(
    axes: Axes, start: float, share: float, ring: tuple[float, float], colour: str, said: str,
    strength: float,
) -> None:  # fmt: skip
    """A piece of a ring, with its label where there is room for one."""
    import numpy as np
    from matplotlib.patches import Wedge

    low, thick = ring
    first, last = 90 - 360 * (start + share), 90 - 360 * start
    axes.add_patch(
        Wedge((0, 0), low + thick, first, last, width=thick, facecolor=colour,
              alpha=strength, edgecolor="white", linewidth=0.8)
    )  # fmt: skip
    middle = np.radians((first + last) / 2)
    radius = low + thick / 2
    arc = 2 * np.pi * share * radius
    if arc < 0.036:
        return
    turn = np.degrees(middle) % 360
    turn = turn - 180 if 90 < turn < 270 else turn
    wide = sum(2 if ord(one) > 0x2E7F else 1 for one in said)
    points = min(9.5, 9.5 * thick / 0.38 * 13 / max(wide, 1), arc * 135)
    if points < 4.5:
        return
    axes.text(
        radius * np.cos(middle), radius * np.sin(middle), said, rotation=turn, fontsize=points,
        ha="center", va="center", rotation_mode="anchor",
        color="white" if strength == 1 else "black",
    )  # fmt: skip


def _lines(axes: Axes, data: list[Values], layout: Values) -> None:
    """Steps with an area below them, or points with intervals."""
    for trace in data:
        if trace["mode"] == "markers":
            error = trace["error_x"]
            axes.errorbar(
                trace["x"], trace["y"], xerr=[error["arrayminus"], error["array"]], fmt="o",
                color=trace["marker"]["color"], capsize=2.5, markersize=4.5, linewidth=1.3,
            )  # fmt: skip
            axes.grid(axis="x", color="#d9dee6", linewidth=0.6)
            continue
        colour = trace["line"]["color"]
        axes.step(trace["x"], trace["y"], where="mid", color=colour, label=trace["name"])
        axes.fill_between(trace["x"], trace["y"], step="mid", alpha=0.25, color=colour)
    _axes(axes, layout)
    if layout.get("showlegend", True):
        axes.set_ylim(bottom=0)
        axes.legend(frameon=False)


def _boxes(axes: Axes, data: list[Values], layout: Values) -> None:
    """Boxes of quantiles, two a source."""
    handles = []
    for number, trace in enumerate(data):
        colour = trace["line"]["color"]
        stats = [
            {"whislo": a, "q1": b, "med": c, "q3": d, "whishi": e, "fliers": []}
            for a, b, c, d, e in zip(
                *(trace[key] for key in ("lowerfence", "q1", "median", "q3", "upperfence")),
                strict=True,
            )
        ]
        places = [y + (number - 0.5) * 0.36 for y in trace["y"]]
        look = {"color": colour, "linewidth": 1.1}
        axes.bxp(stats, positions=places, orientation="horizontal", widths=0.28, showfliers=False,
                 manage_ticks=False, boxprops=look, whiskerprops=look, capprops=look,
                 medianprops={"color": colour, "linewidth": 2})  # fmt: skip
        handles += axes.plot([], [], color=colour, label=trace["name"])
    _axes(axes, layout)
    axes.grid(axis="x", color="#d9dee6", linewidth=0.6)
    axes.legend(handles=handles, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)


def _heat(axes: Axes, data: list[Values], layout: Values) -> None:
    """A map with its numbers."""
    import numpy as np

    (trace,) = data
    values = np.array([[np.nan if v is None else v for v in row] for row in trace["z"]], float)
    top = float(np.nanmax(values)) or 1.0
    axes.imshow(values / top, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    for y, row in enumerate(trace["text"]):
        for x, said in enumerate(row):
            dark = values[y, x] / top > 0.6
            axes.text(x, y, said, ha="center", va="center", fontsize=7,
                      color="white" if dark else "black")  # fmt: skip
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    across, down = layout["xaxis"], layout["yaxis"]
    axes.set_xticks(across["tickvals"], across["ticktext"], rotation=45, ha="left")
    axes.set_yticks(down["tickvals"], down["ticktext"])
    axes.set_xticks([x - 0.5 for x in across["tickvals"][1:]], minor=True)
    axes.set_yticks([y - 0.5 for y in down["tickvals"][1:]], minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)


def _flow(axes: Axes, data: list[Values], layout: Values) -> None:
    """A Sankey: nodes in columns by how many links lead to them, bands between."""
    (trace,) = data
    labels, link = trace["node"]["label"], trace["link"]
    bands = list(zip(link["source"], link["target"], link["value"], link["color"], strict=True))
    column = [0] * len(labels)
    for _ in labels:
        for a, b, _, _ in bands:
            column[b] = max(column[b], column[a] + 1)
    whole = max(
        sum(v for a, _, v, _ in bands if column[a] == c) for c in range(max(column) + 1)
    ) or 1  # fmt: skip
    size = [
        max(sum(v for a, _, v, _ in bands if a == n), sum(v for _, b, v, _ in bands if b == n))
        / whole
        for n in range(len(labels))
    ]
    top, gap = [0.0] * len(labels), 0.035
    for c in range(max(column) + 1):
        at = 0.0
        ends = [n for n in range(len(labels)) if column[n] == c]
        goes = {a for a, *_ in bands}
        for n in sorted(ends, key=lambda one: (one not in goes, -size[one])) if c else ends:
            top[n] = at
            at += size[n] + gap
    out, into = list(top), list(top)
    for a, b, v, colour in bands:
        _band(axes, column[a], out[a], column[b], into[b], v / whole, colour)
        out[a] += v / whole
        into[b] += v / whole
    for n, said in enumerate(labels):
        axes.fill_between(
            [column[n], column[n] + 0.03], -top[n], -top[n] - size[n], color="#5d6675"
        )
        axes.text(column[n] + 0.05, -top[n] - size[n] / 2, said, va="center", fontsize=7.5)
    axes.set_xlim(-0.02, max(column) + 0.75)
    axes.axis("off")


def _band(axes: Axes, a: float, y: float, b: float, z: float, thick: float, colour: str) -> None:
    import numpy as np

    steps = np.linspace(0, 1, 40)
    smooth = steps * steps * (3 - 2 * steps)
    upper = -(y + (z - y) * smooth)
    red, green, blue, alpha = colour.removeprefix("rgba(").removesuffix(")").split(",")
    shade = (int(red) / 255, int(green) / 255, int(blue) / 255, float(alpha))
    axes.fill_between(a + 0.03 + steps * (b - a - 0.03), upper, upper - thick, color=shade, lw=0)


def _axes(axes: Axes, layout: Values) -> None:
    across, down = layout["xaxis"], layout["yaxis"]
    if across.get("type") == "log":
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel(across.get("title", {}).get("text", ""))
    axes.set_ylabel(down.get("title", {}).get("text", ""))
    if "ticktext" in down:
        axes.set_yticks(down["tickvals"], down["ticktext"])
        axes.set_ylim(len(down["tickvals"]) - 0.4, -0.6)


_DRAW = {"sunburst": _rings, "scatter": _lines, "box": _boxes, "heatmap": _heat, "sankey": _flow}
