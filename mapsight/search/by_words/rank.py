"""The order of the candidates that the directions of a query in words have found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mapsight.labels.head import sigmoid
from mapsight.records import decode_vector
from mapsight.search.exact import Answer, best_first
from mapsight.search.options import SearchOptions
from mapsight.search.probe_rows import VECTOR
from mapsight.search.question import Question
from mapsight.search.rerank import CANDIDATES, arranged

__all__ = ["likeliest", "ranked_by_words"]


def likeliest(
    question: Question, before: Sequence[Answer], found: Sequence[Answer], options: SearchOptions
) -> list[Answer]:
    """Return the candidates that are likeliest what words say, of earlier and of new ones.

    Args:
        question: whose `odds` are the scores of what is returned.
        before: what this function has returned for other directions.
        found: with vectors.
    """
    assert question.odds is not None
    known = {image_id for _, image_id, _ in before}
    fresh = [answer for answer in found if answer[1] not in known]
    if not fresh:
        return list(before)
    odds = question.odds(_vectors(fresh)).tolist()
    scored = [[score, *rest] for score, (_, *rest) in zip(odds, fresh, strict=True)]
    kept = options.top_k * (CANDIDATES if options.is_arranged else 1)
    return best_first([*before, *scored], kept)


def _vectors(answers: Sequence[Answer]) -> np.ndarray:
    return np.stack([decode_vector(fields[VECTOR]) for *_, fields in answers])


def ranked_by_words(best: Sequence[Answer], options: SearchOptions) -> list[Answer]:
    """Return answers of the likeliest candidates, scored by the probability of what words say."""
    least = 0.0 if options.min_score is None else options.min_score
    some = [one for one in best if sigmoid(one[0]) >= least]
    if not some:
        return []
    x = _vectors(some) if options.is_folded else None
    answers: list[Answer] = [
        [sigmoid(score), image_id, {k: v for k, v in fields.items() if k != VECTOR}]
        for score, image_id, fields in some
    ]
    return arranged(answers, x, options.rank_by, options.top_k, fold=options.is_folded)
