"""Searching from Python: an index opened once, which then answers in milliseconds.

from driver.search.searcher import Searcher

searcher = Searcher("workspace")
for answer in searcher.search("00966a975d566c45", top_k=5, style="photo"):
    print(answer["rank"], answer["image_id"], answer["score"])
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from driver.search.answers import Question
from driver.search.by_index import Rounds
from driver.search.searcher_checks import check_options, known_label
from driver.stages.classify import settings_of
from driver.workspace.workspace import SEARCH, Workspace
from mapsight.index.collection import require_index
from mapsight.index.copies import Copies
from mapsight.inputs.image_ids import HEX_ID
from mapsight.search.copied_index import CopiedIndex, probe_here

if TYPE_CHECKING:
    from driver.search.query_vectors import OwnPictures

__all__ = ["Searcher"]

UNIT = 32767


class Searcher:
    """Answers queries from a copy of a workspace's index on this machine.

    The answers are those of `mapsight search` for the same options, but that `style` is any
    where none is given. Queries are ids and vectors; `vector` makes one of a file. The copy is
    made at first use, which is said on standard error. One thread at a time.

    Args:
        workspace: folder or URI.
        copy: folder for the copy; None takes the usual one (docs/search.md).

    Raises:
        Failure: there is no index, or no room for its copy.
    """

    def __init__(self, workspace: str, copy: str | None = None) -> None:
        found = Workspace(workspace, SEARCH)
        require_index(found)
        self._workspace = found
        self._own: OwnPictures | None = None
        self.index = CopiedIndex(found, Copies(found, copy, sys.stderr.write))
        classified = found.committed("classify")
        targets = settings_of(classified)[0]["targets"] if classified else ()
        self.labels = frozenset({*self.index.cells.labels, *targets})

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
            label: predicted label of answers, in any case.
            top_k: 1 to 10,000.
            probe, recall: how many cells to read, or the share of the ten best to find; None
                for what `mapsight search` takes.

        Returns:
            For each query a list of dicts: rank, image_id, score (the cosine), label, style, ppi,
            width, height, source, license, author, title, subset, cell and others that are known.

        Raises:
            ValueError: an id is not in the index, a vector has the wrong shape, is zero or not
                finite, or an option is not one that is allowed, which the message names.
        """
        asked = Namespace(
            top_k=top_k, features=features, probe=probe, recall=recall, style=style,
            min_ppi=min_ppi, license=license, subset=subset, rank_by=rank_by,
            exclude_self=exclude_self,
        )  # fmt: skip
        check_options(asked)
        label = known_label(label, self.labels)
        questions = [self._question(query, features) for query in queries]
        if questions:
            Rounds(asked, self.index, questions, label, probe_here).to_the_end()
        return [[_without_query(row) for row in question.answers] for question in questions]

    def vector(self, picture: str) -> np.ndarray:
        """The vector of a picture file or a public URL: (d,) int16, for `search`.

        Raises:
            ValueError: it is not there, or is no picture that can be read.
            Failure: the model of the workspace cannot be read.
        """
        if self._own is None:
            from driver.search.query_vectors import OwnPictures

            self._own = OwnPictures(self._workspace)
        return self._own.vector(picture)

    def _question(self, query: str | np.ndarray, features: str | None) -> Question:
        if not isinstance(query, str):
            return Question("vector", vector=self._whole(np.asarray(query), features))
        query = query.lower() if HEX_ID.fullmatch(query) else query
        row = self.index.rows_of([query]).get(query)
        if row is None:
            raise ValueError(
                f"{query}: no picture with this image_id in the index; queries are ids and vectors,"
                " which `vector` makes of files (labels: `mapsight search LABEL --no-job`)"
            )
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
        if not vector[: lengths[-1]].any():
            raise ValueError("a vector of zeros is like no picture")
        return np.concatenate([vector, np.zeros(d - len(vector), np.int16)])


def _without_query(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "query"}
