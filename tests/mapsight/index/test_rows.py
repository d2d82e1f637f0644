from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mapsight.index.blocks import read_blocks
from mapsight.index.build import CellsWriter, plan_files, rows_by_file, write_ids
from mapsight.index.nearest import Centres
from mapsight.index.rows import (
    BLOCK_ROWS,
    Block,
    FileWriter,
    batch_of,
    order_of,
    orders,
    read_batches,
    row_schema,
    to_int8,
    vectors_below,
    vectors_of,
)


def rows(n: int, d: int = 3, dtype: str = "int16", plain_d: int = 2):
    x = (np.arange(n * d).reshape(n, d) % 90).astype(dtype)
    fields = [{"label": "Lion", "ppi": 1.5 * i, "unknown": 1, "scale": 2.0} for i in range(n)]
    return batch_of([f"p{i:05d}" for i in range(n)], x, fields, row_schema(d, plain_d, dtype))


@pytest.mark.parametrize("dtype", ["int16", "int8"])
def test_a_block_gives_back_its_rows(tmp_path, dtype):
    writer = FileWriter(str(tmp_path), "cells")
    blocks = [writer.add(rows(n, dtype=dtype), n) for n in (3, 5)]
    writer.close()
    placed = [replace(block, file=f"{tmp_path}/{block.file}") for block in reversed(blocks)]
    found = list(read_blocks(placed))
    assert [batch.equals(rows(n, dtype=dtype)) for batch, n in zip(found, (5, 3), strict=True)]
    assert vectors_of(found[0]).dtype == dtype
    assert found[0].schema.metadata == {b"plain_d": b"2"}


def test_a_block_that_has_changed_is_named(tmp_path):
    writer = FileWriter(str(tmp_path), "cells")
    block = writer.add(rows(3))
    writer.close()
    path = tmp_path / writer.name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"cells-.*: bytes 0 to .* have changed"):
        list(read_blocks([replace(block, file=str(path))]))


@pytest.mark.parametrize("cut", [10, -20])
def test_a_file_of_rows_that_is_cut_off_is_named(tmp_path, cut):
    writer = FileWriter(str(tmp_path), "rows")
    writer.add(rows(30))
    writer.close()
    path = tmp_path / writer.name
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"rows-.*: not a whole file of rows"):
        list(read_batches(str(path)))


def test_order_is_a_hash_of_the_id():
    assert order_of("é") == int.from_bytes(hashlib.sha256("é".encode()).digest()[:8], "big")
    assert orders(rows(2)).tolist() == [order_of("p00000"), order_of("p00001")]


@given(arrays(np.int16, (4, 6), elements=st.integers(-32767, 32767)))
def test_int8_is_within_half_a_step(x):
    small, scales = to_int8(x)
    assert (np.abs(small * scales[:, None] - x) <= scales[:, None] / 2 + 1e-9).all()


def test_rows_of_low_order_are_chosen(tmp_path):
    writer = FileWriter(str(tmp_path), "rows")
    writer.add(rows(100))
    writer.close()
    uri = str(tmp_path / writer.name)
    ((found, x),) = vectors_below(uri, 1 << 63)
    assert found.tolist() == [o for o in orders(rows(100)).tolist() if o < 1 << 63]
    assert len(x) == len(found)
    assert sum(len(o) for o, _ in vectors_below(uri, 1 << 64)) == 100


def built(tmp_path, batch, centres, files=(0, 0)):
    writer = FileWriter(str(tmp_path), "rows")
    writer.add(batch)
    writer.close()
    emitted = sorted(rows_by_file(str(tmp_path / writer.name), centres, files, 1))
    cells = CellsWriter(str(tmp_path), 0, 3, 2, "int16")
    return list(cells.write(value for key, value in emitted if key == "cells 000000"))


def test_cells_are_written_block_by_block_and_told_of(tmp_path):
    n = BLOCK_ROWS + 10
    x = np.zeros((n, 3), np.int16)
    x[:3] = 100
    batch = batch_of([f"p{i:05d}" for i in range(n)], x, [{"label": "Lion"}] * n, row_schema(3, 2))
    centres = Centres(np.array([[0, 0, 0], [90, 90, 90]], np.int16))
    told = built(tmp_path, batch, centres)
    blocks = [Block(*value) for kind, value in told if kind == "block"]
    assert [(b.cell, b.rows) for b in blocks] == [(0, BLOCK_ROWS), (0, n - 3 - BLOCK_ROWS), (1, 3)]
    assert [b.offset for b in blocks[1:]] == [blocks[0].bytes, blocks[0].bytes + blocks[1].bytes]
    cells = [value for kind, value in told if kind == "cell"]
    assert [(c["rows"], c["inertia"], c["kinds"]) for c in cells] == [
        (n - 3, 0, [["Lion", "", n - 3]]),
        (3, 900, [["Lion", "", 3]]),
    ]
    assert [near["image_id"] for near in cells[1]["nearest"]] == ["p00000", "p00001", "p00002"]


def test_ids_are_sorted(tmp_path):
    told = write_ids(str(tmp_path), 4, [("b", 1, False), ("a", 2, True)])
    (batch,) = read_batches(str(tmp_path / told["file"]))
    assert batch.to_pylist() == [
        {"image_id": "a", "cell": 2, "odd": True},
        {"image_id": "b", "cell": 1, "odd": False},
    ]
    assert (told["bucket"], told["rows"], told["odd"]) == (4, 2, 1)


def test_files_hold_cells_one_after_the_other():
    assert plan_files([1, 1, 1, 1], 4, 40 << 20) == [0, 0, 1, 1]
    assert plan_files([1, 9, 1], 11, 64 << 20) == [0, 1, 2]
    assert plan_files([0, 0], 0, 100) == [0, 0]
