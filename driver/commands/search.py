"""The command search: prepare queries, run one job, show the answers."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from driver.errors import UsageError
from driver.needs import JOB_NEEDS, REPORT, Need, asks
from driver.options.groups import add_job_options, add_program_options, add_workspace_option
from driver.options.types import not_negative, positive, share
from driver.output_files import check_file
from driver.pipeline.jobs import Job
from driver.pipeline.pipeline import Pipeline
from driver.pipeline.typed_options import TypedOptions
from driver.runners import check_runner, pipeline_of
from driver.search.by_index import index_answerer
from driver.search.idle_filters import idle_filters
from driver.search.line_by_line import answer_each, copied_index, tell_errors
from driver.search.notices import tell_earlier, tell_stale
from driver.search.queries import STDIN, typed_queries
from driver.search.show import show
from driver.stages.head_file import check_given_head, fitted_head
from driver.stages.recall import removed_arguments
from driver.workspace.workspace import SEARCH, Workspace
from mapsight.index.collection import (
    OTHER_MODEL,
    Collection,
    collection_of,
    has_index,
    require_index,
)
from mapsight.labels.labeler import resolve_targets
from mapsight.labels.made_with import classifier_of, settings_of
from mapsight.records import OTHER
from mapsight.results.predictions import merged_records
from mapsight.search.choices import BY, FEATURES, MAX_TOP_K, RANKS, STYLES, TARGET_RECALL
from mapsight.search.copied_index import probe_here
from mapsight.search.exact import Query
from mapsight.search.index_queries import REMOVED
from mapsight.search.query_pictures import QueryPictures, question_of
from mapsight.search.question import Question
from mapsight.search.search_index import SearchIndex
from mapsight.workspace.workspace import is_current

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
  %(prog)s 00966a975d566c45 --no-job --format json
  %(prog)s --queries - --no-job --format json          (answers each line as it comes)
"""
USUAL = (
    *("queries", "by", "top-k", "label", "min-ppi", "format", "out", "no-job", "workspace"),
    *("runner",),
)
NEEDS = (Need("--format html", REPORT, asks("format", "html")), *JOB_NEEDS)
FOR_OUTPUT = True

FIND_IMAGES = Job("mr_jobs.find_images", reduces=False)
SEARCH_IMAGES = Job("mr_jobs.search_images")
Answerer = Callable[[list[Question]], list[Question]]

