"""Finding the pictures most like a query: exact, blockwise, merged by heaps."""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mapsight.records import decode_embedding

__all__ = [
    "Query",
    "best_first",
    "blocks",
    "cosines",
    "read_queries",
    "search_features",
    "search_labels",
]

BLOCK = 256
KEPT = ("label", "ppi", "width", "height", "source", "shard", "row", "license", "author", "title")


@dataclass(frozen=True)
class Query:
    """One question: what to look for, and which pictures may answer.

    `embedding` (base64, see records) is needed to search by features; `label`
    restricts the answers; a picture with `image_id` in `exclude_id` or the
    bytes of `exclude_sha256` is the query itself and left out.
    """

    number: int
    top_k: int
    embedding: str = ""
    label: str | None = None
    min_ppi: float = 0.0
    exclude_id: str | None = None
    exclude_sha256: str | None = None

    def to_json(self) -> str:
        """The query as one line."""
        return json.dumps(asdict(self), sort_keys=True)

    def admits(self, image_id: str, record: Mapping[str, Any]) -> bool:
        """Whether a picture may be among the answers."""
        return (
            (self.label is None or record["label"] == self.label)
            and record["ppi"] >= self.min_ppi
            and (self.exclude_id is None or image_id != self.exclude_id)
            and (self.exclude_sha256 is None or record["sha256"] != self.exclude_sha256)
        )


def read_queries(path: str) -> list[Query]:
    """The queries that were written one a line with `Query.to_json`."""
    with open(path, encoding="utf-8") as lines:  # noqa: PTH123
        return [Query(**json.loads(line)) for line in lines]


def best_first(answers: Iterable[Sequence[Any]], top_k: int) -> list[Sequence[Any]]:
    """The `top_k` best of answers `[score, image_id, fields]`, ties by image_id."""
    return heapq.nsmallest(top_k, answers, key=lambda answer: (-answer[0], answer[1]))


def blocks(
    records: Iterable[tuple[str, Mapping[str, Any]]], size: int = BLOCK
) -> Iterator[list[tuple[str, Mapping[str, Any]]]]:
    """Lists of up to `size` usable records."""
    usable = (pair for pair in records if "error" not in pair[1])
    while block := list(itertools.islice(usable, size)):
        yield block


def cosines(xq: np.ndarray, xb: np.ndarray) -> np.ndarray:
    """Cosine similarities of int16 vectors, exact up to the last rounding.

    Args:
        xq: (nq, d) float64 with integer values.
        xb: (nb, d) float64 with integer values.

    Returns:
        (nq, nb) float64. Dot products of int16 vectors stay below 2**53 for
        d < 2**22, so they are exact in float64 whatever the order of summation;
        a zero vector is like nothing (0).
    """
    norms = np.sqrt(np.multiply.outer((xq**2).sum(1), (xb**2).sum(1)))
    return np.divide(xq @ xb.T, norms, out=np.zeros_like(norms), where=norms > 0)


def _matrix(texts: Iterable[str]) -> np.ndarray:
    return np.stack([decode_embedding(text) for text in texts]).astype(np.float64)


def search_features(
    queries: Sequence[Query], records: Iterable[tuple[str, Mapping[str, Any]]]
) -> Iterator[tuple[int, list[Sequence[Any]]]]:
    """(query number, best answers by cosine) over all records.

    Records need `embedding`, `label` and the measures. Memory: the queries, one
    block of records and `top_k` answers a query.
    """
    xq = _matrix(query.embedding for query in queries)
    best: list[list[Sequence[Any]]] = [[] for _ in queries]
    for block in blocks(records):
        scores = cosines(xq, _matrix(record["embedding"] for _, record in block))
        for row, query in enumerate(queries):
            full = len(best[row]) == query.top_k
            floor = best[row][-1][0] if full else -np.inf
            new = [
                _answer(scores[row, i], *block[i])
                for i in np.flatnonzero(scores[row] >= floor)
                if query.admits(*block[i])
            ]
            if new:
                best[row] = best_first(best[row] + new, query.top_k)
    for query, answers in zip(queries, best, strict=True):
        yield query.number, answers


def search_labels(
    queries: Sequence[Query], records: Iterable[tuple[str, Mapping[str, Any]]]
) -> Iterator[tuple[int, list[Sequence[Any]]]]:
    """(query number, best answers by PPI) among the pictures each query admits."""
    best: list[list[Sequence[Any]]] = [[] for _ in queries]
    for block in blocks(records):
        for row, query in enumerate(queries):
            new = [
                _answer(record["ppi"], image_id, record)
                for image_id, record in block
                if query.admits(image_id, record)
            ]
            if new:
                best[row] = best_first(best[row] + new, query.top_k)
    for query, answers in zip(queries, best, strict=True):
        yield query.number, answers


def _answer(score: float, image_id: str, record: Mapping[str, Any]) -> list[Any]:
    return [float(score), image_id, {name: record[name] for name in KEPT if name in record}]
