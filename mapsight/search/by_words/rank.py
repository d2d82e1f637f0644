"""The order of the candidates that the directions of a query in words have found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from mapsight.labels.head import sigmoid
from mapsight.records import decode_vector
from mapsight.search.exact import Answer, best_first
from mapsight.search.probe_rows import VECTOR
from mapsight.search.question import Question
from mapsight.search.rerank import CANDIDATES, by_ppi, diverse

__all__ = ["ranked_by_words"]


def ranked_by_words(
    question: Question, lists: Iterable[Sequence[Answer]], top_k: int, rank_by: str | None
) -> list[Answer]:
    """Return the best of the candidates that directions found, each with its vector.

    The score of an answer is the probability that it shows what the words say.
    """
    assert question.odds is not None
    by_id = {image_id: fields for some in lists for _, image_id, fields in some}
    if not by_id:
        return []
    x = np.stack([decode_vector(fields.pop(VECTOR)) for fields in by_id.values()])
    odds = question.odds(x).tolist()
    places = {image_id: place for place, image_id in enumerate(by_id)}
    kept = top_k * (CANDIDATES if rank_by in ("ppi", "diverse") else 1)
    best = best_first(zip(odds, by_id, by_id.values(), strict=True), kept)
    answers: list[Answer] = [[sigmoid(score), name, fields] for score, name, fields in best]
    if rank_by == "ppi":
        return by_ppi(answers, top_k)
    if rank_by == "diverse":
        return diverse(answers, x[[places[name] for _, name, _ in answers]], top_k)
    return answers
