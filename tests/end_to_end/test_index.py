"""Cells and index from end to end."""

from __future__ import annotations

import hashlib
import json
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from driver.errors import Failure
from driver.pipeline.pipeline import Pipeline
from driver.pipeline.stage import Outcome, Stage
from driver.pipeline.typed_options import TypedOptions
from driver.runners import pipeline_of
from driver.workspace.workspace import Workspace
from mapsight.index.blocks import read_blocks
from mapsight.index.collection import require_index
from mapsight.index.kmeans import load_centres
from mapsight.index.rows import Block, read_batches, vectors_of
from mapsight.index.vectors import vectors_for
from mapsight.labels.head import load_head
from mapsight.records import decode_embedding
from mapsight.results.predictions import records_of
from mapsight.search.searcher import Searcher
from tests.support.lions_and_tigers import make_dataset
from tests.support.pictures import encoded, scribble
from tests.support.program import CalledProgram

PLACES = {"vector", "shard", "row"}
CELLS = ("--cells", "5", "--max-iterations", "3", "--tolerance", "0")


@pytest.fixture(scope="module")
def ran(environment, made_once) -> SimpleNamespace:
    """80 pictures with a head, and 5 cells."""

    def fill(folder: Path) -> None:
        make_dataset(folder / "one", 0, 80)
        run = ("-r", "local", "--openimages", "one", "--workspace", "w", *CELLS)
        CalledProgram(environment, folder).ok(*run)

    folder = made_once("index", fill)
    program, workspace = CalledProgram(environment, folder), Workspace(str(folder / "w"))
    return SimpleNamespace(folder=folder, program=program, workspace=workspace)


def part(workspace: Workspace, name: str) -> str:
    return next(p for p in workspace.parts("index") if p.endswith(f"/{name}"))


def blocks_of(workspace: Workspace) -> list[Block]:
    return [Block(**row) for row in pq.read_table(part(workspace, "blocks.parquet")).to_pylist()]


def indexed(workspace: Workspace) -> dict[str, tuple[int, dict]]:
    """(cell, row with its vector) by image_id, read block by block."""
    found = {}
    for block in blocks_of(workspace):
        (batch,) = read_blocks([replace(block, file=part(workspace, block.file))])
        for row, x in zip(batch.to_pylist(), vectors_of(batch), strict=True):
            found[row["image_id"]] = block.cell, row | {"vector": x}
    return found


def embeddings(workspace: Workspace) -> dict[str, np.ndarray]:
    records = records_of(workspace.parts("extract"))
    return {name: decode_embedding(r["embedding"]) for name, r in records if "embedding" in r}


def test_every_picture_is_in_the_cell_whose_centre_is_nearest(ran):
    found, centres = indexed(ran.workspace), load_centres(part(ran.workspace, "centres.npy"))
    assert len(centres) == 5
    assert len(found) == sum(b.rows for b in blocks_of(ran.workspace)) == 81
    gaps = {name: row["vector"] - centres.centres.astype(int) for name, (_, row) in found.items()}
    nearest = {name: int((gap**2).sum(axis=1).argmin()) for name, gap in gaps.items()}
    assert {name: cell for name, (cell, _) in found.items()} == nearest


def test_rows_hold_the_new_features_and_what_was_predicted(ran):
    head = load_head(ran.folder / "w/results/head.npz")
    predicted = {
        row["image_id"]: row
        for row in pq.read_table(ran.folder / "w/results/predictions.parquet").to_pylist()
    }
    found, x = indexed(ran.workspace), embeddings(ran.workspace)
    assert found.keys() == predicted.keys() == x.keys()
    for name, (_, row) in found.items():
        assert row["vector"].tolist() == vectors_for(x[name][None], head)[0].tolist()
        for field in ("label", "style", "ppi", "license", "subset", "sha256", "dhash"):
            assert row[field] == predicted[name][field]


def test_ids_lead_to_cells(ran):
    facts = json.loads(Path(part(ran.workspace, "index.json")).read_text())
    (batch,) = read_batches(part(ran.workspace, facts["ids"][0]))
    cells = {name: cell for name, (cell, _) in indexed(ran.workspace).items()}
    assert {row["image_id"]: row["cell"] for row in batch.to_pylist()} == cells


def test_tables_of_cells_agree_with_the_index(ran):
    found = indexed(ran.workspace)
    rows = (ran.folder / "w/results/cells.csv").read_text().splitlines()
    header, *rows = (line.split(",") for line in rows)
    told = {int(row[0]): dict(zip(header, row, strict=True)) for row in rows}
    for cell, row in told.items():
        labels = [r["label"] for c, r in found.values() if c == cell]
        assert int(row["pictures"]) == len(labels)
        assert float(row["purity"]) == pytest.approx(
            max(map(labels.count, labels)) / len(labels), abs=1e-6
        )


def fingerprint_of(workspace: Workspace) -> list:
    """Cells, centres and rows, but for where pictures are packed, which splits decide."""
    rows = [
        [name, cell, row["vector"].tolist(), *(row[key] for key in sorted(row.keys() - PLACES))]
        for name, (cell, row) in indexed(workspace).items()
    ]
    blocks = [(b.cell, b.rows) for b in blocks_of(workspace)]
    centres = Path(part(workspace, "centres.npy")).read_bytes()
    cells = Path(part(workspace, "cells.parquet")).read_bytes()
    return [rows, blocks, *(hashlib.sha256(data).hexdigest() for data in (centres, cells))]


