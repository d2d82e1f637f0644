"""Sizes of groups of duplicates, and the report's chapter on them."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from mapsight.duplicates.sizes import SHOWN_GROUPS, SHOWN_PICTURES, GroupSizes
from mapsight.report import duplicates_chapter
from mapsight.report.cards import Sheet
from mapsight.report.report import write_report
from tests.support.reports import Page, card, write_results

FACTS = {
    "pictures": 1000, "groups": 2, "in_groups": 9, "exact": 1, "near": 6, "bytes": 3_200_000,
    "exact_bytes": 40_000, "cut_buckets": 0,
    "sizes": [
        {"least": 2, "most": 2, "groups": 1, "pictures": 2},
        {"least": 5, "most": 8, "groups": 1, "pictures": 7},
    ],
}  # fmt: skip


def rows_of(sizes: list[int]) -> list[dict]:
    return [
        {"keeper": f"g{group}", "image_id": f"g{group}-{n}", "bytes": 10 + n}
        for group, size in enumerate(sizes)
        for n in range(size)
    ]


def seen(sizes: list[int]) -> dict:
    made, rows = GroupSizes(), rows_of(sizes)
    assert list(made.passing(rows)) == rows
    return made.notes()


def test_groups_are_counted_by_size():
    counted = [tuple(row.values()) for row in seen([2, 3, 2, 4, 5, 8, 9])["sizes"]]
    assert counted == [(2, 2, 2, 4), (3, 4, 2, 7), (5, 8, 2, 13), (9, 16, 1, 9)]


def test_the_largest_groups_are_shown_with_their_first_pictures():
    largest = seen([2, 10, 2, 3])["largest"]
    assert [(one["pictures"], one["rows"][0]["keeper"]) for one in largest] == [
        (10, "g1"), (3, "g3"), (2, "g0"), (2, "g2"),
    ]  # fmt: skip
    assert [row["image_id"] for row in largest[0]["rows"]] == [f"g1-{n}" for n in range(5)]
    assert [one["bytes"] for one in largest[1:]] == [11 + 12, 11, 11]


@given(st.lists(st.integers(2, 300), max_size=40))
def test_whatever_the_sizes(sizes):
    notes = seen(sizes)
    assert sum(row["groups"] for row in notes["sizes"]) == len(sizes)
    assert sum(row["pictures"] for row in notes["sizes"]) == sum(sizes)
    for row in notes["sizes"]:
        assert row["groups"] == sum(row["least"] <= size <= row["most"] for size in sizes)
    ranked = sorted(range(len(sizes)), key=lambda n: (-sizes[n], n))[:SHOWN_GROUPS]
    assert [one["rows"][0]["keeper"] for one in notes["largest"]] == [f"g{n}" for n in ranked]
    assert all(len(one["rows"]) <= SHOWN_PICTURES for one in notes["largest"])


def test_rows_stream():
    endless = ({"keeper": n // 3, "bytes": 1} for n in itertools.count())
    assert len(list(itertools.islice(GroupSizes().passing(endless), 1000))) == 1000


def test_the_chapter_says_what_was_found_and_what_it_costs():
    chapter = duplicates_chapter.read_chapter(FACTS)
    assert "Of 1,000 pictures, 9 are in 2 groups" in chapter.lead
    assert chapter.lead.endswith("The others are 1 exact copy and 6 near-duplicates.")
    said = chapter.saved.replace("\u00a0", " ")
    assert "7 pictures (0.7 %) and save 3.2 MB, 40 kB of it from exact copies" in said
    assert [row["size"] for row in chapter.sizes] == ["2", "5 to 8"]
    assert chapter.plots["duplicates"]().startswith(b"<?xml")
    cut = duplicates_chapter.read_chapter({**FACTS, "cut_buckets": 1})
    assert cut.saved.endswith("1 bucket was too large to compare every pair.")


def test_nothing_found_and_nothing_looked_for_are_told_apart():
    none = dict.fromkeys(FACTS, 0) | {"pictures": 12, "sizes": []}
    chapter = duplicates_chapter.read_chapter(none)
    assert chapter.lead == "No duplicates among 12 pictures."
    assert (chapter.saved, chapter.plots) == ("", {})
    assert duplicates_chapter.read_chapter(None) is None


def test_the_report_has_the_chapter_and_marks_the_keeper(tmp_path):
    results = write_results(tmp_path / "results", duplicates=FACTS)
    groups = [Sheet("7 pictures", "1 kB could be saved", [card(kept=True), card(image_id="b")])]
    page = Page(write_report(results, tmp_path / "out", [], duplicate_groups=groups))
    assert {"href": "#duplicates"} in page.all("a")
    assert "7 pictures 1 kB could be saved keep" in " ".join(page.text.split())
    assert [li["class"] for li in page.all("li")] == ["card kept", "card"]
    assert (tmp_path / "out" / "plots" / "duplicates.svg").is_file()
    page = Page(write_report(write_results(tmp_path / "none"), tmp_path / "out", []))
    assert {"href": "#duplicates"} not in page.all("a")
