"""Every source by name. A new source adds its import and one line here."""

from __future__ import annotations

import inspect
import sys

from cqia.sources.baikemy import BAIKEMY
from cqia.sources.base import Source
from cqia.sources.chengyu import CHENGYU
from cqia.sources.chinese_poetry import CHINESE_POETRY
from cqia.sources.coig_exam import COIG_EXAM
from cqia.sources.coig_human_value import COIG_HUMAN_VALUE
from cqia.sources.coig_pc import COIG_PC
from cqia.sources.douban import DOUBAN
from cqia.sources.encyclopedia import ENCYCLOPEDIA
from cqia.sources.finance_coig_pc import FINANCE_COIG_PC
from cqia.sources.gaokao_bench import GAOKAO_BENCH
from cqia.sources.kaoyan import KAOYAN
from cqia.sources.law_gee import LAW_GEE
from cqia.sources.logi_qa import LOGI_QA
from cqia.sources.mba_baike import MBA_BAIKE
from cqia.sources.medical_articles import MEDICAL_ARTICLES
from cqia.sources.poem import POEM
from cqia.sources.poison import POISON
from cqia.sources.ruozhiba import RUOZHIBA
from cqia.sources.segmentfault import SEGMENTFAULT
from cqia.sources.trad_multi_choice import TRAD_MULTI_CHOICE
from cqia.sources.translate_classical_chinese import TRANSLATE_CLASSICAL_CHINESE
from cqia.sources.wikihow import WIKIHOW
from cqia.sources.xhs import XHS
from cqia.sources.zgbk import ZGBK
from cqia.sources.zhihu import ZHIHU

CATALOGUE: tuple[Source, ...] = (
    ZHIHU,
    DOUBAN,
    XHS,
    SEGMENTFAULT,
    ENCYCLOPEDIA,
    ZGBK,
    WIKIHOW,
    BAIKEMY,
    MEDICAL_ARTICLES,
    MBA_BAIKE,
    COIG_PC,
    FINANCE_COIG_PC,
    COIG_HUMAN_VALUE,
    POISON,
    CHENGYU,
    POEM,
    TRANSLATE_CLASSICAL_CHINESE,
    COIG_EXAM,
    KAOYAN,
    LAW_GEE,
    LOGI_QA,
    TRAD_MULTI_CHOICE,
    RUOZHIBA,
    # Public collections that the paper does not have.
    GAOKAO_BENCH,
    CHINESE_POETRY,
)

SOURCES: dict[str, Source] = {source.name: source for source in CATALOGUE}


def page(source: Source) -> str:
    """What the module that a source is written in says of it: raw shape, choices, traps."""
    for name, module in sys.modules.items():
        ours = name.startswith("cqia.sources.") and name != __name__
        if ours and any(value is source for value in vars(module).values()):
            return inspect.getdoc(module) or ""
    raise KeyError(source.name)
