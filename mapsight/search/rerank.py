"""Other orders than the score's for the pictures most like a query: by PPI, or diverse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mapsight.index.cosines import cosines
from mapsight.search.exact import Answer

__all__ = [
    "CANDIDATES",
    "COPY_COSINE",
    "COPY_HAMMING",
    "LAMBDA",
    "arranged",
    "by_ppi",
    "diverse",
]

CANDIDATES = 4
"""How many times top_k pictures, the most alike, are put into another order."""
COPY_HAMMING = 3
"""Bits of dHash in which near-duplicates may differ."""
COPY_COSINE = 0.98
LAMBDA = 0.7
"""How much likeness to the query counts; the rest counts unlikeness to answers above."""


def arranged(
    answers: Sequence[Answer], x: np.ndarray | None, rank_by: str | None, top_k: int, *, fold: bool
) -> list[Answer]:
    """Return the top_k of answers, best first, in the order that is asked for.

    Args:
        x: (n, d) whole numbers, the vectors of the answers, which `fold` and `diverse` need.
        rank_by: one of RANKS; None for score.
        fold: near-duplicates are one answer, with `copies`; `diverse` folds always.
    """
    if rank_by == "diverse":
        assert x is not None
        return diverse(answers, x, top_k)
    if rank_by != "ppi" and not fold:
        return list(answers[:top_k])
    if not fold:
        return by_ppi(answers, top_k)
    assert x is not None
    order = list(range(len(answers)))
    if rank_by == "ppi":
        order.sort(key=lambda i: (-(answers[i][2].get("ppi") or 0.0), answers[i][1]))
    real = x[order].astype(np.float64)
    copies = _folded([answers[i] for i in order], cosines(real, real))
    return [_counted(answers[order[i]], n) for i, n in list(copies.items())[:top_k]]


def by_ppi(answers: Sequence[Answer], top_k: int) -> list[Answer]:
    """The top_k of answers with the highest PPI, ties by image_id."""
    return sorted(answers, key=lambda answer: (-(answer[2].get("ppi") or 0.0), answer[1]))[:top_k]


def diverse(answers: Sequence[Answer], x: np.ndarray, top_k: int) -> list[Answer]:
    """The top_k of answers by maximal marginal relevance, near-duplicates folded into one.

    Carbonell and Goldstein, The use of MMR, SIGIR 1998, with LAMBDA. The best of some
    near-duplicates stands for them; its field `copies` says how many others there are.

    Args:
        answers: [score, image_id, fields], best first.
        x: (n, d) whole numbers, the vectors of the answers.
    """
    alike = cosines(x.astype(np.float64), x.astype(np.float64))
    copies = _folded(answers, alike)
    places = list(copies)
    chosen = _marginal(np.array([answers[i][0] for i in places]), alike[places][:, places], top_k)
    return [_counted(answers[places[i]], copies[places[i]]) for i in chosen]


def _folded(answers: Sequence[Answer], alike: np.ndarray) -> dict[int, int]:
    """How many near-duplicates each kept answer stands for, by its place."""
    hashes = [int(fields.get("dhash") or "0", 16) for *_, fields in answers]
    known = [bool(fields.get("dhash")) for *_, fields in answers]
    copies: dict[int, int] = {}
    for i in range(len(answers)):
        for kept in copies:
            near = known[i] and known[kept] and _bits(hashes[i] ^ hashes[kept]) <= COPY_HAMMING
            if near or alike[i, kept] >= COPY_COSINE:
                copies[kept] += 1
                break
        else:
            copies[i] = 0
    return copies


def _bits(number: int) -> int:
    return bin(number).count("1")


def _marginal(scores: np.ndarray, alike: np.ndarray, top_k: int) -> list[int]:
    """Places in the order of maximal marginal relevance; of equal ones the first."""
    chosen: list[int] = []
    nearest = np.zeros(len(scores))
    left = np.ones(len(scores), bool)
    while left.any() and len(chosen) < top_k:
        worth = LAMBDA * scores - (1 - LAMBDA) * nearest
        best = int(np.where(left, worth, -np.inf).argmax())
        nearest = alike[best].copy() if not chosen else np.maximum(nearest, alike[best])
        chosen.append(best)
        left[best] = False
    return chosen


def _counted(answer: Answer, copies: int) -> list[Any]:
    score, image_id, fields = answer
    return [score, image_id, {**fields, "copies": copies}]
