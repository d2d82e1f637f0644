"""The command search: prepare queries, answer them here or by a job, show the answers."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.errors import UsageError
from driver.needs import JOB_NEEDS, REPORT, Need, asks
from driver.options.groups import add_job_options, add_program_options, add_workspace_option
from driver.options.types import not_negative, positive, share
from driver.output_files import check_file
from driver.runners import check_runner, pipeline_of
from driver.search.queries import STDIN, typed_queries
from mapsight.search.choices import (
    BY,
    FEATURES,
    MAX_TOP_K,
    RANKS,
    READ_LIMIT,
    STYLES,
    TARGET_RECALL,
)

if TYPE_CHECKING:
    from driver.workspace.workspace import Workspace

GROUP = "Search"
DESCRIPTION = "Find the pictures of a workspace most like a query."
EXAMPLES = """\
examples:
  %(prog)s lion.jpg
  %(prog)s 00966a975d566c45 --top-k 20 --format json
  %(prog)s https://example.org/lion.jpg --by label --min-ppi 20
  %(prog)s --queries queries.txt --exclude-self --format html --out answers.html
  %(prog)s drawing.png --style photo --license by/2.0 --rank-by diverse
  %(prog)s Tiger zebra.jpg --mean --recall .99
  %(prog)s --queries - --no-job --format json          (answers each line as it comes)
"""
USUAL = (
    *("queries", "by", "top-k", "label", "min-ppi", "format", "out", "workspace"),
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
    _query_options(parser)
    _output_options(parser)
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
    _filter_options(parser.add_argument_group("which pictures may answer"))
    _index_options(parser.add_argument_group("by the index"))
    add_workspace_option(parser)
    add_job_options(parser)
    add_program_options(parser)


def _query_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query", nargs="*", help="picture file, URL, image_id or, with an index, name of a label"
    )
    parser.add_argument(
        "--queries",
        metavar="FILE",
        help="file with one query per line; - is standard input (default: none)",
    )
    parser.add_argument(
        "--by",
        choices=BY,
        help="index: the most similar pictures in the nearest cells; features: the "
        "most similar of all pictures; label: pictures of the same label, highest "
        "PPI first (default: index if there is one, else features)",
    )
    parser.add_argument(
        "--top-k",
        type=positive,
        default=10,
        metavar="K",
        help=f"answers per query, at most {MAX_TOP_K:,} (default: %(default)s)",
    )
    parser.add_argument("--exclude-self", action="store_true", help="leave out the query itself")


def _output_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format",
        choices=["table", "json", "html"],
        default="table",
        help="form of the answers; html needs --out (default: %(default)s)",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="file to write the answers to (default: standard output)"
    )


def _filter_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--label", help="only pictures with this label (default: any)")
    group.add_argument(
        "--min-ppi",
        type=not_negative,
        default=0.0,
        metavar="PPI",
        help="only pictures with this PPI or more (default: %(default)g)",
    )
    group.add_argument(
        "--style",
        choices=STYLES,
        help="by the index: pictures of this predicted style; same is the query's "
        "(default: same, where a head knows styles)",
    )
    group.add_argument(
        "--license",
        metavar="TEXT",
        help="by the index: pictures whose licence address contains this text, as in "
        "by/2.0 (default: any)",
    )
    group.add_argument(
        "--subset",
        metavar="NAME",
        help="by the index: pictures of this subset, such as train (default: any)",
    )


def _index_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--probe",
        type=positive,
        metavar="N",
        help="cells to read per query, nearest first (default: as many as --recall needs)",
    )
    group.add_argument(
        "--recall",
        type=share,
        metavar="SHARE",
        help="share of the true ten best to find, 0 to 1, as measured when the index "
        f"was built (default: {TARGET_RECALL})",
    )
    group.add_argument(
        "--rank-by",
        choices=RANKS,
        help="score: similarity; ppi: the highest PPI among four times as many pictures;"
        " diverse: near-duplicates are one answer, and answers differ from each other"
        " (default: score)",
    )
    group.add_argument(
        "--mean", action="store_true", help="search once for the mean of all queries"
    )
    group.add_argument(
        "--features",
        choices=FEATURES,
        help="new: embeddings and label scores; plain: embeddings alone (default: new "
        "where a head was fitted)",
    )
    _place_options(group)


def _place_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--read-limit",
        type=positive,
        metavar="MIB",
        help="answer in this process where the cells have no more than this, else by a job "
        f"(default: {READ_LIMIT})",
    )
    group.add_argument(
        "--job", action="store_true", help="answer by a job in any case; the answers are the same"
    )
    group.add_argument(
        "--no-job",
        action="store_true",
        help="never run a job: answer from a copy of the whole index that is made on this "
        "machine at first use, after which a query takes milliseconds; ask many with "
        "--queries -, or from Python (docs/search.md)",
    )
    group.add_argument(
        "--copy",
        metavar="FOLDER",
        help="for --no-job: folder of that copy (default: WORKSPACE/copy, or "
        "~/.cache/mapsight/copies for a workspace elsewhere)",
    )


def run(options: Namespace) -> int:
    """Answer every query of the command line; 1 if one could not be answered."""
    # before numpy is imported: BLAS's threads wait for each other, at twice the processor seconds
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from driver.workspace.workspace import SEARCH, Workspace
    from mapsight.search.by_scan import NOTHING

    _check(options)
    typed = typed_queries(options)
    workspace = Workspace(options.workspace, SEARCH)
    documents = {name: workspace.required(name, NOTHING) for name in ("extract", "classify")}
    with tempfile.TemporaryDirectory(prefix="mapsight-search-") as scratch:
        return _search(options, workspace, documents, typed, Path(scratch))


def _search(
    options: Namespace,
    workspace: Workspace,
    documents: dict[str, dict[str, Any]],
    typed: list[str],
    scratch: Path,
) -> int:
    """Answer queries by the records of committed stages; return the exit status."""
    from driver.pipeline.typed_options import TypedOptions
    from driver.search.answerer import answerer, choose_way, only_inside, query_pictures
    from driver.search.line_by_line import answer_each, tell_errors
    from driver.search.notices import tell_earlier
    from driver.search.show import show
    from mapsight.search.query_pictures import question_of

    current = _tell_unfinished(workspace, documents)
    choose_way(options, workspace)
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
                return answer_each(run, typed, answer)
        questions = answer([question_of(text) for text in typed])
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
    if options.format == "html" and not options.out:
        raise UsageError("--format html needs --out FILE")
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
