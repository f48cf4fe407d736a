"""Every source by name. A new source adds one line here."""

from __future__ import annotations

from cqia.sources.base import Source
from cqia.sources.chinese_poetry import CHINESE_POETRY
from cqia.sources.encyclopedia import ENCYCLOPEDIA
from cqia.sources.gaokao_bench import GAOKAO_BENCH
from cqia.sources.ruozhiba import RUOZHIBA
from cqia.sources.zhihu import ZHIHU

SOURCES: dict[str, Source] = {
    source.name: source for source in (ZHIHU, RUOZHIBA, ENCYCLOPEDIA, GAOKAO_BENCH, CHINESE_POETRY)
}
