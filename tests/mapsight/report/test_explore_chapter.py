"""The chapter on the metadata: charts, tables, and texts that are hostile or missing."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsight.explore.exploration import Exploration
from mapsight.report import explore_chapter
from mapsight.report.charts import explore_plots
from mapsight.report.charts.treemap import Node, squarified, treemap
from mapsight.report.report import write_report
from tests.support.reports import (
    HOSTILE,
    Page,
    assert_inert,
    charts_drawn_once,
    exploration,
    write_explored,
    write_results,
)

CHARTS = {"labels", "boxes", "subsets", "depictions", "classes", "shapes"}


@pytest.fixture
def report(tmp_path):
    def make(found: Exploration) -> Page:
        results = write_explored(tmp_path / "results", found)
        return Page(write_report(results, tmp_path / "out", []))

    with charts_drawn_once():
        yield make


@pytest.fixture(scope="module")
def usual(tmp_path_factory) -> Page:
    """The report of the usual exploration."""
    folder = tmp_path_factory.mktemp("usual")
    results = write_explored(folder / "results", exploration())
    return Page(write_report(results, folder / "out", []))


@pytest.mark.parametrize(
    "text",
    [
        "say about 20 pictures",
        "80.0 % of the labelled pictures",
        "This cannot be checked here: a subset or a measure is missing.",
        "Boxes per picture; 80.0 % of the pictures have none. The maximum is 9, in Lion.",
        "Cat and Lion",
        "not given",
        "33.3 %",
        "Lion, 10",
    ],
)
def test_the_chapter_says(usual, text):
    assert text in " ".join(usual.text.split())


def test_the_subsets_are_compared_in_words_and_with_chance(report):
    found = exploration()
    for name, number in {"pictures": 4, "boxes": 9, "boxes_squared": 81}.items():
        found.sums["split"]["validation", name] = number
    text = " ".join(report(found).text.split())
    assert "boxes per picture0.902.250.90no (within chance)" in text
    assert "variation of boxes, SD / mean2.021.732.02no" in text
    assert "No measure in the table confirms this." in text


def test_every_chart_is_shown_and_drawn(report, tmp_path):
    page = report(exploration())
    shown = {image["src"] for image in page.all("img") if "metadata" in image["src"]}
    assert shown == {f"plots/metadata_{name}.svg" for name in CHARTS}
    assert all(b"no data" not in (tmp_path / "out" / path).read_bytes() for path in shown)
    assert "#metadata" in page.addresses()


def test_hostile_text_in_the_metadata_is_inert(report):
    page = report(exploration(HOSTILE))
    assert_inert(page)
    assert "<script>alert(1)</script>" in page.text


def test_without_an_image_list_it_is_said(report):
    text = report(exploration(image_list=False)).text
    assert "There is no image list" in text and "Without a label–" in "".join(text.split("\n"))


def test_without_metadata_there_is_no_chapter(tmp_path):
    page = Page(write_report(write_results(tmp_path / "results"), tmp_path / "out", []))
    assert "Metadata" not in page.text
    assert not list((tmp_path / "out" / "plots").glob("metadata*"))


def test_metadata_without_a_row_makes_a_chapter_without_charts(report, tmp_path):
    page = report(Exploration({}))
    assert "No picture has two labels" in page.text
    charts = [*(tmp_path / "out" / "plots").glob("metadata_*.svg")]
    assert len(charts) == len(CHARTS)


def test_the_same_tables_give_the_same_bytes(tmp_path):
    results = write_explored(tmp_path / "results", exploration())
    for name in "ab":
        write_report(results, tmp_path / name, [])
    for chart in (tmp_path / "a" / "plots").iterdir():
        assert chart.read_bytes() == (tmp_path / "b" / "plots" / chart.name).read_bytes()


SIZES = st.lists(st.integers(1, 1000), min_size=1, max_size=30)


@given(SIZES, st.floats(0.1, 10), st.floats(0.1, 10))
def test_rectangles_fill_theirs_in_proportion_and_do_not_overlap(sizes, width, height):
    sizes.sort(reverse=True)
    rects = list(squarified(sizes, (1, 2, width, height)))
    scale = width * height / sum(sizes)
    assert [w * h for _, _, w, h in rects] == pytest.approx([size * scale for size in sizes])
    for x, y, w, h in rects:
        assert x >= 1 - 1e-9 and x + w <= 1 + width + 1e-6
        assert y >= 2 - 1e-9 and y + h <= 2 + height + 1e-6
    for i, (x, y, w, h) in enumerate(rects):
        for a, b, c, d in rects[:i]:
            wide, high = min(x + w, a + c) - max(x, a), min(y + h, b + d) - max(y, b)
            assert min(wide, high) < 1e-6


def test_rectangles_are_those_of_the_paper():
    rects = list(squarified([6, 6, 4, 3, 2, 2, 1], (0, 0, 6, 4)))
    expected = [(0, 0, 3, 2), (0, 2, 3, 2), (3, 0, 12 / 7, 7 / 3), (33 / 7, 0, 9 / 7, 7 / 3)]
    for rect, known in zip(rects, expected, strict=False):
        assert rect == pytest.approx(known)


def test_a_class_larger_than_its_children_keeps_free_space():
    deep = Node("a", 10, [Node("b", 1), Node("c", 8, [Node("d", 9)])])
    assert treemap([deep]).startswith(b"<?xml") and b"no data" not in treemap([deep])


@pytest.mark.parametrize("module", [explore_chapter, explore_plots])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0
