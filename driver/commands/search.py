"""The command search: prepare queries, answer them here or by a job, show the answers."""

from __future__ import annotations

import argparse
import itertools
import os
import re
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.errors import UsageError
from driver.needs import JOB_NEEDS, REPORT, Need, asks
from driver.options.groups import add_job_options, add_program_options, add_workspace_option
from driver.output_files import check_file
from driver.runners import check_runner, pipeline_of
from driver.search.options import (
    add_filter_options,
    add_index_options,
    add_output_options,
    add_query_options,
)
from driver.search.queries import STDIN, typed_queries
from mapsight.search.choices import (
    MAX_TOP_K,
)

if TYPE_CHECKING:
    from driver.workspace.workspace import Workspace
    from mapsight.search.question import Question

GROUP = "Search"
DESCRIPTION = "Find the pictures of a workspace most like a query."
EXAMPLES = """\
examples:
  %(prog)s lion.jpg
  %(prog)s 00966a975d566c45 --top-k 20 --format json
  %(prog)s https://example.org/lion.jpg --by label --min-ppi 20
  %(prog)s --queries queries.txt --exclude-self --format html --out answers.html
  %(prog)s drawing.png --style photo --license by/2.0 --rank-by diverse
  %(prog)s "drawing of a big cat"
  %(prog)s Tiger zebra.jpg --mean --recall .99
  %(prog)s --vector words.npy                          (made by the model's text tower)
  %(prog)s --queries - --no-job --format json          (answers each line as it comes)
"""
USUAL = (
    *("queries", "by", "top-k", "label", "min-ppi", "format", "only-ids", "out", "workspace"),
    *("job", "no-job", "runner"),
)
APART = ("license", "rank-by", "subset")
NEEDS = (Need("--format html", REPORT, asks("format", "html")), *JOB_NEEDS)
FOR_OUTPUT = True
ANSWERS = re.compile(
    rb"""[^\n]*\n  rank +image_id |\{"query": |.*<title>Search results</title>""", re.DOTALL
)
"""How files of answers begin, in each form."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of search."""
    add_query_options(parser)
    add_output_options(parser)
    parser.add_argument(
        "--head",
        metavar="FILE",
        help="label by this head, not by --by index (default: the workspace's own)",
    )
    parser.add_argument(
        "--allow-private",
        action="store_true",
        help="also fetch queries from addresses that are not public",
    )
    add_filter_options(parser.add_argument_group("which pictures may answer"))
    add_index_options(parser.add_argument_group("by the index"))
    add_workspace_option(parser)
    add_job_options(parser)
    add_program_options(parser)


def run(options: Namespace) -> int:
    """Answer every query of the command line; 1 if one could not be answered."""
    # before numpy is imported: BLAS's threads wait for each other, at twice the processor seconds
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from driver.search.vectors import vector_questions
    from driver.workspace.workspace import SEARCH, Workspace
    from mapsight.search.by_scan import NOTHING
    from mapsight.search.query_pictures import question_of

    _check(options)
    typed, vectors = typed_queries(options), vector_questions(options.vector)
    workspace = Workspace(options.workspace, SEARCH)
    documents = {name: workspace.required(name, NOTHING) for name in ("extract", "classify")}
    with tempfile.TemporaryDirectory(prefix="mapsight-search-") as scratch:
        queries = itertools.chain(map(question_of, typed), vectors)
        return _search(options, workspace, documents, queries, Path(scratch))


def _search(
    options: Namespace,
    workspace: Workspace,
    documents: dict[str, dict[str, Any]],
    queries: Iterable[Question],
    scratch: Path,
) -> int:
    """Answer queries by the records of committed stages; return the exit status."""
    from driver.pipeline.typed_options import TypedOptions
    from driver.search.answerer import answerer, choose_way, only_inside, query_pictures
    from driver.search.line_by_line import answer_each, tell_errors
    from driver.search.notices import tell_earlier
    from driver.search.show import show

    current = _tell_unfinished(workspace, documents)
    choose_way(options, workspace)
    if options.near_copies is None and (options.format, options.by) == ("html", "index"):
        options.near_copies = "fold"
    comparable = options.by != "index" or tell_earlier(workspace, silent=not current)
    run = pipeline_of(TypedOptions(options), workspace, scratch)
    run.documents = documents
    pictures = query_pictures(run)
    answer = answerer(run, pictures)
    if not comparable:
        answer = only_inside(answer)
    with run.attended(alone=False):
        if options.each:
            with pictures.kept():
                return answer_each(run, queries, answer)
        questions = answer(list(queries))
    show(run, questions)
    return tell_errors(questions)


def _tell_unfinished(workspace: Workspace, documents: dict[str, dict[str, Any]]) -> bool:
    """Return whether labels are those of the last run; say so if they are not."""
    from mapsight.workspace.workspace import is_current

    current = is_current(workspace, documents["classify"])
    if not current:
        sys.stderr.write(
            f"{workspace.location}: a later run read other pictures and did not finish;"
            " labels, index, results and report are those of the earlier run\n"
        )
    return current


def is_answers(head: bytes) -> bool:
    """Return whether a file begins as one of answers."""
    return bool(ANSWERS.match(head))


def _check(options: Namespace) -> None:
    """What can be said before anything is read."""
    if options.top_k > MAX_TOP_K:
        raise UsageError(f"--top-k {options.top_k}: at most {MAX_TOP_K:,}")
    if options.only_ids and options.format != "table":
        raise UsageError(f"--only-ids excludes --format {options.format}")
    if options.format == "html" and not options.out:
        raise UsageError("--format html needs --out FILE")
    if options.vector and options.by == "label":
        raise UsageError("--vector FILE excludes --by label: a vector has no label")
    check_file("--out", options.out, is_answers)
    _check_place(options)
    options.each = options.no_job and options.queries == STDIN
    options.each &= not (options.mean or options.out)
    check_runner(options)


def _check_place(options: Namespace) -> None:
    """Settle where queries are answered."""
    if options.copy and not options.no_job:
        raise UsageError("--copy FOLDER needs --no-job")
    for name in ("no_job", "read_limit"):
        if options.job and getattr(options, name):
            raise UsageError(f"--job excludes --{name.replace('_', '-')}")
    if options.no_job:
        if options.by in ("features", "label"):
            raise UsageError(f"--no-job answers from the index and excludes --by {options.by}")
        options.by, options.runner = "index", "inline"
