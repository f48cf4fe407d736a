"""Every source by name. A new source adds its import and one line here."""

from __future__ import annotations

from cqia.sources.base import Source
from cqia.sources.chinese_poetry import CHINESE_POETRY
from cqia.sources.encyclopedia import ENCYCLOPEDIA
from cqia.sources.gaokao_bench import GAOKAO_BENCH
from cqia.sources.ruozhiba import RUOZHIBA
from cqia.sources.zhihu import ZHIHU

CATALOGUE: tuple[Source, ...] = (
    ZHIHU,
    ENCYCLOPEDIA,
    RUOZHIBA,
    # Public collections that the paper does not have.
    GAOKAO_BENCH,
    CHINESE_POETRY,
)

SOURCES: dict[str, Source] = {source.name: source for source in CATALOGUE}
