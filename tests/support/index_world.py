"""A small made-up index on disk, and exact search over the same rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from driver.workspace.workspace import Workspace
from mapsight.index.build import CellsWriter, bucket_of, plan_files, write_ids
from mapsight.index.cosines import cosines
from mapsight.index.layout import BLOCK_SCHEMA, BLOCKS, CELL_SCHEMA, CELLS, CENTRES
from mapsight.index.nearest import Centres
from mapsight.index.removed_ids import IdList, id_table, write_ids_file
from mapsight.index.rows import INT16, Block, order_of
from mapsight.records import encode_vector
from mapsight.search.by_index import probe_here
from mapsight.search.filters import EVERYTHING, RowFilter
from mapsight.search.probe_plan import (
    Cells,
    blocks_of,
    probe_lines,
)
from mapsight.search.queries import ProbeQuery, write_queries
from mapsight.search.search_index import SearchIndex
from mr_jobs.probe_index import MRProbeIndex
from tests.support.jobs import run_and_read, write_manifest
from tests.support.stage_documents import sound

LABELS, STYLES, SUBSETS = ("Lion", "Tiger", "Owl"), ("photo", "drawing"), ("train", "test")
D, PLAIN_D = 12, 8


class IndexWorld:
    """Rows around some centres; some are equal, so that ties are met; some know no license."""

    def __init__(self, folder: Path, n: int = 300, k: int = 7, dtype: str = INT16) -> None:
        rng = np.random.default_rng(n)
        self.folder, self.k = folder, k
        self.ids = [f"{i:016x}" for i in rng.permutation(n)]
        self.x = rng.integers(-3000, 3000, (n, D)).astype(np.int16)
        self.x[1::5] = self.x[0::5][: len(self.x[1::5])]
        self.x[7::40] = 0
        self.fields = [self._fields(i, image_id) for i, image_id in enumerate(self.ids)]
        self.centres = Centres(self.x[rng.permutation(n)[:k]])
        self.cell, self.gap = self.centres.nearest(self.x)
        self.blocks, self.kinds = self._write(dtype)

    @staticmethod
    def _fields(i: int, image_id: str) -> dict[str, Any]:
        known = {"license": f"https://example.org/by/{i % 3}.0/"} if i % 7 else {}
        return {
            "label": LABELS[i % 3],
            "style": STYLES[i % 4 == 0],
            "label_score": 0.5,
            "ppi": float(i % 50),
            "width": 10,
            "height": 20,
            "source": image_id,
            "row": i,
            "top_label": "x",
            "subset": SUBSETS[i % 2],
            "sha256": f"sha {i % 100}",
            "dhash": f"{i:016x}",
            **known,
        }

    def _write(self, dtype: str) -> tuple[list[Block], list[dict[str, Any]]]:
        counts = np.bincount(self.cell, minlength=self.k).tolist()
        files = plan_files(counts, len(self.ids), 1 << 20)
        blocks, kinds = [], []
        for number in sorted(set(files)):
            writer = CellsWriter(str(self.folder), number, D, PLAIN_D, dtype)
            cells = [cell for cell in range(self.k) if files[cell] == number]
            for kind, value in writer.write(self._rows(cells)):
                if kind == "block":
                    blocks.append(Block(*value))
                else:
                    kinds.append(value)
        return sorted(blocks, key=lambda block: block.cell), kinds

    def _rows(self, cells: list[int]):
        for cell in cells:
            for i in sorted(np.flatnonzero(self.cell == cell), key=lambda i: self.ids[i]):
                vector, gap = encode_vector(self.x[i]), int(self.gap[i])
                yield f"{cell:06d}", self.ids[i], self.fields[i], vector, gap

    @property
    def table(self) -> pa.Table:
        """The blocks as blocks.parquet has them."""
        return pa.Table.from_pylist(
            [{**vars(block), "file": f"{self.folder}/{block.file}"} for block in self.blocks]
        )

    @property
    def cells(self) -> Cells:
        names = ("label", "style", "rows")
        rows = [
            {"cell": c["cell"], "kinds": [dict(zip(names, k, strict=True)) for k in c["kinds"]]}
            for c in self.kinds
        ]
        return Cells(self.k, pa.Table.from_pylist(rows))

    def fits(self, i: int, wanted: RowFilter) -> bool:
        """Whether a row may answer, field by field."""
        row = self.fields[i]
        same = (
            not getattr(wanted, n) or row[n] == getattr(wanted, n)
            for n in ("label", "style", "subset")
        )
        return (
            all(same)
            and row["ppi"] >= wanted.min_ppi
            and wanted.license in row.get("license", "" if not wanted.license else "none")
        )

    def exact(
        self,
        q: np.ndarray,
        top_k: int,
        wanted: RowFilter = EVERYTHING,
        d: int = D,
        cells: Any = None,
    ) -> list[tuple[float, str]]:
        """(score, image_id) of the best, by brute force, in some cells or all."""
        scores = cosines(q[None, :d].astype(float), self.x[:, :d].astype(float))[0].tolist()
        rows = [
            (-score, image_id)
            for i, (score, image_id) in enumerate(zip(scores, self.ids, strict=True))
            if self.fits(i, wanted) and (cells is None or self.cell[i] in cells)
        ]
        return [(-score, image_id) for score, image_id in sorted(rows)[:top_k]]


BUCKETS = 3


def indexed(folder: Path, n: int = 300, k: int = 7, dtype: str = INT16) -> IndexWorld:
    """A made-up index as the stage of a workspace in a folder."""
    workspace = Workspace(str(folder))
    target = folder / "index" / "made-up"
    target.mkdir(parents=True)
    world = IndexWorld(target, n, k, dtype)
    np.save(target / CENTRES, world.centres.centres)
    blocks = [{**vars(block)} for block in world.blocks]
    pq.write_table(pa.Table.from_pylist(blocks, BLOCK_SCHEMA), target / BLOCKS)
    names = ("label", "style", "rows")
    cells = [
        {**c, "kinds": [dict(zip(names, k, strict=True)) for k in c["kinds"]]} for c in world.kinds
    ]
    pq.write_table(pa.Table.from_pylist(cells, CELL_SCHEMA), target / CELLS)
    ids: list[list[tuple[str, int, bool]]] = [[] for _ in range(BUCKETS)]
    for image_id, cell in zip(world.ids, world.cell.tolist(), strict=True):
        ids[bucket_of(order_of(image_id), BUCKETS)].append((image_id, cell, False))
    files = [write_ids(str(target), bucket, rows)["file"] for bucket, rows in enumerate(ids)]
    facts = {"d": D, "plain_d": PLAIN_D, "dtype": dtype, "rows": n, "cells": k}
    commit(workspace, "index", {**facts, "buckets": BUCKETS, "ids": files}, f"{n} {k} {dtype}")
    return world


def commit(workspace: Workspace, stage: str, notes: dict[str, Any], digest: str) -> None:
    """Commit what lies in a stage's folder `made-up`."""
    parts = workspace.describe(stage, "made-up")
    workspace.commit(stage, sound(stage, "made-up", parts, digest=digest, notes=notes))


