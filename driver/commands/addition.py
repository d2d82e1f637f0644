"""An addition to an index: the pipeline's own stages, with what the workspace has learned."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import Any

import numpy as np

from driver.errors import Failure
from driver.pipeline.pipeline import Pipeline
from driver.pipeline.stage import Outcome, Stage
from driver.stage_table import STAGE_TABLE
from driver.stages import known
from driver.stages.classify import settings_of
from driver.stages.head_file import HEAD
from driver.stages.index import build
from driver.workspace.workspace import Workspace
from mapsight.files import sha256_of
from mapsight.index.layout import CENTRES
from mapsight.search.search_index import SearchIndex

__all__ = ["FIRST_STAGES", "LAST_STAGES", "addition"]

NEEDED = ("extract", "fit", "classify", "index")
KEPT_NAME = 17
"""Of the name under which a workspace keeps its model, what was put before it."""


def addition(options: Namespace, workspace: Workspace, index: SearchIndex) -> Pipeline:
    """A pipeline in the next addition's own folder, to be run with the workspace's lock held.

    Raises:
        Failure: the model or the head is missing or has changed.
    """
    place = workspace.inside(*index.changes.next_place)
    place.claim()
    documents = {name: workspace.required(name) for name in NEEDED}
    _as_the_base(options, workspace, documents)
    run = Pipeline(options, place, workspace.scratch, home=workspace)
    run.memo |= {"index": index, "part": index.changes.numbered + 1}
    run.memo["settings"], options.screen_diagonal = settings_of(documents["classify"])
    return run


def _as_the_base(
    options: Namespace, workspace: Workspace, documents: dict[str, dict[str, Any]]
) -> None:
    """Set what a run would be told: model, head and index are those of the workspace."""
    used, facts = documents["extract"]["options"], documents["index"]["notes"]
    for name in ("alpha", "resolution", "precision", "engine"):
        setattr(options, name, used[name])
    options.image_column = options.image_column or used["image_column"]
    options.model = options.weights = options.calibration = None
    path = _fetched_model(workspace, documents["extract"])
    if options.engine == "keras":
        options.weights = path
    else:
        options.model = path
    options.head = _fetched_head(workspace)
    options.no_fit = options.head is None
    options.no_index, options.cells, options.index_type = False, facts["cells"], facts["dtype"]
    options.only_labels, options.subset, options.license = [], [], ""
    options.min_confidence = 0.0  # of labels that select, of which there are none
    options.results, options.until, options.force = None, None, []


def _fetched_model(workspace: Workspace, extract: dict[str, Any]) -> str:
    """A copy of the model, under the name from which the workspace's was made."""
    name = extract["notes"]["model_file"]
    folder = workspace.scratch / "model"
    folder.mkdir(exist_ok=True)
    path = folder / name.rsplit("/", 1)[-1][KEPT_NAME:]
    try:
        workspace.fetch(workspace.within(name), path)
    except OSError as error:
        raise Failure(f"{workspace.uri(name)}: cannot be read: {error}") from error
    if sha256_of(path) != extract["options"]["model"]:
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
    settings, diagonal = run.memo["settings"], run.options.screen_diagonal
    targets = list(settings["targets"].items())
    return {"targets": targets, "parents": settings["parents"], "diagonal": diagonal}


def _index_identity(run: Pipeline) -> dict[str, Any]:
    """The index whose cells it shares, and how vectors are stored."""
    index: SearchIndex = run.memo["index"]
    return {"base": index.parts[0].digest, "dtype": index.facts["dtype"]}


def _index(run: Pipeline, folder: str) -> Outcome:
    """Writes the new rows by the cells of the base."""
    index: SearchIndex = run.memo["index"]
    base = index.parts[0]
    path = run.scratch / CENTRES
    path.write_bytes(base.read(CENTRES))
    counts = np.zeros(len(index.centres), np.int64)
    counts[base.cells.column("cell").to_numpy()] = base.cells.column("rows").to_numpy()
    return build(run, folder, path, counts.tolist(), with_centres=False)


def _stages() -> dict[str, Stage]:
    table = {stage.name: stage for stage in STAGE_TABLE}
    table["known"] = known.STAGE
    needs = (*table["classify"].needs, "known")
    table["classify"] = replace(table["classify"], needs=needs, identity=_settings)
    table["vectors"] = replace(table["vectors"], needs=(*table["vectors"].needs, "known"))
    table["index"] = replace(
        table["index"], needs=("vectors",), identity=_index_identity, perform=_index
    )
    return table


_TABLE = _stages()
FIRST_STAGES = [
    _TABLE[name] for name in ("plan", "ingest", "fetch", "extract", "annotate", "known")
]
LAST_STAGES = [_TABLE[name] for name in ("fit", "classify", "vectors", "index")]
