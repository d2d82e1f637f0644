"""Answering without a job, also each query of standard input as it comes."""

from __future__ import annotations

import io
import itertools
import sys
from collections.abc import Callable, Iterable, Sequence

from driver.pipeline.pipeline import Pipeline
from driver.search.asked import Asked
from driver.search.queries import queries_in
from driver.search.show import show
from mapsight.index.copies import Copies
from mapsight.search.copied_index import CopiedIndex
from mapsight.search.credits import CopiedCredits
from mapsight.search.query_pictures import question_of
from mapsight.search.question import Question
from mapsight.text import plain

__all__ = ["answer_each", "copied_index", "tell_errors"]


def copied_index(run: Pipeline) -> CopiedIndex:
    """The workspace's index with a copy on this machine, and of the results what answers tell."""
    asked = run.options_of(Asked)
    copies = Copies(run.workspace, asked.copy, sys.stderr.write)
    if asked.format != "table":
        run.facts.add(CopiedCredits(run.workspace, copies))
    return CopiedIndex(run.workspace, copies, run.scratch)


def answer_each(
    run: Pipeline,
    questions: Iterable[Question],
    answer: Callable[[list[Question]], list[Question]],
) -> int:
    """Answer what was asked, and each line of standard input as soon as it is there.

    An empty line ends the answers to a query, so that who asked knows that no more will come.
    """
    status = 0
    if isinstance(sys.stdin, io.TextIOWrapper):  # a bad byte costs its own query
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    lines = queries_in(iter(sys.stdin.readline, ""))
    for question in itertools.chain(questions, map(question_of, lines)):
        status |= _one(run, question, answer)
    return status


def _one(
    run: Pipeline, question: Question, answer: Callable[[list[Question]], list[Question]]
) -> int:
    questions = answer([question])
    show(run, questions)
    sys.stdout.write("\n")
    sys.stdout.flush()
    return tell_errors(questions)


def tell_errors(questions: Sequence[Question]) -> int:
    """A line on standard error for each query that could not be answered; 1 if there is one."""
    failed = [question for question in questions if question.error]
    for question in failed:
        sys.stderr.write(f"mapsight: error: {plain(f'{question.typed}: {question.error}')}\n")
    sys.stderr.flush()
    return 1 if failed else 0
