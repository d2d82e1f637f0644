"""What answers the queries of the command search, by the way that its options ask for."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

from driver.errors import UsageError
from driver.pipeline.pipeline import Pipeline
from driver.search.asked import Asked
from driver.search.by_index import index_answerer
from driver.search.by_scan import scan_answerer
from driver.search.idle_filters import idle_filters
from driver.search.line_by_line import copied_index
from driver.search.notices import tell_stale
from driver.stages.head_file import check_given_head, fitted_head
from driver.workspace.workspace import Workspace
from mapsight.index.collection import (
    OTHER_MODEL,
    Collection,
    collection_of,
    has_index,
    require_index,
)
from mapsight.labels.flags import ODD
from mapsight.labels.made_with import classifier_of, targets_of
from mapsight.search.choices import INDEX_ONLY
from mapsight.search.options import SearchOptions, known_label
from mapsight.search.query_pictures import QueryPictures
from mapsight.search.question import Question
from mapsight.search.search_index import SearchIndex
from mapsight.workspace.stage_facts import ExtractOptions

__all__ = ["Answerer", "answerer", "choose_way", "only_inside", "query_pictures"]

Answerer = Callable[[list[Question]], list[Question]]


def choose_way(options: Namespace, workspace: Workspace) -> None:
    """Search by the index where there is one, unless the user wants something that it cannot do."""
    if options.by is None:
        by_index = not options.head and has_index(workspace)
        options.by = "index" if by_index else "features"
    elif options.by == "index":
        if options.head:
            raise UsageError("--head FILE needs --by features: the index keeps its own labels")
        require_index(workspace)
    if options.by != "index":
        names = (*INDEX_ONLY, "read_limit")
        typed = [f"--{name}".replace("_", "-") for name in names if getattr(options, name)]
        if typed:
            raise UsageError(f"{typed[0]} needs --by index")
        for name in ("flag", "without_flag"):
            if ODD in getattr(options, name):
                flag = f"--{name.replace('_', '-')} {ODD}"
                raise UsageError(f"{flag} excludes --by {options.by}: only the index knows it")


def query_pictures(run: Pipeline) -> QueryPictures:
    """Return what looks at pictures from outside, by the head that was named, if any."""
    classifier = classifier_of(run.documents["classify"], _head(run))
    thumbnails = run.options_of(Asked).format == "html"
    return QueryPictures(
        run.workspace, run.scratch, run.documents, classifier, thumbnails=thumbnails
    )


def answerer(run: Pipeline, pictures: QueryPictures) -> Answerer:
    """Return what gives questions their answers, by the way that was chosen."""
    asked, named = run.options_of(Asked), run.options_of(SearchOptions).label
    label = _label(named, targets_of(run.documents["classify"]))
    if asked.by != "index":
        collection = collection_of(run.workspace, run.scratch)
        _remember(run, collection)
        return scan_answerer(run, collection, pictures, label, _head(run))
    index = copied_index(run) if asked.no_job else SearchIndex(run.workspace, run.scratch)
    _remember(run, index.collection)
    sys.stderr.writelines(f"{line}\n" for line in idle_filters(run, index))
    return index_answerer(run, index, pictures, label)


def _remember(run: Pipeline, collection: Collection) -> None:
    """Keep of which parts and removals answers are; tells of those that are of no use."""
    tell_stale(collection)
    run.facts.add(collection)


def only_inside(answer: Answerer) -> Answerer:
    """Answer queries by id and label; pictures from outside cannot be compared with the index."""

    def answer_inside(questions: list[Question]) -> list[Question]:
        for question in questions:
            if question.is_outside:
                question.error = OTHER_MODEL
        return answer(questions)

    return answer_inside


def _head(run: Pipeline) -> Path | None:
    """Return the head that labels pictures: named by --head, or that of the workspace, if any."""
    if head := run.options_of(Asked).head:
        check_given_head(run, vars(ExtractOptions.of(run.documents["extract"])))
        return Path(head).resolve()
    return fitted_head(run)


def _label(text: str | None, targets: Mapping[str, str]) -> str | None:
    """Return the label named by --label, as the workspace writes it."""
    try:
        return known_label(text, targets)
    except ValueError as error:
        raise UsageError(f"--{error}") from None
