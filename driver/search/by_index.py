"""The command search by the index: this process reads what is small, a job the rest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from driver.pipeline.pipeline import Pipeline
from driver.search.asked import Asked
from driver.search.vectors import check_lengths
from driver.stages.recall import probe_cells, score_cells
from mapsight.records import OTHER
from mapsight.search.by_index import Scorer, answer_by_index, probe_here
from mapsight.search.choices import READ_LIMIT
from mapsight.search.options import SearchOptions
from mapsight.search.query_pictures import QueryPictures
from mapsight.search.question import Question
from mapsight.search.search_index import SearchIndex
from mapsight.text import plain

__all__ = ["index_answerer"]


def index_answerer(
    run: Pipeline, index: SearchIndex, pictures: QueryPictures, label: str | None
) -> Callable[[list[Question]], list[Question]]:
    """Return what gives questions their answers and says how much of the index was read.

    Args:
        label: that answers must have; None for any.
    """
    options, asked = replace(run.options_of(SearchOptions), label=label), run.options_of(Asked)
    labels = [*pictures.classifier.labeler.targets, OTHER]
    scorer = _scorer(run, asked)

    def answer(questions: list[Question]) -> list[Question]:
        check_lengths(questions, sorted({index.facts.plain_d, index.facts.d}))
        answered, rounds = answer_by_index(
            run.workspace, index, questions, options, labels, pictures, scorer
        )
        sys.stderr.writelines(
            f"{plain(one.typed)}: understood as {plain(one.understood)}\n"
            for one in questions
            if one.understood
        )
        if rounds and not (asked.each or _says_it(asked, answered)):
            sys.stderr.write(f"{rounds.summary()}\n")
        return answered

    return answer


def _scorer(run: Pipeline, asked: Asked) -> Scorer:
    """Return what scores cells: this process where `is_small` by --read-limit, else a job."""
    if asked.job:
        return partial(probe_cells, run)
    if asked.no_job:
        return probe_here
    return partial(score_cells, run, most=(asked.read_limit or READ_LIMIT) << 20)


def _says_it(asked: Asked, questions: Sequence[Question]) -> bool:
    """Return whether the table on standard output ends with what was read: nobody else need say."""
    return len(questions) == 1 and asked.format == "table" and not asked.out
