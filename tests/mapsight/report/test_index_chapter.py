from __future__ import annotations

import pytest

from mapsight.report import index_chapter
from mapsight.report.charts import index_plots

FACTS = {
    "cells": 3, "empty": 1, "pictures": 1200, "purity": 0.75, "dimensions": 9, "dtype": "int16",
}  # fmt: skip


@pytest.fixture
def results(tmp_path):
    (tmp_path / "cells.csv").write_text(
        "cell,pictures,spread,label,purity,style,style_share\n"
        "0,200,0.5,Lion,1.0,,\n2,1000,0.25,Tiger,0.7,photo,0.9\n"
    )
    (tmp_path / "kmeans.csv").write_text(
        "iteration,pictures,inertia,shift,empty\n1,1200,900.5,3.0,1\n2,1200,700.0,0.5,1\n"
    )
    (tmp_path / "recall.csv").write_text(
        "features,probe,cells,queries,recall_1,recall_10,recall_100,share_read\n"
        "new,1,3,20,0.9,0.8,,0.3\nnew,3,3,20,1.0,1.0,,1.0\nplain,1,3,20,0.1,0.1,,0.2\n"
    )
    return tmp_path


def test_the_largest_cells_come_first(results):
    chapter = index_chapter.read_chapter(results, FACTS)
    assert [(row["cell"], row["pictures"], row["style_share"]) for row in chapter.cells] == [
        (2, 1000, 0.9),
        (0, 200, None),
    ]


def test_the_chapter_says_what_was_done(results):
    chapter = index_chapter.read_chapter(results, FACTS)
    assert "holds 1,200 pictures in 3 cells, 1 of them empty." in chapter.lead
    assert "vectors of 9 numbers" in chapter.lead
    assert "75.0\u00a0% of the pictures have the most common predicted label" in chapter.lead
    assert "fell from 900.5 to 700.0" in chapter.learned


def test_recall_is_that_of_the_features_that_search_uses(results):
    rows = index_chapter.read_chapter(results, FACTS).recall
    assert [(row["probe"], row["recall_10"], row["share_read"]) for row in rows] == [
        (1.0, 0.8, 0.3),
        (3.0, 1.0, 1.0),
    ]
    assert "recall_100" not in rows[0]


def test_without_an_index_there_is_no_chapter(results, tmp_path):
    assert index_chapter.read_chapter(results, None) is None
    assert index_chapter.read_chapter(tmp_path / "other", FACTS) is None


def test_charts_are_drawn_whatever_there_is(results):
    chapter = index_chapter.read_chapter(results, FACTS)
    assert chapter.plots.keys() == {"cells", "inertia", "recall"}
    assert all(chart().startswith(b"<?xml") for chart in chapter.plots.values())
    assert index_plots.sizes_chart([]).startswith(b"<?xml")
