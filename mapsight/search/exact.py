"""Finding the pictures most like a query: exact, blockwise, merged by heaps."""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mapsight.index.cosines import cosines
from mapsight.labels.classify import Classifier
from mapsight.labels.flags import bits_of
from mapsight.records import decode_embedding, is_picture

__all__ = ["Answer", "Query", "Search", "best_first", "read_queries"]

Answer = Sequence[Any]
"""`[score, image_id, fields]`."""

BLOCK = 256
KEPT = (
    *("label", "style", "ppi", "width", "height", "source", "shard", "row", "part", "top_label"),
)
TEXT = ("license", "author", "title")


@dataclass(frozen=True)
class Query:
    """One question: what to look for, and which pictures may answer.

    `embedding` (base64, see records) is needed to search by features; `label`
    restricts the answers, as do `min_ppi`, `style`, a part of the `license`'s address, `subset`,
    and `flag` and `without_flag`, which are bits of flags;
    `min_score` is the least cosine, or by label the least score of it; a picture with
    `image_id` in `exclude_id` or the bytes of `exclude_sha256` is the query itself and left out.
    """

    number: int
    top_k: int
    embedding: str = ""
    label: str | None = None
    min_ppi: float = 0.0
    style: str = ""
    license: str = ""
    subset: str = ""
    min_score: float | None = None
    exclude_id: str | None = None
    exclude_sha256: str | None = None
    flag: int = 0
    without_flag: int = 0

    def to_json(self) -> str:
        """The query as one line."""
        return json.dumps(asdict(self), sort_keys=True)

    def admits(self, image_id: str, record: Mapping[str, Any]) -> bool:
        """Whether a picture may be among the answers."""
        return (
            (self.label is None or record["label"] == self.label)
            and record["ppi"] >= self.min_ppi
            and (not self.style or record.get("style") == self.style)
            and (not self.license or self.license in (record.get("license") or ""))
            and (not self.subset or record.get("subset") == self.subset)
            and self._admits_flags(record)
            and (self.exclude_id is None or image_id != self.exclude_id)
            and (self.exclude_sha256 is None or record["sha256"] != self.exclude_sha256)
        )

    def _admits_flags(self, record: Mapping[str, Any]) -> bool:
        if not (self.flag or self.without_flag):
            return True
        if "flags" not in record:
            return False
        bits = bits_of(record["flags"])
        return not bits & self.without_flag and (not self.flag or bits & self.flag > 0)


def read_queries(path: str) -> list[Query]:
    """The queries that were written one a line with `Query.to_json`."""
    with open(path, encoding="utf-8") as lines:  # noqa: PTH123
        return [Query(**json.loads(line)) for line in lines]


def best_first(answers: Iterable[Answer], top_k: int) -> list[Answer]:
    """The `top_k` best of answers `[score, image_id, fields]`, ties by image_id."""
    return heapq.nsmallest(top_k, answers, key=lambda answer: (-answer[0], answer[1]))


def _matrix(texts: Iterable[str]) -> np.ndarray:
    return np.stack([decode_embedding(text) for text in texts]).astype(np.float64)


class Search:
    """The best answers to several queries over a stream of records.

    Memory: the queries, BLOCK records and `top_k` answers a query.
    """

    def __init__(
        self,
        queries: Sequence[Query],
        by: str,
        classifier: Classifier,
    ) -> None:
        """`by` is "features" (cosine of Feature records) or "label" (PPI of Predictions)."""
        self._queries = {query.number: query for query in queries}
        self._best: dict[int, list[Answer]] = {number: [] for number in self._queries}
        self._block: list[tuple[str, Mapping[str, Any]]] = []
        self._classifier = classifier
        self._xq = _matrix(q.embedding for q in queries) if by == "features" and queries else None

    def add(self, image_id: str, record: Mapping[str, Any]) -> None:
        """Consider one record; rejected pictures are passed over."""
        if not is_picture(record):
            return
        if "label" not in record:
            record = {
                **self._classifier.predict(record),
                "embedding": record["embedding"],
            }
        self._block.append((image_id, record))
        if len(self._block) == BLOCK:
            self._flush()

    def _flush(self) -> None:
        block, self._block = self._block, []
        if self._xq is None:
            scores = np.array([[record["ppi"] for _, record in block]] * len(self._queries))
        else:
            scores = cosines(self._xq, _matrix(record["embedding"] for _, record in block))
        for row, query in zip(scores, self._queries.values(), strict=True):
            best = self._best[query.number]
            floor = best[-1][0] if len(best) == query.top_k else -np.inf
            new = [
                _answer(row[i], *block[i])
                for i in np.flatnonzero((row >= floor) & self._is_like(row, block, query))
                if query.admits(*block[i])
            ]
            self._best[query.number] = best_first([*best, *new], query.top_k) if new else best

    def _is_like(self, row: np.ndarray, block: Sequence[Any], query: Query) -> np.ndarray:
        """Which records have the score that a query asks for: (n,) bool."""
        if query.min_score is None:
            return np.ones(len(row), bool)
        if self._xq is None:
            row = np.array([record["score"] for _, record in block])
        return np.round(row, 6) >= query.min_score

    def answers(self) -> Iterator[tuple[int, list[Answer]]]:
        """(query number, its best answers so far), in the order of the queries."""
        if self._block:
            self._flush()
        yield from self._best.items()

    def merged(self, number: int, lists: Iterable[Sequence[Answer]]) -> list[Answer]:
        """The best of several lists of answers to one query."""
        return best_first(itertools.chain.from_iterable(lists), self._queries[number].top_k)


def _answer(score: float, image_id: str, record: Mapping[str, Any]) -> Answer:
    kept = {name: record[name] for name in (*KEPT, *TEXT) if name in record}
    return [float(score), image_id, {**kept, "label_score": record.get("score")}]
