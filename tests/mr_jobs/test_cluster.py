"""Cells by k-means: in one task, or by many; the same however rows are split."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from mapsight.index.kmeans import improved
from mapsight.index.rows import FileWriter, batch_of, row_schema
from mapsight.records import decode_vector
from mr_jobs.cluster_features import MRClusterFeatures
from tests.support.jobs import run_and_read, write_manifest

N, D, PLAIN_D, P, K = 240, 14, 10, 4, 6
PROJECTED = ("--projected", P, "--plain-d", PLAIN_D, "--axes-below", 1 << 63)


@pytest.fixture
def rows() -> tuple[list[str], np.ndarray]:
    x = np.random.default_rng(8).integers(-4000, 4000, (N, D)).astype(np.int16)
    x[100:104] = x[0]
    return [f"p{i:04d}" for i in range(N)], x


def split(folder: Path, rows, files: int) -> list[Path]:
    """A manifest of so many files of rows."""
    lines = []
    for some in np.array_split(np.arange(N), files):
        writer = FileWriter(str(folder / "rows"), "rows")
        ids = [rows[0][i] for i in some]
        writer.add(batch_of(ids, rows[1][some], [{}] * len(some), row_schema(D, PLAIN_D)))
        writer.close()
        lines.append(json.dumps({"uri": str(folder / "rows" / writer.name)}))
    return write_manifest(folder / f"manifest-{files}", lines)


def whole(folder: Path, manifest: list[Path], *arguments: object, runner: str = "inline"):
    how = ("--seeds", K, "--iterations", 4, *arguments)
    return run_and_read(folder, MRClusterFeatures, *how, *manifest, runner=runner)


@pytest.mark.parametrize("arguments", [(), PROJECTED])
def test_every_runner_and_split_gives_the_same(tmp_path, rows, arguments):
    one, counted = whole(tmp_path, split(tmp_path, rows, 1), *arguments)
    many, _ = whole(tmp_path, split(tmp_path, rows, 5), *arguments, runner="local")
    assert one == many
    assert counted["cluster"]["iterations"] == [kind for kind, _ in one].count("step") == 4
    assert [kind for kind, _ in one].count("axis") == (P if arguments else 0)


@pytest.mark.parametrize("arguments", [(), PROJECTED])
def test_many_tasks_make_the_centres_that_one_makes(tmp_path, rows, arguments):
    manifest = split(tmp_path, rows, 3)
    wanted, _ = whole(tmp_path, manifest, *arguments)
    begun, _ = run_and_read(tmp_path, MRClusterFeatures, "--seeds", K, *arguments, *manifest)
    centres, files = vectors(begun, "centre"), ["--centres", tmp_path / "c.npy"]
    if arguments:
        np.save(tmp_path / "p.npy", vectors(begun, "axis"))
        files += ["--projection", tmp_path / "p.npy"]
    steps = []
    for _ in range(4):
        np.save(tmp_path / "c.npy", centres)
        told, _ = run_and_read(tmp_path, MRClusterFeatures, *files, *manifest)
        centres, counts, step = improved(centres, told)
        steps.append(asdict(step))
    assert centres.tolist() == vectors(wanted, "centre").tolist()
    assert steps == [value for kind, value in wanted if kind == "step"]
    assert [value for kind, value in wanted if kind == "counts"] == [counts]


def vectors(records, kind: str) -> np.ndarray:
    return np.stack([decode_vector(value) for name, value in records if name == kind])


def test_rows_of_higher_order_take_no_part(tmp_path, rows):
    few, _ = whole(tmp_path, split(tmp_path, rows, 2), "--below", 1 << 62)
    assert 0 < next(value["rows"] for kind, value in few if kind == "step") < N / 2
