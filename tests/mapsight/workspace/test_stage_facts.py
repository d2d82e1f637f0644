"""What stages leave, by name: what may be missing has a default, what must not be is missed."""

import pytest

from mapsight.workspace.index_facts import ClusterNotes, IndexNotes, KMeansStep, KnownPictures
from mapsight.workspace.result_facts import DuplicateCounts, MergeNotes, RankOptions
from mapsight.workspace.stage_facts import (
    AnnotateCounts,
    FetchNotes,
    FitNotes,
    PlanNotes,
    SideFiles,
)
from tests.support.stage_documents import NOTES, OPTIONS


def document(**fields):
    return {"notes": {}, "counters": {}, "options": {}, **fields}


def test_notes_are_read_by_name_and_others_are_left_out():
    notes = FetchNotes.of(document(notes={"shards": [], "failed": 2, "digest": "nothing"}))
    assert notes == FetchNotes(shards=[], failed=2, same=0)


def test_what_a_stage_may_leave_out_has_a_default():
    assert FitNotes.of(document()) == FitNotes(given=None, why=None)
    assert PlanNotes.of(document(notes=NOTES["plan"])).inputs == []
    assert IndexNotes.of(document(notes={"digest": "nothing"})).rows == 0
    assert MergeNotes.of(document(notes=NOTES["merge"])).suspects == []


def test_what_a_stage_must_leave_is_missed():
    with pytest.raises(TypeError, match="failed"):
        FetchNotes.of(document(notes={"shards": []}))


def test_iterations_are_typed():
    step = {"inertia": 9, "rows": 3, "shift": 1, "empty": 0, "seconds": 0.5}
    notes = ClusterNotes.of(document(notes={"history": [step]}))
    assert notes == ClusterNotes([KMeansStep(9, 3, 1, 0, 0.5)], counts=[])


def test_counters_that_nothing_was_added_to_are_zero():
    assert AnnotateCounts.of(document()) == AnnotateCounts(0, 0, 0)
    counters = {"images": {"not_selected": 1}, "annotations": {"without_picture": 2}}
    assert AnnotateCounts.of(document(counters=counters)) == AnnotateCounts(1, 0, 2)
    assert DuplicateCounts.of(document(counters={"duplicates": {"edges": 1}})).groups == 0


def test_side_files_and_known_pictures_are_counted_with_their_first():
    counters = {"archives": {"side_files_without_picture": 2}}
    sides = SideFiles.of(document(notes={"side_file": "a.txt"}, counters=counters))
    assert (sides.number, sides.first) == (2, "a.txt")
    counters = {"images": {"known": 1}}
    known = KnownPictures.of(document(notes={"first": ["id"]}, counters=counters))
    assert known == KnownPictures(1, ["id"])


def test_options_of_ranking_are_those_of_the_results():
    options = RankOptions.of(document(options=OPTIONS["merge"]))
    assert options == RankOptions("ppi", "desc", near_model=False)
