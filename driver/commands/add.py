"""The command add: new pictures join the index, and nothing that is there is touched."""

from __future__ import annotations

import argparse
import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from driver.commands.addition import FIRST_STAGES, LAST_STAGES, addition
from driver.commands.run_summary import stage_lines
from driver.errors import Failure, UsageError
from driver.needs import JOB_NEEDS
from driver.options.groups import (
    add_input_options,
    add_job_options,
    add_program_options,
    add_workspace_option,
)
from driver.pipeline.pipeline import Pipeline
from driver.runners import check_runner
from driver.search.notices import tell_stale
from driver.stages.explore import check_headers
from driver.workspace.changes import clean_changes, drop_addition, write_changes
from driver.workspace.workspace import Workspace
from mapsight.index.collection import require_index
from mapsight.index.part import IndexPart
from mapsight.results.predictions import merged_records, write_csv
from mapsight.search.search_index import SearchIndex
from mapsight.text import plain

GROUP = "Search"
DESCRIPTION = "Add pictures to the search index; what is there stays as it is."
EXAMPLES = """\
examples:
  %(prog)s new-pictures/
  %(prog)s lion.jpg 'more/*.jpg' shards/part.parquet
  %(prog)s -r local --openimages new-openimages/
  %(prog)s -r hadoop --images hdfs:///new --workspace hdfs:///user/me/mapsight

Labels, model, head and cells are those of the index. After a crash, run the same command again.
"""
USUAL = ("images", "openimages", "workspace", "runner")
NEEDS = JOB_NEEDS
FOR_OUTPUT = False

ADDED, REJECTED = "added.csv", "rejected.csv"
SHOWN = 3
SHOWN_IDS = 5


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of add."""
    parser.add_argument("pictures", nargs="*", help="pictures to add, as --images takes them")
    add_input_options(parser)
    add_workspace_option(parser)
    add_job_options(parser)
    add_program_options(parser)


def run(options: Namespace) -> int:
    """Index new pictures beside the others, and say how well they fit."""
    options.images = [*options.pictures, *options.images]
    if not (options.images or options.openimages):
        raise UsageError("name the pictures to add, or --openimages DIR (see --help)")
    check_runner(options)
    workspace = Workspace(options.workspace)
    require_index(workspace, current=True)
    with workspace.locked():
        require_index(workspace, current=True)
        index = SearchIndex(workspace, workspace.scratch)
        tell_stale(index.collection)
        _add(options, workspace, index)
    return 0


def _add(options: Namespace, workspace: Workspace, index: SearchIndex) -> None:
    run = addition(options, workspace, index)
    check_headers(run)
    with run.attended(alone=True):
        run.run(FIRST_STAGES)
        new = _usable(run) - _known(run)
        if new:
            run.run(LAST_STAGES)
    told = list(_told(run, kept=new > 0))
    sys.stderr.write("\n".join([*stage_lines(run), "", *told]) + "\n")
    if not new:
        drop_addition(run.workspace)
        sys.stderr.write("nothing to add: all of them are in the index already\n")
        return
    named = list(_named(run, new))
    part = IndexPart(run.workspace, index.changes.numbered + 1)
    base = index.parts[0]
    write_changes(workspace, index.changes.with_addition(part.rows, part.digest, base.digest))
    clean_changes(workspace)
    sys.stderr.write("\n".join([*named, _fit(index, part)]) + "\n")
    sys.stdout.write(f"{run.workspace.uri()}\n")


def _usable(run: Pipeline) -> int:
    images = run.documents["extract"]["counters"]["images"]
    usable = images.get("extracted", 0)
    if not usable:
        raise Failure(f"none of {images['read']:,} pictures can be used; nothing was added")
    return usable


def _known(run: Pipeline) -> int:
    return run.documents["known"]["counters"]["images"]["known"]


def _told(run: Pipeline, *, kept: bool) -> Iterator[str]:
    """What became of the pictures; `kept` says whether the addition's folder is."""
    images = run.documents["extract"]["counters"]["images"]
    errors = {code: n for code, n in images.items() if code not in ("read", "extracted")}
    known = _known(run)
    for name in (ADDED, REJECTED):  # those that are there are of an addition that was killed
        run.workspace.drop_file(name)
    yield f"{images['read']:,} pictures read, {_usable(run) - known:,} new"
    if known:
        first = run.documents["known"]["notes"]["first"]
        more = ", …" if known > len(first) else ""
        yield f"in the index already, left out: {known:,} ({', '.join(first)}{more})"
    if errors:
        counts = ", ".join(f"{code}: {n:,}" for code, n in sorted(errors.items()))
        yield f"rejected: {sum(errors.values()):,} ({counts})"
        yield from _rejected(run, sum(errors.values()), kept=kept)


def _rejected(run: Pipeline, n: int, *, kept: bool) -> Iterator[str]:
    """Write rejected.csv into the addition's folder; a few of its rows. Memory: a line."""
    shown: list[str] = []

    def rows() -> Iterator[dict[str, Any]]:
        for image_id, record in merged_records(run.workspace.parts("extract")):
            if "error" in record:
                if len(shown) < SHOWN:
                    shown.append(f"  {plain(record['source'])}: {plain(record['detail'])}")
                yield {"image_id": image_id, **record}

    path = run.scratch / REJECTED
    write_csv(path, ("image_id", "source", "error", "detail"), rows())
    run.workspace.keep(path, REJECTED)
    yield from shown
    if n > len(shown):
        rest = f"all of them: {run.workspace.uri(REJECTED)}"
        yield f"  … {rest if kept else f'and {n - len(shown):,} more'}"


def _named(run: Pipeline, n: int) -> Iterator[str]:
    """Write added.csv into the addition's folder; the first of its rows. Memory: a line."""
    shown: list[str] = []

    def rows() -> Iterator[dict[str, Any]]:
        for image_id, record in merged_records(run.workspace.parts("classify")):
            if "error" not in record:
                if len(shown) < SHOWN_IDS:
                    shown.append(f"  {image_id}  {plain(record['source'])}")
                yield {"image_id": image_id, "source": record["source"]}

    path = run.scratch / ADDED
    write_csv(path, ("image_id", "source"), rows())
    run.workspace.keep(path, ADDED)
    yield "image_id and source of the new pictures:"
    yield from shown
    if n > len(shown):
        yield f"  … all of them: {run.workspace.uri(ADDED)}"


def _fit(index: SearchIndex, part: IndexPart) -> str:
    """How far the new pictures lie from the centres of cells, against those these were made for."""
    base = index.parts[0]
    text = f"added: {part.rows:,} pictures to {index.rows:,}"
    if not base.spread:
        return text
    return (
        f"{text}; mean squared distance from the centres of their cells"
        f" {part.spread / base.spread:.2f} times that of the pictures the index was built of"
    )
