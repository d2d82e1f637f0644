"""The order of the candidates that the directions of a query in words have found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from mapsight.labels.head import sigmoid
from mapsight.records import decode_vector
from mapsight.search.exact import Answer, best_first
from mapsight.search.options import SearchOptions
from mapsight.search.probe_rows import VECTOR
from mapsight.search.question import Question
from mapsight.search.rerank import CANDIDATES, arranged

__all__ = ["ranked_by_words"]


def ranked_by_words(
    question: Question, lists: Iterable[Sequence[Answer]], options: SearchOptions
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
    kept = options.top_k * (CANDIDATES if options.is_arranged else 1)
    best = best_first(zip(odds, by_id, by_id.values(), strict=True), kept)
    answers: list[Answer] = [[sigmoid(score), name, fields] for score, name, fields in best]
    if options.min_score is not None:
        answers = [answer for answer in answers if answer[0] >= options.min_score]
    vectors = x[[places[name] for _, name, _ in answers]]
    return arranged(answers, vectors, options.rank_by, options.top_k, fold=options.is_folded)