ANSWER_BYTES = 500
INDEX_ONLY = (
    *("features", "probe", "recall", "style", "license", "subset", "rank_by"),
    "mean",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of search."""
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
    parser.add_argument(
        "--format",
        choices=["table", "json", "html"],
        default="table",
        help="form of the answers; html needs --out (default: %(default)s)",
    )
    parser.add_argument(
        "--out", metavar="FILE", help="file to write the answers to (default: standard output)"
    )
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
    group = parser.add_argument_group("which pictures may answer")
    group.add_argument("--label", help="only pictures with this label (default: any)")
    group.add_argument(
        "--min-ppi",
        type=not_negative,
        default=0.0,
        metavar="PPI",
        help="only pictures with this PPI or more (default: %(default)g)",
    )
    _filter_options(group)
    _index_options(parser.add_argument_group("by the index"))
    add_workspace_option(parser)
    add_job_options(parser)
    add_program_options(parser)


def _filter_options(group: argparse._ArgumentGroup) -> None:
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
    group.add_argument(
        "--no-job",
        action="store_true",
        help="answer in this process, from a copy of the index that is made on this "
        "machine at first use. The answers are the same. Starting takes a second "
        "or two, a query then milliseconds: ask many with --queries -, or from "
        "Python (docs/search.md)",
    )
    group.add_argument(
        "--copy",
        metavar="FOLDER",
        help="for --no-job: folder of that copy (default: WORKSPACE/copy, or "
        "~/.cache/mapsight/copies for a workspace elsewhere)",
    )


def run(options: Namespace) -> int:
    """Answer every query of the command line; 1 if one could not be answered."""
    _check(options)
    typed = typed_queries(options)
    workspace = Workspace(options.workspace, SEARCH)
    missing = "no pictures have been classified; run the pipeline first"
    documents = {name: workspace.required(name, missing) for name in ("extract", "classify")}
    current = is_current(workspace, documents["classify"])
    if not current:
        sys.stderr.write(
            f"{options.workspace}: a later run has read other pictures and gone no further;"
            " labels, index, results and report are those of the earlier one\n"
        )
    _choose_way(options, workspace)
    comparable = options.by != "index" or tell_earlier(workspace, silent=not current)
    with tempfile.TemporaryDirectory(prefix="mapsight-search-") as scratch:
        run = pipeline_of(TypedOptions(options), workspace, Path(scratch))
        run.documents = documents
        pictures = _pictures(run)
        answer = _answerer(run, pictures)
        if not comparable:
            answer = _only_inside(answer)
        with run.attended(alone=False):
            if options.each:
                with pictures.kept():
                    return answer_each(run, typed, answer)
            questions = answer([question_of(text) for text in typed])
        show(run, questions)
    return tell_errors(questions)


def _only_inside(answer: Answerer) -> Answerer:
    """Answer queries by id and label; pictures from outside cannot be compared with the index."""

    def answer_inside(questions: list[Question]) -> list[Question]:
        for question in questions:
            if question.image_id is None and not question.error:
                question.error = OTHER_MODEL
        return answer(questions)

    return answer_inside


def _check(options: Namespace) -> None:
    """What can be said before anything is read."""
    if options.top_k > MAX_TOP_K:
        raise UsageError(f"--top-k {options.top_k}: at most {MAX_TOP_K:,}")
    if options.format == "html" and not options.out:
        raise UsageError("--format html needs --out FILE")
    check_file("--out", options.out)
    if options.copy and not options.no_job:
        raise UsageError("--copy FOLDER goes with --no-job")
    if options.no_job:
        if options.by in ("features", "label"):
            raise UsageError(f"--no-job answers from the index, not --by {options.by}")
        options.by, options.runner = "index", "inline"
    options.each = options.no_job and options.queries == STDIN
    options.each &= not (options.mean or options.out)
    check_runner(options)


def _pictures(run: Pipeline) -> QueryPictures:
    """Return what looks at pictures from outside, by the head that was named, if any."""
    classifier = classifier_of(run.documents["classify"], _head(run))
    thumbnails = run.options.format == "html"
    return QueryPictures(
        run.workspace, run.scratch, run.documents, classifier, thumbnails=thumbnails
    )


def _answerer(run: Pipeline, pictures: QueryPictures) -> Answerer:
    """Return what gives questions their answers, by the way that was chosen."""
    settings, diagonal = settings_of(run.documents["classify"])
    label = _label(run.options.label, settings)
    if run.options.by == "index":
        if not run.options.no_job:
            index, scorer = SearchIndex(run.workspace, run.scratch), None
        else:
            index, scorer = copied_index(run), probe_here
        _remember(run, index.collection)
        sys.stderr.writelines(f"{line}\n" for line in idle_filters(run, index))
        return index_answerer(run, index, pictures, label, scorer)

    _remember(run, collection_of(run.workspace, run.scratch))

    def answer(questions: list[Question]) -> list[Question]:
        _look_up(run, questions)
        pictures.look_at(questions, allow_private=run.options.allow_private)
        _answer(run, questions, settings, diagonal, _head(run))
        return questions

    return answer


def _remember(run: Pipeline, collection: Collection) -> None:
    """Keep of which parts and removals answers are; tells of those that are of no use."""
    tell_stale(collection)
    run.memo["collection"] = collection


def _choose_way(options: Namespace, workspace: Workspace) -> None:
    """By the index where there is one, unless the user wants something that it cannot do."""
    if options.by is None:
        by_index = not options.head and has_index(workspace)
        options.by = "index" if by_index else "features"
    elif options.by == "index":
        if options.head:
            raise UsageError("--head FILE goes with --by features: the index keeps its own labels")
        require_index(workspace)
    if options.by != "index":
        typed = [f"--{name}".replace("_", "-") for name in INDEX_ONLY if getattr(options, name)]
        if typed:
            raise UsageError(f"{typed[0]} goes with --by index")


def _head(run: Pipeline) -> Path | None:
    """The head that labels pictures: named by --head, or that of the workspace, if any."""
    if run.options.head:
        check_given_head(run, run.documents["extract"]["options"])
        return Path(run.options.head).resolve()
    return fitted_head(run)


def _look_up(run: Pipeline, questions: Sequence[Question]) -> None:
    """Find the records of queries that are ids, all in one job."""
    wanted = sorted({q.image_id for q in questions if q.image_id})
    if not wanted:
        return
    ids = run.side_file("ids.json", json.dumps(wanted))
    stage = "extract" if run.options.by == "features" else "classify"
    collection: Collection = run.memo["collection"]
    output = run.collect(FIND_IMAGES, collection.addresses(stage), ["--ids", ids])
    records: dict[str, Any] = {}
    removed: set[str] = set()
    targets = settings_of(run.documents["classify"])[0]["targets"]
    labels = {label.casefold() for label in (*targets, OTHER)}
    for image_id, record in merged_records(output):
        if "error" in record:
            records.setdefault(image_id, record)
        elif collection.removed.hides(image_id, record.get("part", 0)):
            removed.add(image_id)
        else:
            records[image_id] = record
    for question in questions:
        if question.image_id:
            question.record = records.get(question.image_id)
            question.error = _why_not(question, labels)
            if question.error and question.image_id in removed:
                question.error = REMOVED


def _why_not(question: Question, labels: set[str]) -> str | None:
    if question.record is None:
        why = "no such file or image_id (results/predictions.parquet lists the ids)"
        is_label = question.typed.casefold() in labels
        return f"{why}; the name of a label is a query only --by index" if is_label else why
    if "error" in question.record:
        return f"this picture was rejected: {question.record['error']}, {question.record['detail']}"
    return None


def _answer(
    run: Pipeline,
    questions: Sequence[Question],
    settings: dict[str, Any],
    diagonal: float | None,
    head: Path | None,
) -> None:
    """Run all queries as one job and give each question its answers."""
    options = run.options
    wanted = _label(options.label, settings)
    queries = [_query(n, q, options, wanted) for n, q in enumerate(questions) if not q.error]
    if not queries:
        return
    lines = "".join(f"{query.to_json()}\n" for query in queries)
    arguments = ["--queries", run.side_file("queries.jsonl", lines), "--by", options.by]
    arguments += ["--targets", run.side_file("targets.json", json.dumps(settings))]
    if head:
        arguments += ["--head", str(head)]
    if diagonal:
        arguments += ["--screen-diagonal", str(diagonal)]
    stage = "extract" if options.by == "features" else "classify"
    collection: Collection = run.memo["collection"]
    arguments += removed_arguments(collection.removed)
    answers_bytes = ANSWER_BYTES * options.top_k * len(queries)
    output = run.collect(SEARCH_IMAGES, collection.addresses(stage), arguments, answers_bytes)
    for number, answers in merged_records(output):
        question = questions[int(number)]
        question.answers = [
            {"query": question.typed, "rank": rank, "image_id": image_id, **fields}
            | {"score": fields["label_score"] if options.by == "label" else round(score, 6)}
            for rank, (score, image_id, fields) in enumerate(answers, 1)
        ]


def _label(text: str | None, settings: dict[str, Any]) -> str | None:
    """The label named by --label, as the workspace writes it."""
    if text is None or text == OTHER:
        return text
    names = {name.casefold(): name for name in settings["targets"]}
    if text.casefold() not in names:
        try:
            (name,) = resolve_targets([text], settings["targets"])
        except ValueError as error:
            raise UsageError(f"--label: {error}") from None
        if name not in settings["targets"]:
            known = ", ".join([*settings["targets"], OTHER])
            raise UsageError(f"--label {text}: the workspace has {known}")
        return name
    return names[text.casefold()]


def _query(number: int, question: Question, options: Namespace, wanted: str | None) -> Query:
    assert question.record is not None
    question.filter = wanted or (question.label if options.by == "label" else None)
    exclude, digest = options.exclude_self, question.sha256 or question.record["sha256"]
    return Query(
        number=number,
        top_k=options.top_k,
        embedding=question.record.get("embedding", ""),
        label=question.filter,
        min_ppi=options.min_ppi,
        exclude_id=question.image_id if exclude else None,
        exclude_sha256=digest if exclude else None,
    )
