"""Rows of metadata on their way to pictures."""

from __future__ import annotations

from collections import Counter

import pytest

from mapsight.openimages.dataset import CsvSplit
from mapsight.openimages.join import ANNOTATION, annotation_values

HEADER = "ImageID,Source,LabelName,Confidence\n"


@pytest.mark.parametrize(
    ("rows", "read", "malformed"),
    [("", 0, 0), ("a,verification,/m/1,1\n", 1, 0), ("a,verification,/m/1,1\nb,x,/m/1,no\n", 2, 1)],
)
def test_rows_and_malformed_ones_are_counted_also_where_there_are_none(
    tmp_path, rows, read, malformed
):
    (tmp_path / "labels.csv").write_text(HEADER + rows)
    counts: Counter[tuple[str, str]] = Counter()
    split = CsvSplit(str(tmp_path / "labels.csv"), "labels", 0, 1000)
    part = ("a", [ANNOTATION, {"labels": [["/m/1", 1.0, "verification"]]}])
    assert list(annotation_values(split, counts)) == [part] * (read - malformed)
    assert counts == {("annotations", "rows"): read, ("annotations", "malformed"): malformed}
    assert len(counts) == 2
