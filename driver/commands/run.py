"""The commands run, status, report and model."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from driver.commands.dry_run import dry_run
from driver.commands.metadata_alone import explore_alone, is_alone
from driver.commands.run_summary import print_summary
from driver.errors import Failure, UsageError
from driver.options.defaults import choose_input
from driver.options.groups import STAGES, usual_workspace
from driver.output_files import check_folder
from driver.pipeline.pipeline import Pipeline
from driver.results.publish import copy_results
from driver.results.render import download_results, report_to, with_duplicates
from driver.runners import check_runner
from driver.search.notices import changes_lines, tell_stale
from driver.stage_table import STAGE_TABLE
from driver.stages import duplicates
from driver.stages.classify import check_options
from driver.stages.duplicates import duplicates_are_damaged, stages_of_results
from driver.stages.explore import check_headers
from driver.stages.model import Model, check_model, find_model, given_model
from driver.stages.plan import inputs_of
from driver.workspace.publishing import Source, copy_into
from driver.workspace.workspace import Workspace
from mapsight.index.collection import collection_of
from mapsight.redaction import without_secrets
from mapsight.storage.hadoop_conf import hadoop_command
from mapsight.workspace.links import files_below
from mapsight.workspace.workspace import is_current

__all__ = ["model", "report", "run", "status"]


def run(options: Namespace, command: str) -> int:
    """Bring the workspace up to date, and say where the results are."""
    check_runner(options)
    workspace = Workspace(options.workspace)
    choose_input(options, lambda: inputs_of(workspace))
    if options.dry_run:
        return dry_run(options, workspace)
    _make_folder(options.results)
    with workspace.locked():
        pipeline = Pipeline(options, workspace)
        pipeline.memo.update(
            command=without_secrets(command), started=time.strftime("%Y-%m-%dT%H:%M:%S%z")
        )
        check_options(pipeline)
        check_headers(pipeline)
        if is_alone(pipeline):
            return explore_alone(pipeline, next(s for s in STAGE_TABLE if s.name == "explore"))
        check_model(options)
        with pipeline.attended(alone=True):
            twice = options.duplicates or duplicates_are_damaged(workspace)
            pipeline.run([stage for stage in STAGE_TABLE if stage is not duplicates.STAGE or twice])
        finished = pipeline.reports[-1].name == STAGES[-1]
        where, summary = {}, None
        if finished:
            where = _show(workspace, options)
            path = workspace.uri("results", "summary.json")
            summary = json.loads(workspace.fs.cat_file(workspace.fs._strip_protocol(path)))
        places = {name: place for name, place in where.items() if name != "report"}
        print_summary(pipeline, summary, {**places, "workspace": workspace.uri()})
        tell_stale(collection_of(workspace))
        if finished:
            sys.stdout.write(where["report"] + "\n")
    return 0


def _make_folder(results: str | None) -> None:
    """Make the folder of --results, and write to it, before hours of work, not after."""
    if not results:
        return
    try:
        Path(results).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--results {results}: cannot be made: {error.strerror}") from None
    try:
        with tempfile.NamedTemporaryFile(prefix=".mapsight-", dir=results) as file:
            file.write(b"can it be written?")
    except OSError as error:
        raise UsageError(f"--results {results}: cannot be written: {error.strerror}") from None


def _show(workspace: Workspace, options: Namespace) -> dict[str, str]:
    """Publish results/ and report/, and copy them where asked; where they are."""
    workspace.publish(stages_of_results(workspace), "results")
    workspace.publish(["render"], "report")
    where = {
        "results": workspace.uri("results"),
        "report": workspace.uri("report", "index.html"),
    }
    if options.results:
        folder = Path(options.results)
        left = copy_results(workspace, folder)
        if left:
            sys.stderr.write(f"too large to copy to {folder}: {', '.join(left)}\n")
        where = {"results": str(folder), "report": str(folder / "report" / "index.html")}
    return where


def status(options: Namespace) -> int:
    """Print a line for every stage of a workspace."""
    workspace = Workspace(options.workspace)
    try:
        workspace.require_workspace()
    except Failure as error:
        raise Failure(f"{error}{_elsewhere(options)}") from None
    head = ("stage", "state", "parts", "bytes", "seconds", "counters, applications")
    rows: list[tuple[str, ...]] = [head]
    known = {name: workspace.committed(name) for name in STAGES}
    rows += [_status_of(workspace, name, known) for name in STAGES]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    for row in rows:
        cells = [
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=False))
        ]
        sys.stdout.write("  ".join([*cells, row[5]]).rstrip() + "\n")
    sys.stdout.writelines(f"{line}\n" for line in changes_lines(workspace))
    return 0


def _elsewhere(options: Namespace) -> str:
    """Where that of -r hadoop would be, for those who have Hadoop and named none."""
    usual = usual_workspace("hadoop")
    named = options.workspace != usual_workspace("inline")
    return "" if named or not hadoop_command() else f"; with -r hadoop: --workspace {usual}"


def _status_of(
    workspace: Workspace, stage: str, known: dict[str, dict[str, Any] | None]
) -> tuple[str, ...]:
    document = known[stage]
    if document is None:
        fault = workspace.fault(stage)
        return stage, "damaged: run again" if fault else "not run", "", "", "", fault
    state = "done" if workspace.intact(document) else "damaged: run again"
    if not is_current(workspace, document, known):
        state = "of an earlier run"
    size = sum(part["bytes"] for part in document["parts"])
    told = [
        f"{key} {count:,}"
        for group, values in sorted(document["counters"].items())
        if group in ("images", "archives", "explore", "annotations", "examples")
        for key, count in sorted(values.items())
    ]
    told += document.get("applications", [])
    count, seconds = str(len(document["parts"])), f"{document['seconds']:,.1f}"
    return stage, state, count, f"{size:,}", seconds, ", ".join(told)


def report(options: Namespace) -> int:
    """Write the report again from the committed results."""
    check_folder("--out", options.out)
    workspace = Workspace(options.workspace)
    documents = {}
    for name in ("extract", "classify", "merge"):
        documents[name] = workspace.required(
            name, "there are no results yet; run the pipeline first"
        )
    with _place_for_report(workspace, options.out) as scratch:
        results = scratch / "results"
        download_results(workspace, results)
        documents = with_duplicates(workspace, documents, results)
        target = scratch / "report"
        report_to(workspace, documents, results, target)
        page = _place_report(workspace, target, options.out)
    sys.stdout.write(f"{page}\n")
    return 0


def _place_report(workspace: Workspace, made: Path, out: str | None) -> str:
    """Put a report where it was asked for, else into the workspace; the page's address."""
    if not out:
        workspace.replace(made, "report")
        return workspace.uri("report", "index.html")
    copy_into(Path(out), {name: Source(made / name) for name, _ in files_below(made)})
    return str(Path(out) / "index.html")


@contextlib.contextmanager
def _place_for_report(workspace: Workspace, out: str | None) -> Iterator[Path]:
    """Yield a scratch folder; the workspace is held where the report is to replace its own."""
    if out:
        with tempfile.TemporaryDirectory(prefix="mapsight-report-") as scratch:
            yield Path(scratch)
        return
    with workspace.locked():
        yield workspace.scratch


def model(options: Namespace) -> int:
    """Build the model file if it is missing; print its path and SHA-256."""
    found = given_model(options.model) if options.model else _built_model(options)
    record = found.path.with_suffix(".json")
    document = {"path": str(found.path), "sha256": found.sha256}
    if record.is_file():
        document["provenance"] = json.loads(record.read_text(encoding="utf-8"))
    sys.stdout.write(json.dumps(document, indent=1) + "\n")
    return 0


def _built_model(options: Namespace) -> Model:
    return find_model(
        options.alpha,
        options.resolution,
        options.precision,
        weights=options.weights,
        calibration=options.calibration,
        check=options.check,
    )
