"""Records as the model will read them: every character of them, and which of it is learnt."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import polars as pl

from cqia.training.chat import Chat
from cqia.training.preflight import Checked, Ids, Trained


class Piece(NamedTuple):
    """Text of one kind. special: a mark of the template, one token each."""

    text: str
    learnt: bool
    special: bool


class Sample(NamedTuple):
    """A record that is kept, in pieces that together are its whole text."""

    id: str
    source: str
    tokens: int
    learnt: int
    pieces: tuple[Piece, ...]


def samples(checked: Checked, chat: Chat, *, each: int = 2) -> list[Sample]:
    """Of every source, the first records that are kept and, when it is more than one, the longest.

    Args:
        checked: what the preflight found.
        chat: by which it was written.
        each: how many of a source.
    """
    kept = checked.rows.filter("kept").with_row_index("place")
    return [
        Sample(
            id=row["id"],
            source=row["source"],
            tokens=row["tokens"],
            learnt=row["answer_tokens"],
            pieces=pieces(chat, checked.ids[row["place"]], checked.trained[row["place"]]),
        )
        for _, mine in sorted(kept.partition_by("source", as_dict=True).items())
        for row in _shown(mine, each).iter_rows(named=True)
    ]


def _shown(mine: pl.DataFrame, each: int) -> pl.DataFrame:
    longest = mine.sort("tokens", "place", descending=[True, False]).head(1 if each > 1 else 0)
    first = mine.join(longest, on="place", how="anti", maintain_order="left")
    return pl.concat([first.head(each - len(longest)), longest])


def pieces(chat: Chat, ids: Ids, trained: Trained) -> tuple[Piece, ...]:
    """Tokens as text again, cut where learning begins or ends and round the template's marks."""
    marks = set(chat.tokenizer.convert_tokens_to_ids(list(chat.special)))
    kinds = [(bool(learnt), int(one) in marks) for one, learnt in zip(ids, trained, strict=True)]
    edges = [0]
    edges += [n for n in range(1, len(kinds)) if kinds[n] != kinds[n - 1] or kinds[n][1]]
    edges.append(len(kinds))
    out = []
    for low, high in pairwise(edges):
        text = chat.tokenizer.decode(ids[low:high].tolist(), clean_up_tokenization_spaces=False)
        out.append(Piece(text, *kinds[low]))
    return tuple(out)
