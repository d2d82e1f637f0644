"""What results say of pictures, found again by the order of a row."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from mapsight.index.export import facts
from mapsight.index.export.facts import COLUMNS, Facts
from mapsight.index.rows import batch_of, row_schema
from mapsight.results.predictions import PREDICTION_SCHEMA

SCHEMA = pa.schema([PREDICTION_SCHEMA.field(name) for name in COLUMNS])


def predictions(numbers: list[int]) -> pa.RecordBatch:
    rows = [
        {
            "image_id": f"p{n}",
            "score": n / 7,
            "sharpness": None if n % 5 == 0 else n * 1.5,
            "bytes": 2**40 + n,
            "format": ("JPEG", "PNG")[n % 2],
            "truth": (None, [], ["Lion"], ["Lion", "Cat"])[n % 4],
        }
        for n in numbers
    ]
    return pa.RecordBatch.from_pylist(rows, SCHEMA)


def asked(numbers: list[int]) -> pa.RecordBatch:
    ids = [f"p{n}" for n in numbers]
    return batch_of(ids, np.ones((len(ids), 2), np.int16), [{}] * len(ids), row_schema(2, 2))


def answers(known: Facts, numbers: list[int]) -> list[dict]:
    names = [name for name, _ in facts.FACTS]
    columns = known.columns(asked(numbers))
    return pa.RecordBatch.from_arrays(columns, names=names).to_pylist()


@pytest.fixture
def known(tmp_path) -> Facts:
    numbers = random.Random(1).sample(range(3000), 2000)
    parts = [predictions(numbers[first : first + 300]) for first in range(0, 2000, 300)]
    return Facts(tmp_path / "facts", parts)


def test_facts_are_those_of_the_picture(known):
    wanted = random.Random(1).sample(range(3000), 2000)[::-7]
    expected = predictions(wanted).drop_columns(["image_id"]).to_pylist()
    for found, row in zip(answers(known, wanted), expected, strict=True):
        assert found == {**dict.fromkeys(found), **row}


def test_of_pictures_that_results_do_not_have_nothing_is_known(known):
    for row in answers(known, [3001, 5000, 1 << 40]):
        assert set(row.values()) == {None}


def test_without_results_nothing_is_known(tmp_path):
    known = Facts(tmp_path / "facts", [])
    assert set(answers(known, [1])[0].values()) == {None}
    assert answers(known, []) == []
