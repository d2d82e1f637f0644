"""An addition to an index: the pipeline's own stages, with what the workspace has learned."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from driver.errors import Failure
from driver.pipeline.pipeline import Pipeline
from driver.pipeline.stage import Outcome
from driver.pipeline.typed_options import TypedOptions
from driver.runners import pipeline_of
from driver.stages import (
    annotate,
    classify,
    extract,
    fetch,
    fit,
    index,
    ingest,
    known,
    plan,
    vectors,
)
from driver.stages.head_file import GivenHead
from driver.stages.model import ModelOptions
from driver.stages.outputs import CellFiles
from driver.workspace.workspace import Workspace
from mapsight.files import sha256_of
from mapsight.index.layout import CENTRES, KINDS, LEARNED, PROJECTION
from mapsight.labels.labeler import Labels
from mapsight.labels.made_with import HEAD, settings_of
from mapsight.search.search_index import SearchIndex
from mapsight.workspace.index_facts import IndexNotes
from mapsight.workspace.stage_facts import ExtractNotes, ExtractOptions

__all__ = ["FIRST_STAGES", "LAST_STAGES", "addition"]

NEEDED = ("extract", "fit", "classify", "index")
KEPT_NAME = 17
"""Of the name under which a workspace keeps its model, what was put before it."""


def addition(options: Namespace, workspace: Workspace, base: SearchIndex) -> Pipeline:
    """A pipeline in the next addition's own folder, to be run with the workspace's lock held.

    Raises:
        Failure: the model or the head is missing or has changed.
    """
    place = workspace.inside(*base.changes.next_place)
    place.claim()
    part = base.changes.numbered + 1
    documents = {name: workspace.required(name) for name in NEEDED}
    typed = TypedOptions(options, *_as_the_base(options, workspace, documents, part))
    run = pipeline_of(typed, place, workspace.scratch, home=workspace)
    run.facts.add(base)
    run.facts.add(settings_of(documents["classify"])[0])
    return run


def _as_the_base(
    options: Namespace, workspace: Workspace, documents: dict[str, dict[str, Any]], part: int
) -> Iterator[object]:
    """Yield what a run would be told: model, head and index are those of the workspace."""
    used = ExtractOptions.of(documents["extract"])
    _, diagonal = settings_of(documents["classify"])
    model, head = _fetched_model(workspace, documents["extract"]), _fetched_head(workspace)
    yield plan.Options(options.splits, options.url_column, results=None)
    keras = used.engine == "keras"
    yield ModelOptions(
        used.alpha or 1.0,
        used.resolution,
        used.precision,
        used.engine,
        weights=model if keras else None,
        calibration=None,
        model=None if keras else model,
    )
    column = options.image_column or used.image_column
    yield extract.Options(column, options.max_rejected, part)
    yield known.Options(part)
    yield annotate.Options((), min_confidence=0.0, subset=(), license="")  # all of them
    yield GivenHead(head)
    yield fit.Options(no_fit=head is None)
    yield classify.Options((), labels_typed=False, screen_diagonal=diagonal)
    yield vectors.Options(no_index=False)
    yield index.Options(IndexNotes.of(documents["index"]).dtype, part)


def _fetched_model(workspace: Workspace, extract: dict[str, Any]) -> str:
    """A copy of the model, under the name from which the workspace's was made."""
    name = ExtractNotes.of(extract).model_file
    folder = workspace.scratch / "model"
    folder.mkdir(exist_ok=True)
    path = folder / name.rsplit("/", 1)[-1][KEPT_NAME:]
    try:
        workspace.fetch(workspace.within(name), path)
    except OSError as error:
        raise Failure(f"{workspace.uri(name)}: cannot be read: {error}") from error
    if sha256_of(path) != ExtractOptions.of(extract).model:
        raise Failure(f"{workspace.uri(name)} is not the model that the index was made with")
    return str(path)


def _fetched_head(workspace: Workspace) -> str | None:
    heads = workspace.sound_parts("fit", f"/{HEAD}")
    if not heads:
        return None
    path = workspace.scratch / f"base-{HEAD}"
    workspace.fetch(heads[0], path)
    return str(path)


def _settings(run: Pipeline) -> dict[str, Any]:
    """Targets and hierarchy as the workspace has them, in the form of the stage classify."""
    labels, diagonal = run.facts[Labels], run.options_of(classify.Options).screen_diagonal
    targets = list(labels.targets.items())
    return {"targets": targets, "parents": labels.parents, "diagonal": diagonal}


def _index_identity(run: Pipeline) -> dict[str, Any]:
    """The index whose cells it shares, and how vectors are stored."""
    base = run.facts[SearchIndex]
    return {"base": base.parts[0].digest, "dtype": base.facts.dtype}


def _index(run: Pipeline, folder: str) -> Outcome:
    """Writes the new rows by the cells of the base."""
    base = run.facts[SearchIndex]
    projected = 0 < base.facts.cells_d < base.facts.d
    names = (LEARNED, PROJECTION) if projected else (CENTRES,)
    for name in names:
        (run.scratch / name).write_bytes(base.parts[0].read(name))
    cells_at = CellFiles(*(run.scratch / name for name in names))
    counts = np.zeros(len(base.centres), np.int64)
    cells = base.parts[0].cells
    counts[cells.column("cell").to_numpy()] = cells.column("rows").to_numpy()
    part = base.parts[0]
    kinds = part.read(KINDS).decode() if part.has(KINDS) else "{}"
    return index.build(run, folder, cells_at, counts.tolist(), kinds, with_centres=False)


FIRST_STAGES = [one.STAGE for one in (plan, ingest, fetch, extract, annotate, known)]
LAST_STAGES = [
    fit.STAGE,
    replace(classify.STAGE, needs=(*classify.STAGE.needs, "known"), identity=_settings),
    replace(vectors.STAGE, needs=(*vectors.STAGE.needs, "known")),
    replace(index.STAGE, needs=("vectors",), identity=_index_identity, perform=_index),
]
