"""Every cleaner by its name."""

from __future__ import annotations

from cqia.cleaners.base import Cleaner
from cqia.cleaners.boilerplate import Boilerplate
from cqia.cleaners.half_width import HalfWidth
from cqia.cleaners.html_to_text import HtmlToText
from cqia.cleaners.mask_personal_data import MaskPersonalData
from cqia.cleaners.rejoin_lines import RejoinLines
from cqia.cleaners.repair_latex import RepairLatex
from cqia.cleaners.repair_unicode import RepairUnicode
from cqia.cleaners.simplify import Simplify
from cqia.cleaners.stickers import Stickers
from cqia.cleaners.white_space import WhiteSpace
from cqia.cleaners.wikitext_to_text import WikitextToText

CLEANERS: dict[str, type[Cleaner]] = {
    "Boilerplate": Boilerplate,
    "HalfWidth": HalfWidth,
    "HtmlToText": HtmlToText,
    "MaskPersonalData": MaskPersonalData,
    "RejoinLines": RejoinLines,
    "RepairLatex": RepairLatex,
    "RepairUnicode": RepairUnicode,
    "Simplify": Simplify,
    "Stickers": Stickers,
    "WhiteSpace": WhiteSpace,
    "WikitextToText": WikitextToText,
}
