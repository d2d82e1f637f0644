"""Queries of the search index in one file, of which a task maps what it needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa

from mapsight.search.filters import EVERYTHING, RowFilter, filter_of
from mapsight.search.rerank import CANDIDATES

__all__ = ["WORDS", "GivenQueries", "ProbeQuery", "Queries", "at_once", "write_queries"]

WORDS = "words"
CANDIDATE_BYTES = 700
TASK_BYTES = 256 << 20
"""Of candidates that a task of one job holds: 10 of 38,000 queries, or 40 with vectors of 1,700."""
T = TypeVar("T")


@dataclass(frozen=True)
class ProbeQuery:
    """What to look for beside a vector: how many, and which pictures may answer.

    Pictures with an `image_id` of `exclude_ids` or the bytes of one of `exclude_sha256`
    are the query itself and left out. `rank_by` is one of RANKS, or WORDS for candidates that are
    ranked by the classes that a query of words names. With `fold` near-duplicates are one answer;
    with `min_score` no answer has less.
    """

    top_k: int
    filter: RowFilter = field(default=EVERYTHING)
    exclude_ids: tuple[str, ...] = ()
    exclude_sha256: tuple[str, ...] = ()
    rank_by: str = "score"
    fold: bool = False
    min_score: float | None = None

    @property
    def with_vectors(self) -> bool:
        """Whether answers are ranked by their vectors, and have these."""
        return self.fold or self.rank_by in ("diverse", WORDS)

    @property
    def candidates(self) -> int:
        """How many of the best by score are kept."""
        return self.top_k * (1 if self.rank_by == "score" and not self.fold else CANDIDATES)

    def bytes_for(self, d: int) -> int:
        """Return about how many bytes its candidates take, with vectors if these are needed."""
        return self.candidates * (CANDIDATE_BYTES + (3 * d if self.with_vectors else 0))

    def to_json(self) -> str:
        """The query as text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ProbeQuery:
        """The query that `to_json` wrote."""
        found = json.loads(text)
        lists = {name: tuple(found[name]) for name in ("exclude_ids", "exclude_sha256")}
        return cls(**{**found, **lists, "filter": filter_of(found["filter"])})


def at_once(items: Sequence[T], sizes: Sequence[int]) -> Iterator[Sequence[T]]:
    """Yield shares of queries, so small that a task can hold their candidates.

    Args:
        sizes: bytes of the candidates of each, as `ProbeQuery.bytes_for` has them.
    """
    first = total = 0
    for place, size in enumerate(sizes):
        if total and total + size > TASK_BYTES:
            yield items[first:place]
            first, total = place, 0
        total += size
    if first < len(items):
        yield items[first:]


def write_queries(path: Path, vectors: np.ndarray, queries: Sequence[ProbeQuery]) -> None:
    """Write queries, whose numbers are their places, to an Arrow file.

    Args:
        vectors: (nq, d) int16.
    """
    kind = pa.list_(pa.int16(), vectors.shape[1])
    flat = pa.array(np.ascontiguousarray(vectors).reshape(-1), pa.int16())
    columns = [
        pa.FixedSizeListArray.from_arrays(flat, type=kind),
        pa.array([query.to_json() for query in queries], pa.string()),
    ]
    batch = pa.RecordBatch.from_arrays(columns, ["vector", "query"])
    with pa.ipc.new_file(str(path), batch.schema) as file:
        file.write_batch(batch)


class Queries:
    """The queries of a file. Memory: those that are asked for; the file is mapped.

    Args:
        path: of a file that `write_queries` wrote.
    """

    def __init__(self, path: str | Path) -> None:
        batch = pa.ipc.open_file(pa.memory_map(str(path))).get_batch(0)
        column = batch.column("vector")
        self._vectors = column.flatten().to_numpy().reshape(len(column), column.type.list_size)
        self._texts = batch.column("query")
        self._read: dict[int, ProbeQuery] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, number: int) -> ProbeQuery:
        if number not in self._read:
            self._read[number] = ProbeQuery.from_json(self._texts[number].as_py())
        return self._read[number]

    def vectors(self, numbers: Sequence[int]) -> np.ndarray:
        """The vectors of some queries: (n, d) int16."""
        return self._vectors[np.asarray(numbers, np.int64)]


class GivenQueries:
    """Queries that are in memory already.

    Args:
        vectors: (nq, d) int16.
        queries: as many.
    """

    def __init__(self, vectors: np.ndarray, queries: Sequence[ProbeQuery]) -> None:
        self._vectors, self._queries = vectors, queries

    def __len__(self) -> int:
        return len(self._queries)

    def __getitem__(self, number: int) -> ProbeQuery:
        return self._queries[number]

    def vectors(self, numbers: Sequence[int]) -> np.ndarray:
        """The vectors of some queries: (n, d) int16."""
        return self._vectors[np.asarray(numbers, np.int64)]
