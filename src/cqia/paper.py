"""The paper's source table: what the authors' dataset held, to set beside what a run holds.

COIG-CQIA, arXiv 2403.18058, Table 1, rebuilt from the dataset card: the quantities of the 22 rows
add up to the paper's 48,375. Ruozhiba is described and released but is not among the 22.
"""

from __future__ import annotations

from typing import NamedTuple

TOTAL = 48_375
"""Records in the paper's dataset."""

TYPES = {
    "social": "社交媒体与论坛",
    "knowledge": "世界知识",
    "nlp": "NLP 数据集",
    "exam": "考试",
}
"""The paper's four types, in its order."""


class Row(NamedTuple):
    """A row of the source table."""

    type: str
    source: str
    """The name of its file or config in the release: a source of that name is set beside it."""
    title: str
    quantity: int
    origin: str


TABLE_1 = (
    Row("social", "zhihu", "知乎", 8_837, "zhihu.com"),
    Row("social", "douban", "豆瓣", 3_132, "douban.com"),
    Row("social", "xhs", "小红书", 1_508, "xiaohongshu.com"),
    Row("social", "segmentfault", "SegmentFault", 458, "segmentfault.com"),
    Row(
        "knowledge", "encyclopedia", "百科文章", 980, "10why.net; eetree.cn; nongyie.com; gkket.com"
    ),
    Row("knowledge", "zgbk", "中国大百科全书", 1_706, "zgbk.com"),
    Row("knowledge", "wikihow", "wikiHow 中文", 1_876, "zh.wikihow.com; MNBVC"),
    Row("knowledge", "baikemy", "医疗百科", 8_351, "baikemy.com"),
    Row("knowledge", "medical_articles", "医疗文章", 186, "51zyzy.com; baobao.baidu.com"),
    Row("knowledge", "mba_baike", "MBA百科", 10_689, "wiki.mbalib.com"),
    Row("nlp", "coig_pc", "COIG-PC-core", 3_000, "BAAI/COIG-PC-core"),
    Row("nlp", "finance_coig_pc", "金融", 600, "BAAI/COIG-PC"),
    Row("nlp", "coig_human_value_multi_choice", "COIG 人类价值观", 101, "BAAI/COIG"),
    Row("nlp", "100poison", "100PoisonMpts", 906, "damo/100PoisonMpts"),
    Row("nlp", "chengyu", "成语释义", 112, "YeungNLP/firefly-train-1.1M"),
    Row("nlp", "poem", "古诗词撰写", 47, "YeungNLP/firefly-train-1.1M"),
    Row("nlp", "translate_classical_chinese", "文言文互译", 112, "YeungNLP/firefly-train-1.1M"),
    Row("exam", "coig_exam", "中考 高考", 2_000, "BAAI/COIG"),
    Row("exam", "kaoyan", "考研", 475, "web"),
    Row("exam", "law_gee", "法硕", 2_645, "web"),
    Row("exam", "logi_qa", "逻辑推理", 422, "web"),
    Row("exam", "trad_multi_choice", "传统文化", 232, "web"),
)
"""The 22 rows. Rows that stand for several files have a name of their own: encyclopedia (10why,
digital_wiki, agriculture), baikemy (bkmy_*), medical_articles (51zyzy, baobao), trad_multi_choice
(trad-multi-choice-*)."""

RUOZHIBA = Row("social", "ruozhiba", "弱智吧", 240, "tieba.baidu.com")
"""Described and released, but not among the 22 rows and not in the total."""

_QUANTITY = {row.source: row.quantity for row in (*TABLE_1, RUOZHIBA)}


_ORDER = {row.source: number for number, row in enumerate((*TABLE_1, RUOZHIBA))}


def quantity(source: str) -> int | None:
    """The paper's number of records of a source; None: the paper has no such row."""
    return _QUANTITY.get(source)


def place(kind: str, source: str) -> tuple[int, int]:
    """Where a source stands in the paper's table; types and sources of one's own come last."""
    kinds = list(TYPES)
    return kinds.index(kind) if kind in kinds else len(kinds), _ORDER.get(source, len(_ORDER))