def probed(folder: Path, world: IndexWorld, queries, vectors, cells=None, *extra, **how):
    """[(score, image_id)] by query number, of a job; and the fields of the answers."""
    write_queries(folder / "q.arrow", vectors, queries)
    every = range(world.k)
    wants = {c: list(range(len(queries))) for c in (every if cells is None else cells)}
    lines = probe_lines(blocks_of(world.table, wants), wants)
    manifest = write_manifest(folder / "manifest", lines)
    arguments = ["--queries", folder / "q.arrow", *extra, *manifest]
    found, counters = run_and_read(folder, MRProbeIndex, *arguments, **how)
    pairs = {int(n): [(score, i) for score, i, _ in answers] for n, answers in found}
    return pairs, {int(n): [f for *_, f in answers] for n, answers in found}, counters


SOME_CELLS = [np.array([0, 3]), np.array([3]), np.array([6, 5])]


def scored(place: str, world: IndexWorld, scratch: Path) -> list[tuple[int, list]]:
    """What the first three rows find in SOME_CELLS of an index that lies somewhere."""
    index = SearchIndex(Workspace(place), scratch)
    return list(probe_here(index, world.x[:3], [ProbeQuery(7)] * 3, SOME_CELLS, D))


def listed(folder: Path, pairs) -> IdList:
    path = folder / "ids.arrow"
    write_ids_file(id_table(pairs), str(path))
    return IdList(path)
