"""Every scorer by name."""

from __future__ import annotations

from cqia.scorers.base import Learnt, Reading, Weighed
from cqia.scorers.ngram import NGRAM
from cqia.scorers.reading import COMMON, DISTINCT, LENGTH, SENTENCE_LENGTH, VARIETY
from cqia.scorers.weighed import IFD, PERPLEXITY

FREE: dict[str, Reading | Learnt] = {
    scorer.name: scorer for scorer in (LENGTH, SENTENCE_LENGTH, COMMON, DISTINCT, VARIETY, NGRAM)
}
"""Those that need no model."""

WEIGHED: dict[str, Weighed] = {scorer.name: scorer for scorer in (PERPLEXITY, IFD)}
"""Those that ask a small model how likely an answer is."""