@pytest.mark.parametrize(
    "how", [("-r", "inline", "--splits", "1"), ("-r", "local", "--splits", "7")]
)
def test_every_runner_and_split_gives_the_same_cells_and_index(ran, how):
    name = f"w{how[-1]}"
    said = ran.program(*how, "--openimages", "one", "--workspace", name, *CELLS)
    assert said.returncode == 0, said.stderr
    other = Workspace(str(ran.folder / name))
    assert fingerprint_of(other) == fingerprint_of(ran.workspace)
    for table in ("kmeans.csv", "cells.csv"):
        one, two = ((ran.folder / w / "results" / table).read_bytes() for w in ("w", name))
        assert one == two


def test_few_pictures_have_an_index_of_one_cell(finished, tmp_path):
    mapsight, pictures = finished, tmp_path / "pictures"
    assert len((tmp_path / "workspace/results/cells.csv").read_text().splitlines()) == 2
    some = next(iter(indexed(Workspace(str(tmp_path / "workspace")))))
    assert mapsight("search", some, "--no-job").returncode == 0
    mapsight.ok("export", "--format", "npy", "--out", "out")
    # a run that has read other pictures, and gone no further: the index answers as before
    (pictures / "new.png").write_bytes(encoded(scribble(99)))
    mapsight.ok("--images", "pictures", "--until", "extract")
    for query in (some, "pictures/new.png", f"pictures/{some}.jpg"):
        done = mapsight("search", query, "--no-job", "--format", "json")
        assert done.returncode == 0 and some in done.stdout, done.stderr
        assert "labels, index, results and report are those of the earlier run" in done.stderr
    with pytest.raises(Failure, match="is of an earlier run; run the pipeline to its end"):
        require_index(Workspace(str(tmp_path / "workspace")), current=True)
    pretend_other_model(tmp_path / "workspace")
    with pytest.raises(ValueError, match="ask by image_id or label"):
        Searcher(str(tmp_path / "workspace")).search(str(pictures / "new.png"))


def pretend_other_model(workspace: Path) -> None:
    path = workspace / "index/stage.json"
    document = json.loads(path.read_text())
    document["options"]["made_with"]["model"] = "another"
    del document["sum"]
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("usable, reason", [(0, "none of its pictures"), (3, "--no-index")])
def test_why_there_is_no_index_is_said(mapsight, pictures, tmp_path, usable, reason):
    folder = tmp_path / "odd"
    folder.mkdir()
    for number in range(3):
        data = encoded(scribble(number)) if usable else b"no picture"
        (folder / f"{number}.png").write_bytes(data)
    how = ["--no-index"] if usable else ["--max-rejected", "1"]
    mapsight.ok("--images", "odd", "--until", "index", *how)
    with pytest.raises(Failure, match=reason):
        require_index(Workspace(str(tmp_path / "workspace")))


def test_fewer_different_pictures_than_cells(mapsight, tmp_path):
    (tmp_path / "same").mkdir()
    for number in range(12):
        picture = encoded(scribble(number % 2))
        (tmp_path / "same" / f"{number}.png").write_bytes(picture)
    mapsight.ok("--images", "same", "--cells", "4", "--until", "index")
    workspace = Workspace(str(tmp_path / "workspace"))
    assert sorted(b.rows for b in blocks_of(workspace)) == [6, 6]


def test_int8_is_half_as_large(mapsight, pictures, tmp_path):
    mapsight.ok("--images", "pictures", "--cells", "1", "--index-type", "int8", "--until", "index")
    workspace = Workspace(str(tmp_path / "workspace"))
    for name, (_, row) in indexed(workspace).items():
        assert row["vector"].dtype == np.int8
        exact = embeddings(workspace)[name]
        assert abs(row["vector"] * row["scale"] - exact).max() <= row["scale"] / 2 + 1e-9


def counting(fail_at: int) -> Stage:
    def step(run: Pipeline, folder: str) -> Outcome:
        done = run.so_far["notes"]["done"] if run.so_far else 0
        if done == fail_at:
            raise RuntimeError("killed")
        (run.local_folder("cluster", folder) / "part-0").write_text(str(done + 1))
        return Outcome(notes={"history": [], "done": done + 1})

    more = lambda document: document["notes"]["done"] < 4  # noqa: E731
    options = {"iterations": 4, "tolerance": 0.0}
    return Stage("cluster", step, identity=lambda _: options, unfinished=more, steps=True)


def test_a_stage_of_steps_goes_on_where_it_was_killed(tmp_path):
    options = TypedOptions(Namespace(runner="inline", force=[], until=None))
    run = pipeline_of(options, Workspace(str(tmp_path / "w")), tmp_path)
    with pytest.raises(RuntimeError, match="killed"):
        run.run([counting(fail_at=2)])
    assert run.workspace.committed("cluster")["notes"] == {"history": [], "done": 2}
    run.run([counting(fail_at=0)])
    assert run.documents["cluster"]["notes"] == {"history": [], "done": 4}
    (address,) = run.workspace.parts("cluster")
    assert Path(address).read_text() == "4"
    folders = [path for path in (tmp_path / "w/cluster").iterdir() if path.is_dir()]
    assert folders == [Path(address).parent]
    run.run([counting(fail_at=4)])
    assert run.reports[-1].skipped
