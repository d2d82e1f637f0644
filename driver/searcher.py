"""Searching from Python: an index opened once, which answers in milliseconds.

from driver.searcher import Searcher

searcher = Searcher("workspace")
for answer in searcher.search("00966a975d566c45", top_k=5, style="photo"):
    print(answer["rank"], answer["image_id"], answer["score"])
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

import numpy as np

from driver.answers import Question
from driver.copied_index import CopiedIndex, probe_here
from driver.copies import Copies
from driver.errors import Failure
from driver.index_files import has_index
from driver.index_search import Rounds
from driver.workspace import SEARCH, Workspace
from mapsight.head import DRAWING, PHOTO

__all__ = ["Searcher"]

UNIT = 32767
RANKS = ("score", "ppi", "diverse")
FEATURES = (None, "new", "plain")
STYLES = ("any", "same", PHOTO, DRAWING)


class Searcher:
    """Answers queries from a copy of a workspace's index on this machine.

    The answers are those of `mapsight search` for the same options. The copy is made at first
    use, which is said on standard error. One thread at a time.

    Args:
        workspace: folder or URI.
        copy: folder for the copy; None takes the usual one (docs/search.md).

    Raises:
        Failure: there is no index, or no room for its copy.
    """

    def __init__(self, workspace: str, copy: str | None = None) -> None:
        found = Workspace(workspace, SEARCH)
        if not has_index(found):
            raise Failure(f"{workspace}: no index of its pictures; run the pipeline first")
        self.index = CopiedIndex(found, Copies(found, copy))

    def search(
        self, query: str | np.ndarray, top_k: int = 10, **options: Any
    ) -> list[dict[str, Any]]:
        """The pictures most like one, best first; options as `search_many` has them."""
        return self.search_many([query], top_k, **options)[0]

    def search_many(
        self,
        queries: Sequence[str | np.ndarray],
        top_k: int = 10,
        *,
        features: str | None = None,
        probe: int | None = None,
        recall: float | None = None,
        label: str | None = None,
        style: str = "any",
        min_ppi: float = 0.0,
        license: str | None = None,
        subset: str | None = None,
        rank_by: str = "score",
        exclude_self: bool = False,
    ) -> list[list[dict[str, Any]]]:
        """The answers to each query. Memory: some kB a query.

        Args:
            queries: each an image_id of the index, or a vector: (d,) numbers of any length, or
                for plain features also the embedding alone.
            features: new, plain, or None for what the index has.
            style: of answers: photo, drawing, any, or same (as the query's, if that is an id).
            label: predicted label of answers, as the workspace writes it.

        Returns:
            For each query a list of dicts: rank, image_id, score (the cosine), label, style, ppi,
            width, height, source, license, author, title, subset, cell and others that are known.

        Raises:
            ValueError: an id is not in the index, or a vector or an option is none.
        """
        _check(top_k, features, probe, style, rank_by)
        asked = Namespace(
            top_k=top_k, features=features, probe=probe, recall=recall, style=style,
            min_ppi=min_ppi, license=license, subset=subset, rank_by=rank_by,
            exclude_self=exclude_self,
        )  # fmt: skip
        questions = [self._question(query, features) for query in queries]
        if questions:
            Rounds(asked, self.index, questions, label, probe_here).to_the_end()
        return [[_without_query(row) for row in question.answers] for question in questions]

    def _question(self, query: str | np.ndarray, features: str | None) -> Question:
        if not isinstance(query, str):
            return Question("vector", vector=self._whole(np.asarray(query), features))
        row = self.index.rows_of([query]).get(query)
        if row is None:
            raise ValueError(f"{query}: no picture with this image_id in the index")
        return Question(
            query,
            image_id=query,
            record=row,
            vector=row["vector"],
            label=row["label"],
            style=row["style"],
        )

    def _whole(self, vector: np.ndarray, features: str | None) -> np.ndarray:
        """A vector in whole numbers: (d,) int16, which int16 ones are already."""
        d, plain_d = (int(self.index.facts[name]) for name in ("d", "plain_d"))
        lengths = (d, plain_d) if features == "plain" else (d,)
        if vector.ndim != 1 or len(vector) not in lengths:
            raise ValueError(f"a vector of shape {vector.shape}: ({lengths[-1]},) is expected")
        if vector.dtype != np.int16:
            real = vector.astype(np.float64)
            length = float(np.sqrt(real @ real))
            if not np.isfinite(length):
                raise ValueError("a vector with numbers that are not finite")
            vector = np.rint(real * (UNIT / length if length else 0.0)).astype(np.int16)
        return np.concatenate([vector, np.zeros(d - len(vector), np.int16)])


def _check(top_k: int, features: str | None, probe: int | None, style: str, rank_by: str) -> None:
    if features not in FEATURES:
        raise ValueError(f"features {features!r}: new or plain")
    for name, value, known in (("rank_by", rank_by, RANKS), ("style", style, STYLES)):
        if value not in known:
            raise ValueError(f"{name} {value!r}: one of {', '.join(known)}")
    for name, number in (("top_k", top_k), ("probe", probe)):
        if number is not None and number < 1:
            raise ValueError(f"{name} {number}: at least 1")


def _without_query(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "query"}
