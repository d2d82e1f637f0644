"""The vector of a label, worked out by hand and by brute force."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsight.index.blocks import read_blocks
from mapsight.index.rows import INT8, Block, batch_of, row_schema, to_int8
from mapsight.search import label_mean as label_vector
from mapsight.search.filters import RowFilter
from mapsight.search.label_mean import LabelMean, blocks_of_label
from tests.support.index_world import LABELS, IndexWorld

OWL = RowFilter(label="Owl")
MIB = 1 << 20


def rows(*those: tuple[str, str, str, float | None, list[int]]) -> pa.RecordBatch:
    """Rows of (image_id, label, style, label_score, vector of two numbers)."""
    names = ("label", "style", "label_score")
    fields = [dict(zip(names, row[1:4], strict=True)) for row in those]
    vectors = np.array([row[4] for row in those], np.int16).reshape(-1, 2)
    return batch_of([row[0] for row in those], vectors, fields, row_schema(2, 2))


MIXED = rows(
    ("a", "Owl", "photo", 0.9, [10, -1]),
    ("b", "Lion", "photo", 1.0, [30000, 30000]),
    ("c", "Owl", "drawing", 0.8, [20, -2]),
    ("d", "Owl", "photo", None, [31, 0]),
)


def mean_of(*batches: pa.RecordBatch, wanted: RowFilter = OWL):
    mean = LabelMean(wanted)
    for batch in batches:
        mean.add(batch)
    vector = mean.vector()
    return vector if vector is None else vector.tolist()


def test_the_mean_is_that_of_the_pictures_of_the_label_and_of_no_others():
    assert mean_of(MIXED) == [20, -1]  # 61 / 3 and -3 / 3
    assert mean_of(MIXED, wanted=RowFilter(label="Owl", style="photo")) == [21, 0]  # halves up
    assert mean_of(MIXED, wanted=RowFilter(label="Lion")) == [30000, 30000]
    assert mean_of(MIXED, wanted=RowFilter(label="Zebra")) is None
    assert mean_of() is None


def test_the_surest_count_and_of_equally_sure_ones_the_first_by_id(monkeypatch):
    monkeypatch.setattr(label_vector, "MOST_PICTURES", 2)
    assert mean_of(MIXED) == [15, -1]  # a and c; what has no score is the least sure
    more = rows(("e", "Owl", "", 0.9, [100, 0]), ("0", "Owl", "", 0.9, [2, 0]))
    assert mean_of(MIXED, more) == mean_of(more, MIXED) == [6, 0]  # 0 and a; -1 / 2 is 0


@settings(deadline=None)
@given(st.data())
def test_cut_and_order_of_blocks_do_not_matter(data):
    scores = data.draw(st.lists(st.sampled_from([0.25, 0.5, 1.0]), min_size=1, max_size=30))
    rng = np.random.default_rng(len(scores))
    vectors = rng.integers(-32767, 32767, (len(scores), 2)).tolist()
    those = [
        (f"{n:02d}", LABELS[n % 2 + 1], "", score, vector)
        for n, (score, vector) in enumerate(zip(scores, vectors, strict=True))
    ]
    cuts = data.draw(st.lists(st.integers(0, len(those)), max_size=4))
    ends = sorted({0, len(those), *cuts})
    batches = [rows(*those[a:b]) for a, b in pairwise(ends)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(label_vector, "MOST_PICTURES", 5)
        found = mean_of(*data.draw(st.permutations(batches)))
    best = sorted((-row[3], row[0], row[4]) for row in those if row[1] == "Owl")[:5]
    if not best:
        assert found is None
        return
    sums = np.array([row[2] for row in best]).sum(axis=0).tolist()
    assert found == [(2 * total + len(best)) // (2 * len(best)) for total in sums]


def test_int8_rows_count_with_their_scales():
    vectors, scales = to_int8(np.array([[25400, 100], [254, -2]], np.int16))
    fields = [{"label": "Owl", "label_score": 0.5, "scale": scale} for scale in scales.tolist()]
    assert mean_of(batch_of(["a", "b"], vectors, fields, row_schema(2, 2, INT8))) == [12827, -1]


def table_of(*blocks: tuple[int, int, int]) -> pa.Table:
    """Blocks of (cell, offset, MiB) in a file."""
    made = [Block(cell, "f", offset, size * MIB, 1, "") for cell, offset, size in blocks]
    return pa.Table.from_pylist([vars(block) for block in made])


def chosen(table: pa.Table, *counts: int) -> list[tuple[int, int]]:
    return [(block.cell, block.offset) for block in blocks_of_label(table, np.array(counts))]


def test_the_cells_with_most_pictures_come_first_and_ties_by_number():
    table = table_of((0, 0, 1), (1, 1, 1), (2, 2, 1), (2, 3, 1), (3, 4, 1))
    assert chosen(table, 3, 0, 5, 3) == [(2, 2), (2, 3), (0, 0), (3, 4)]
    assert chosen(table, 0, 0, 0, 0) == []


def test_no_more_is_read_than_the_bounds_allow():
    many = table_of(*((cell, cell, 1) for cell in range(40)))
    assert chosen(many, *range(40)) == [(cell, cell) for cell in range(39, 23, -1)]
    large = table_of((0, 0, 30), (0, 1, 30), (0, 2, 30), (1, 3, 4), (1, 4, 1))
    assert chosen(large, 1, 2) == [(1, 3), (1, 4), (0, 0)]
    assert chosen(large, 2, 1) == [(0, 0), (0, 1)]
    assert chosen(table_of((0, 0, 65), (1, 1, 1)), 1, 1) == [(0, 0)]


def test_a_rare_label_is_its_pictures(tmp_path):
    world = IndexWorld(tmp_path)
    wanted = RowFilter(label="Lion", style="drawing")
    mean = LabelMean(wanted)
    for block in blocks_of_label(world.table, world.cells.fitting("Lion", "drawing")):
        (batch,) = read_blocks([block])
        mean.add(batch)
    those = world.x[[world.fits(i, wanted) for i in range(len(world.ids))]].astype(int)
    n = len(those)
    assert mean.vector().tolist() == ((2 * those.sum(axis=0) + n) // (2 * n)).tolist()
