"""Searching from Python: an index opened once, which then answers in milliseconds."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from os import PathLike, fspath
from typing import Any

import numpy as np

from mapsight.index.collection import OTHER_MODEL, is_comparable, require_index
from mapsight.index.copies import Copies
from mapsight.labels.made_with import targets_of
from mapsight.records import OTHER
from mapsight.search.by_index import answer_by_index, probe_here
from mapsight.search.copied_index import CopiedIndex
from mapsight.search.credits import CopiedCredits, give_credit
from mapsight.search.index_queries import give_vectors, vector_lengths
from mapsight.search.options import SearchOptions
from mapsight.search.query_pictures import QueryPictures, question_of
from mapsight.search.question import (
    BY_INDEX,
    FIELDS,
    Question,
    answer_rows,
    raise_first,
    whole_numbers,
)
from mapsight.words.understand import UnknownWordsError, understand
from mapsight.workspace.workspace import Workspace

__all__ = ["Query", "Searcher"]

Query = str | PathLike[str] | bytes | np.ndarray | Sequence[float] | Question
"""A path, a URL, an image_id, the name of a label, words, the bytes of a picture, or a vector: (d,)
numbers; or a question that was made of one."""


class Searcher:
    """Answers queries from a copy of a workspace's index on this machine.

    The answers are those of `mapsight search --no-job` for the same options. The copy is made at
    first use, which is said on standard error. One thread at a time.

    Args:
        workspace: folder or URI, or a workspace that is open.
        copy: folder for the copy; None takes the usual one (docs/search.md).

    Raises:
        Failure: there is no index, or no room for its copy.
    """

    def __init__(self, workspace: str | Workspace, copy: str | None = None) -> None:
        read = Workspace(workspace) if isinstance(workspace, str) else workspace
        require_index(read)
        self._workspace, self._copies = read, Copies(read, copy, sys.stderr.write)
        self.index = CopiedIndex(read, self._copies)
        classified = read.committed("classify")
        targets = targets_of(classified) if classified else {}
        self._names = [*targets, OTHER]
        self.labels = {**dict.fromkeys(self.index.cells.labels, ""), **targets}
        self._pictures = QueryPictures(read, read.scratch)

    def unknown_words(self, text: str) -> UnknownWordsError | None:
        """Return why a text is no words that have a meaning here; None where it is."""
        try:
            understand(text, self._pictures.vocabulary)
        except UnknownWordsError as error:
            return error
        return None

    @cached_property
    def _credits(self) -> CopiedCredits:
        return CopiedCredits(self._workspace, self._copies)

    def search(self, query: Query, top_k: int = 10, **options: Any) -> list[dict[str, Any]]:
        """Return the pictures most like one, best first; options as `search_many` has them."""
        return self.search_many([query], top_k, **options)[0]

    def search_many(
        self,
        queries: Sequence[Query],
        top_k: int = 10,
        *,
        label: str | None = None,
        style: str | None = None,
        min_ppi: float = 0.0,
        license: str | None = None,
        subset: str | None = None,
        features: str | None = None,
        probe: int | None = None,
        recall: float | None = None,
        rank_by: str | None = None,
        exclude_self: bool = False,
        mean: bool = False,
        allow_private: bool = False,
        min_score: float | None = None,
        near_copies: str | None = None,
        flag: str | Sequence[str] = (),
        without_flag: str | Sequence[str] = (),
        no_flags: bool = False,
    ) -> list[list[dict[str, Any]]]:
        """Return the answers to each query; with `mean`, one list for all of them.

        Args:
            queries: each a path, a URL, an image_id of the index, the name of a label, words
                ("big cat -tiger"), the bytes of a picture, or a vector of any length: the (d,)
                numbers of the index, or those of the model's embedding alone.
            top_k: 1 to 10,000.
            label: predicted label of answers, in any case.
            style: of answers: photo, drawing, any, or same (None): the query's, where a head
                knows styles.
            min_ppi, license, subset: which pictures may answer, as the command has it.
            flag, without_flag, no_flags: names of flags that answers have one of, or none of;
                or answers have no flag at all.
            features: new, plain, or None for what the index has; beside an embedding alone, plain.
            probe, recall: how many cells to read, or the share of the ten best to find; None
                for what `mapsight search` takes.
            rank_by: score (None), ppi or diverse.
            exclude_self: leave out the query itself.
            mean: all queries are one.
            min_score: no answer has less; None for any.
            near_copies: fold makes near-duplicates one answer, with their number as `copies`;
                show (None) does not, unless `rank_by` is diverse.
            allow_private: whether URLs may lead to addresses that are not public.

        Returns:
            For each query a list of the objects that `mapsight search --format json` writes.

        Raises:
            ValueError: a query cannot be answered, or an option is not one that is allowed,
                which the message names.
        """
        options = SearchOptions(
            top_k, label, style, min_ppi, license, subset, features, probe, recall, rank_by,
            exclude_self, mean, allow_private, min_score, near_copies, flag, without_flag, no_flags,
        ).checked(self.labels)  # fmt: skip
        if features is not None and features not in (have := self.index.features()):
            raise ValueError(f"features {features!r}: the index has {', '.join(have)}")
        if isinstance(queries, str | PathLike):
            raise ValueError(f"{fspath(queries)}: a list of queries is expected; search takes one")
        questions = [self._question(query, features) for query in queries]
        if not questions:
            return []
        return self._answers(questions, options)

    def _answers(
        self, questions: list[Question], options: SearchOptions
    ) -> list[list[dict[str, Any]]]:
        self._refuse_incomparable(questions)
        read, pictures = self._workspace, self._pictures
        asked, _ = answer_by_index(
            read, self.index, questions, options, self._names, pictures, probe_here
        )
        raise_first(asked)
        give_credit([row for question in asked for row in question.answers], self._credits)
        return [list(answer_rows([question], (*FIELDS, *BY_INDEX))) for question in asked]

    def vector(self, picture: str | PathLike[str], *, allow_private: bool = False) -> np.ndarray:
        """Return the vector of a picture file or a URL: (d,) int16, for `search`.

        Raises:
            ValueError: it is not there, or is no picture that can be read.
            Failure: the model of the workspace cannot be read.
        """
        questions = [question_of(fspath(picture))]
        if questions[0].image_id:
            raise ValueError(f"{picture}: no such file")
        self._refuse_incomparable(questions)
        self._pictures.look_at(questions, allow_private=allow_private)
        give_vectors(questions, self._pictures)
        raise_first(questions)
        assert questions[0].vector is not None
        return questions[0].vector

    def _refuse_incomparable(self, questions: Sequence[Question]) -> None:
        """Refuse pictures from outside where the model has changed since the index was made."""
        outside = [question for question in questions if question.is_outside]
        if outside and not is_comparable(self._workspace):
            raise ValueError(f"{outside[0].typed}: {OTHER_MODEL}")

    def _question(self, query: Query, features: str | None) -> Question:
        if isinstance(query, Question):
            return query
        if isinstance(query, bytes):
            return Question("picture", data=query)
        if isinstance(query, str | PathLike):
            return question_of(fspath(query))
        lengths = vector_lengths(self.index, features)
        return Question("vector", numbers=whole_numbers(np.asarray(query), lengths))
