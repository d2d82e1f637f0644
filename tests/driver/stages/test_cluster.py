"""The stages cluster and index over rows that are projected."""

from __future__ import annotations

import io
import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from driver.pipeline.cluster import RunnerOptions
from driver.pipeline.pipeline import Pipeline
from driver.pipeline.stage import Stage
from driver.pipeline.typed_options import TypedOptions
from driver.runners import pipeline_of
from driver.stages import cluster, index, recall
from driver.workspace.workspace import Workspace
from mapsight.index import lesson
from mapsight.index.nearest import Centres
from mapsight.index.projection import Projection
from mapsight.index.rows import FileWriter, batch_of, row_schema
from mapsight.search.search_index import SearchIndex
from mapsight.workspace.index_facts import ClusterNotes
from tests.support.stage_documents import sound

N, D, PLAIN_D, FILES = lesson.PROJECT_FROM, 270, 264, 2


@pytest.fixture(scope="module")
def x() -> np.ndarray:
    rng = np.random.default_rng(1)
    x = rng.standard_normal((N, 12)) @ rng.standard_normal((12, D)) + rng.standard_normal((N, D))
    return np.rint(x * 30_000 / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.int16)


@pytest.fixture(scope="module")
def one(x, tmp_path_factory) -> Pipeline:
    return made(tmp_path_factory.mktemp("one"), x, recall.STAGE)


def made(folder: Path, x: np.ndarray, *more: Stage) -> Pipeline:
    """Cells and an index of the rows in a new workspace."""
    workspace = Workspace(str(folder / "w"))
    write_rows(workspace, x)
    options = cluster.Options(9, 3, 0.0), index.Options("int16")
    settings = TypedOptions(Namespace(), RunnerOptions("inline"), *options)
    run = pipeline_of(settings, workspace, folder)
    run.documents = {name: workspace.committed(name) for name in ("extract", "fit", "vectors")}
    run.run([cluster.STAGE, index.STAGE, *more])
    return run


def write_rows(workspace: Workspace, x: np.ndarray) -> None:
    """Commit the stage vectors, and what others look at of the stages before it."""
    schema = row_schema(D, PLAIN_D)
    for some in np.array_split(np.arange(N), FILES):
        writer = FileWriter(workspace.uri("vectors", "made-up"), "rows")
        ids, fields = [f"{i:016x}" for i in some], [{"label": "Lion"}] * len(some)
        writer.add(batch_of(ids, x[some], fields, schema))
        writer.close()
    for stage in ("extract", "fit", "vectors"):
        parts = workspace.describe(stage, "made-up") if stage == "vectors" else []
        notes = {"rows": N, "model_file": "x", "classes": []}
        options = {"model": "a", "precision": "float32", "engine": "litert", "alpha": 1,
                   "resolution": 224, "image_column": None}  # fmt: skip
        document = sound(stage, "made-up", parts, digest=stage, notes=notes, options=options)
        workspace.commit(stage, document)


def files_of(run: Pipeline, stage: str) -> dict[str, bytes]:
    paths = map(Path, run.workspace.parts(stage))
    return {path.name: path.read_bytes() for path in paths if path.suffix == ".npy"}


def test_one_task_and_many_make_the_same_cells(one, x, tmp_path, monkeypatch):
    monkeypatch.setattr(lesson, "SAMPLE_BYTES", 0)
    many = made(tmp_path, x)
    assert files_of(one, "cluster") == files_of(many, "cluster")
    assert files_of(one, "index") == files_of(many, "index")
    assert files_of(one, "cluster").keys() == {"centres.npy", "projection.npy"}
    notes = [run.documents["cluster"]["notes"] for run in (one, many)]
    assert [each["way"] for each in notes] == ["one_task", "many_tasks"]
    assert [each["dimensions"] for each in notes] == [256 + D - PLAIN_D] * 2
    steps, timed = (ClusterNotes.of(run.documents["cluster"]).history for run in (one, many))
    assert steps == [replace(step, seconds=0.0) for step in timed]
    assert len(steps) == 3 and notes[0]["counts"] == notes[1]["counts"]
    digests = {run.documents["index"]["digest"] for run in (one, many)}
    assert len(digests) == 1


def test_rows_are_in_the_cell_of_the_nearest_projected_centre(one, x):
    learned, axes = (array(one, name) for name in ("learned.npy", "projection.npy"))
    nearest, _ = Centres(learned, Projection(axes)).nearest(x)
    assert cells_of(one) == nearest.tolist()


def array(run: Pipeline, name: str) -> np.ndarray:
    return np.load(io.BytesIO(files_of(run, "index")[name]))


def cells_of(run: Pipeline) -> list[int]:
    cells = SearchIndex(run.workspace).cells_of(f"{i:016x}" for i in range(N))
    return [cells[f"{i:016x}"] for i in range(N)]


def test_queries_are_compared_with_the_means_of_whole_rows(one, x):
    cells = np.array(cells_of(one))
    means = [np.floor(x[cells == cell].mean(axis=0) + 0.5) for cell in range(9)]
    assert array(one, "centres.npy").tolist() == np.array(means).tolist()
    table = one.documents["recall"]["notes"]["table"]
    assert {row["features"] for row in table} == {"new", "plain"}
    assert [row["recall_10"] for row in table if row["probe"] == 9] == [1.0, 1.0]


def test_the_document_of_the_index_says_how_many_numbers_cells_have(one):
    facts = next(p for p in one.workspace.parts("index") if p.endswith("index.json"))
    told = json.loads(Path(facts).read_text())
    assert (told["d"], told["plain_d"], told["cells_d"]) == (D, PLAIN_D, 262)
