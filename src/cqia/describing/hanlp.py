"""The root verb and its object by HanLP, where it and its model are installed.

The model is one that cuts words, tags them (ctb) and parses (Stanford dependencies) at once, as
HanLP's close_tok_pos_ner_srl_dep_sdp_con_electra does. HanLP fetches a model that it is told by
name from its own server; a folder that lies here needs no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cqia.describing.tree import LIGHT, Pair
from cqia.errors import UserError

NAME = "hanlp"
MODEL = "CLOSE_TOK_POS_NER_SRL_DEP_SDP_CON_ELECTRA_SMALL_ZH"
_TASKS = ("tok/fine", "pos/ctb", "dep")
_DOWN = ("ccomp", "xcomp", "conj", "dep", "rcomp", "mmod")


class HanLP:
    """HanLP with a model.

    Args:
        model: a folder with a model, or a name of `hanlp.pretrained.mtl`, which is downloaded.

    Raises:
        UserError: HanLP is missing, or its model can't be had.
    """

    def __init__(self, model: str = MODEL) -> None:
        try:
            import hanlp
        except ImportError:
            raise UserError(
                "HanLP is not installed", mend="pip install hanlp, or take --parser tree"
            ) from None
        try:
            self._model: Any = hanlp.load(getattr(hanlp.pretrained.mtl, model, model))
        except (OSError, ValueError) as fault:
            raise UserError(
                f"HanLP's model can't be had ({type(fault).__name__})",
                where=model,
                mend="give the folder of a model that lies here, or --parser tree",
            ) from None

    def __call__(self, texts: Sequence[str]) -> list[Pair]:
        """The pair of every text."""
        found = [one for one in texts if one]
        if not found:
            return [("", "")] * len(texts)
        said = self._model(found, tasks=list(_TASKS))
        parsed = iter(zip(said["tok/fine"], said["pos/ctb"], said["dep"], strict=True))
        return [pair(*next(parsed)) if one else ("", "") for one in texts]


def pair(words: Sequence[str], tags: Sequence[str], arcs: Sequence[tuple[int, str]]) -> Pair:
    """The verb from the root down that is not light, and its direct object."""
    here = next((place for place, (head, _) in enumerate(arcs) if head == 0), None)
    seen: set[int] = set()
    while here is not None and (words[here] in LIGHT or not tags[here].startswith("V")):
        seen.add(here)
        below = [
            place
            for place, (head, relation) in enumerate(arcs)
            if head == here + 1 and relation in _DOWN and tags[place].startswith("V")
        ]
        here = next((one for one in below if one not in seen), None)
    if here is None:
        return "", ""
    nouns = [
        words[place]
        for place, (head, relation) in enumerate(arcs)
        if head == here + 1 and relation in ("dobj", "ba") and tags[place].startswith("N")
    ]
    return words[here], nouns[0] if nouns else ""
