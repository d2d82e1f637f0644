"""One byte of a finished stage flipped: whoever reads it names it, and nobody answers from it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.flips import COMMANDS, Told, files_of, names, reads
from driver.additions.addition import _fetched_head
from driver.commands.compare import _read
from driver.errors import Failure
from driver.results.render import download_results
from driver.results.sheets import nearest_pictures
from driver.search.idle_filters import _is_known
from driver.stages.head_file import fitted_head
from driver.workspace.workspace import Workspace
from mapsight.index.collection import Collection
from mapsight.index.pictures import Pictures
from mapsight.index.removed_ids import IdList
from mapsight.inputs.shards import OURS
from mapsight.search.credits import known_predictions
from mapsight.search.index_queries import _rejections
from mapsight.search.search_index import SearchIndex
from mapsight.workspace.changes import Changes
from tests.support.stage_documents import OPTIONS, sound

FILES = {
    "extract": ("part-00000", "part-00001"),
    "known": ("part-00000",),
    "classify": ("part-00000", "part-00001"),
    "fit": ("head.npz",),
    "index": ("nearest.json", "cells.parquet"),
    "merge": ("predictions.parquet", "rejected.csv", "summary.json", "labels.csv"),
}


def _parts(stage: str, number: int = 0) -> Callable[[Workspace, Path], Any]:
    return lambda ws, _: Collection({number: ws}, Changes(), IdList()).addresses(stage)


def _filters(ws: Workspace, _: Path) -> Any:
    return _is_known(ws, Namespace(collection=Namespace(additions=())), "license")  # type: ignore[arg-type]


READERS: dict[str, tuple[str, str, Callable[[Workspace, Path], Any]]] = {
    "features": ("extract", "part-00001", _parts("extract")),
    "features of an addition": ("known", "part-00000", _parts("extract", 1)),
    "label": ("classify", "part-00000", _parts("classify")),
    "head": ("fit", "head.npz", lambda ws, at: fitted_head(Namespace(workspace=ws, scratch=at))),  # type: ignore[arg-type]
    "head of an addition": ("fit", "head.npz", lambda ws, _: _fetched_head(ws)),
    "credits": (
        "merge",
        "predictions.parquet",
        lambda ws, _: known_predictions(ws, ["a"], ["title"]),
    ),
    "filters": ("merge", "predictions.parquet", _filters),
    "rejected": ("merge", "rejected.csv", lambda ws, _: _rejections(ws, ["a"])),
    "compare": ("merge", "summary.json", lambda ws, _: _read(ws.location)),
    "report": ("merge", "labels.csv", lambda ws, at: download_results(ws, at / "results")),
    "report of cells": ("index", "nearest.json", lambda ws, _: nearest_pictures(ws)),
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace whose stages are committed; their parts hold nothing that can be read."""
    ws = Workspace(str(tmp_path / "ws"))
    for stage, files in FILES.items():
        folder = ws.new_folder(stage, "0123456789abcdef")
        for name in files:
            path = Path(ws.path(stage, folder, name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"0123456789")
        inputs = {"extract": ws.committed("extract")["digest"]} if stage == "merge" else {}
        parts = ws.describe(stage, folder)
        ws.commit(stage, sound(stage, folder, parts, run=ws.run_id, inputs=inputs))
    return ws


def _flip(ws: Workspace, stage: str, name: str, place: int) -> None:
    path = next(Path(ws.root, stage).rglob(name))
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("place", [0, 5, -1])
@pytest.mark.parametrize("reader", READERS)
def test_a_flipped_byte_is_named_by_whoever_reads_it(workspace, tmp_path, reader, place):
    stage, name, read = READERS[reader]
    _flip(workspace, stage, name, place)
    with pytest.raises(Failure, match=rf"{name} has changed since .*--force {stage}"):
        read(workspace, tmp_path)


def test_only_what_is_read_is_compared(workspace, tmp_path):
    _flip(workspace, "merge", "predictions.parquet", 3)
    download_results(workspace, tmp_path / "results")
    assert len(workspace.sound_parts("merge", ".csv")) == 2


def test_a_model_that_is_kept_and_was_damaged_is_put_there_again(workspace, tmp_path):
    model = tmp_path / "m.tflite"
    model.write_bytes(b"weights")
    for damaged in (b"weighty", b"", b"weights"):
        kept = Path(workspace.path("model", "m"))
        workspace.keep(model, "model", "m")
        kept.write_bytes(damaged)
        workspace.keep(model, "model", "m")
        assert kept.read_bytes() == b"weights"


def test_of_files_alike_the_first_and_the_last_are_tried(tmp_path):
    for number in range(5):
        (tmp_path / "rank").mkdir(exist_ok=True)
        (tmp_path / "rank" / f"part-{number:05d}").write_bytes(b"x")
    (tmp_path / ".lock").write_bytes(b"")
    assert [path.name for path in files_of(tmp_path, whole=False)] == ["part-00000", "part-00004"]
    assert len(files_of(tmp_path, whole=True)) == 5


def test_a_file_is_named_by_itself_or_by_its_stage():
    file = Path("added/000001/classify/ab/part-00000")
    told = [Told(1, "", text, {}) for text in ("stage classify is …", "part-00000: …", "{: 1")]
    assert [names(one, file) for one in told] == [True, True, False]
    assert {c.name for c in COMMANDS if reads(c, file)} == {"label", "report", "run"}


def test_a_damaged_recall_document_does_not_change_how_much_is_read(workspace):
    measured = SearchIndex.measured.func  # type: ignore[attr-defined]
    assert measured(SimpleNamespace(workspace=workspace)) == []
    folder = workspace.new_folder("recall", "0123456789abcdef")
    workspace.commit("recall", sound("recall", folder, [], run=workspace.run_id))
    _flip(workspace, "recall", "stage.json", 30)
    with pytest.raises(Failure, match=r"recall/stage\.json is not what a run writes"):
        measured(SimpleNamespace(workspace=workspace))


def test_a_damaged_shard_is_named_once_and_its_pictures_have_no_thumbnail(tmp_path):
    shard = tmp_path / "shard.parquet"
    pq.write_table(pa.table({"image": [b"a", b"b"]}), shard, write_page_checksum=True)
    workspace = SimpleNamespace(sound=lambda stage: None)
    extract, lines = {"options": OPTIONS["extract"]}, list[str]()
    pictures = Pictures(workspace, extract, lines.append)  # type: ignore[arg-type]
    rows = [{"shard": str(shard), "row": row} for row in (0, 1)]
    assert [pictures.data(row) for row in rows] == [b"a", b"b"]
    data = bytearray(shard.read_bytes())
    data[data.index(b"b", 10)] ^= 1
    shard.write_bytes(bytes(data[:-6]))
    lines.clear()
    assert [pictures.data(row) for row in rows] == [None, None]
    assert lines == [f"{shard}: gone, or damaged; its pictures have no thumbnail\n"]


def test_a_damaged_packed_shard_is_refused_by_name(tmp_path):
    shard = tmp_path / "shard.parquet"
    pq.write_table(pa.table({"image": [b"a"]}), shard, write_page_checksum=True)
    shard.write_bytes(shard.read_bytes()[:-6])
    notes = {"shards": [{"uri": shard.name, "first": 0}]}
    workspace = SimpleNamespace(
        sound=lambda stage: {"digest": stage, "notes": notes},
        within=lambda stage, name: str(tmp_path / name),
    )
    extract = {"options": OPTIONS["extract"], "inputs": {"ingest": "ingest", "fetch": "fetch"}}
    pictures = Pictures(workspace, extract)  # type: ignore[arg-type]
    with pytest.raises(Failure, match=r"shard\.parquet: gone, or damaged; run the pipeline again"):
        pictures.data({"shard": OURS.format(0), "row": 0})


@pytest.mark.parametrize(
    ("stage", "read"),
    [
        ("merge", lambda workspace: known_predictions(workspace, ["a"], ("title",))),
        ("index", nearest_pictures),
        ("ingest", lambda workspace: Pictures(workspace, {"options": OPTIONS["extract"]})),
    ],
)
def test_what_a_damaged_document_would_give_is_not_left_out_silently(workspace, stage, read):
    folder = workspace.new_folder(stage, "0123456789abcdef")
    workspace.commit(stage, sound(stage, folder, [], run=workspace.run_id))
    _flip(workspace, stage, "stage.json", 30)
    with pytest.raises(Failure, match=rf"{stage}/stage\.json is not what a run writes"):
        read(workspace)
