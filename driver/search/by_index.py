"""The command search by the index: one job for all queries, or this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from driver.pipeline.pipeline import Pipeline
from driver.search.asked import Asked
from driver.stages.recall import probe_cells
from mapsight.records import OTHER
from mapsight.search.by_index import Scorer, answer_by_index
from mapsight.search.options import SearchOptions
from mapsight.search.query_pictures import QueryPictures
from mapsight.search.question import Question
from mapsight.search.search_index import SearchIndex

__all__ = ["index_answerer"]


def index_answerer(
    run: Pipeline,
    index: SearchIndex,
    pictures: QueryPictures,
    label: str | None,
    scorer: Scorer | None = None,
) -> Callable[[list[Question]], list[Question]]:
    """Return what gives questions their answers and says how much of the index was read.

    Args:
        label: that answers must have; None for any.
        scorer: of cells; None runs a job.
    """
    options, shown = replace(run.options_of(SearchOptions), label=label), run.options_of(Asked)
    labels = [*pictures.classifier.labeler.targets, OTHER]
    score = scorer or partial(probe_cells, run)

    def answer(questions: list[Question]) -> list[Question]:
        asked, rounds = answer_by_index(
            run.workspace, index, questions, options, labels, pictures, score
        )
        if rounds and not (shown.each or _says_it(shown, asked)):
            sys.stderr.write(f"{rounds.summary()}\n")
        return asked

    return answer


def _says_it(options: Asked, asked: Sequence[Question]) -> bool:
    """Return whether the table on standard output ends with what was read: nobody else need say."""
    return len(asked) == 1 and options.format == "table" and not options.out
