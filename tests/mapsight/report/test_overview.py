"""Formats, folders and outliers of predictions, batch by batch."""

from __future__ import annotations

import pyarrow as pa

from mapsight.report import overview
from mapsight.report.overview import look_through


def batch(first: int, n: int, source: str = "zoo/{}/{}.jpg", **columns) -> pa.RecordBatch:
    rows = range(first, first + n)
    known = {
        "image_id": [f"{row:03}" for row in rows],
        "score": [row / 100 for row in rows],
        "format": ["JPEG"] * n,
        "source": [source.format(row % 2, row) for row in rows],
        "sharpness": [1000.0 - row for row in rows],
        "entropy": [None] * n,
    }
    return pa.RecordBatch.from_pydict(
        {**known, **columns},
        schema=pa.schema(
            [(name, pa.float64() if name in overview.LEAST or name == "score" else pa.string())
             for name in known]
        ),
    )  # fmt: skip


def test_counts_add_up_whatever_the_batches():
    whole = look_through([batch(0, 90)])
    assert look_through([batch(60, 30), batch(0, 60)]) == whole
    assert whole.formats == [{"label": "JPEG", "pictures": 90, "share": 1.0}]
    assert [(row["label"], row["pictures"]) for row in whole.folders] == [
        ("zoo/0", 45),
        ("zoo/1", 45),
    ]
    assert whole.unsure == 50


def test_outliers_have_the_least_of_a_measure_and_unknown_ones_are_none():
    found = look_through([batch(0, 50), batch(50, 50)])
    assert found.outliers == {"sharpness": [(f"{99 - n:03}", 901.0 + n) for n in range(6)]}


def test_one_folder_is_not_shown_and_many_are_not_held(monkeypatch):
    assert look_through([batch(0, 9, "a.tar#x{0}y/../b")]).folders
    assert look_through([batch(0, 9, "cats.tar#{}{}.jpg")]).folders == []
    monkeypatch.setattr(overview, "MAX_FOLDERS", 5)
    assert look_through([batch(0, 9, "d{1}/{0}.jpg")]).folders == []


def test_more_than_a_dozen_are_put_together():
    rows = look_through([batch(0, 30, "d{1}/{0}.jpg")]).folders
    assert len(rows) == 13
    assert rows[-1] == {"label": "18 others", "pictures": 18, "share": 0.6}


def test_without_predictions_there_is_nothing():
    assert look_through([]) == overview.Overview(unsure=0)
