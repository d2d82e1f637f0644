"""The confusion matrix of the page, and its links to pictures."""

from __future__ import annotations

import numpy as np
import pytest

from mapsight.report.cards import Sheet
from mapsight.report.confusion import confusion_matrix
from mapsight.report.report import write_report
from tests.support.reports import HOSTILE, Page, assert_inert, card, write_results


def test_a_large_matrix_keeps_the_labels_with_most_pictures():
    matrix = confusion_matrix([f"label {n}" for n in range(60)], np.diag(range(60)))
    assert matrix.note == "40 of 60 labels: those with most verified pictures."
    assert matrix.labels == [f"label {n}" for n in range(20, 60)]
    assert [row[:2] for row in matrix.rows[:2]] == [("label 20", 20), ("label 21", 21)]


def test_counts_are_written_with_their_share_of_the_row():
    matrix = confusion_matrix(["a", "b"], np.array([[1234, 0], [7, 14]]))
    assert [[cell.text for cell in cells] for *_, cells in matrix.rows] == [
        ["1,234", ""],
        ["7", "14"],
    ]
    assert [cell.share for cell in matrix.rows[1][2]] == [7 / 21, 14 / 21]
    assert [cell.right for cell in matrix.rows[1][2]] == [False, True]


@pytest.mark.parametrize(
    ("count", "text"), [(9999, "9,999"), (12_345, "12k"), (10**7, "10M"), (0, "")]
)
def test_large_counts_are_short(count, text):
    assert confusion_matrix(["a"], np.array([[count]])).rows[0][2][0].text == text


def test_the_shape_must_fit_and_there_may_be_none():
    with pytest.raises(ValueError, match="expected counts of shape"):
        confusion_matrix(["a"], np.zeros((2, 2)))
    assert confusion_matrix([], np.zeros((0, 0))).rows == []


def test_a_cell_leads_to_its_pictures(tmp_path):
    results = write_results(tmp_path / "results")
    taken = Sheet("Confusions", "note", [card(label="Lion → other")])
    page = Page(write_report(results, tmp_path / "out", [], taken))
    assert page.all("a").count({"href": "#confusions"}) == 1
    assert "confusions" in {attributes.get("id") for _, attributes in page.tags}
    assert "<!--page ?truth=Lion&label=other&split=test-->" in page.html


def test_hostile_labels_are_inert_in_it(tmp_path):
    results = write_results(tmp_path / "results", label=HOSTILE)
    assert_inert(Page(write_report(results, tmp_path / "out", [])))
