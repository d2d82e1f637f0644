"""The sample against brute force with pandas, on made-up metadata with the oddities of the real."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsight.openimages import sample as module
from mapsight.openimages import tables as openimages_tables
from mapsight.openimages.sample import SubsetFiles, draw
from mapsight.openimages.sampling import id_of, numbers_in
from mapsight.openimages.tables import copy_image_rows, copy_rows
from tests.support.openimages_world import MIDS, World, first, make_world

LION, TIGER, OWL = MIDS.values()


@pytest.fixture(scope="module")
def world() -> World:
    return make_world("train", 600, 1)


@pytest.fixture(scope="module")
def files(world: World, tmp_path_factory) -> SubsetFiles:
    return world.write(tmp_path_factory.mktemp("world"))


def numbers(ids) -> np.ndarray:
    return numbers_in("".join(ids).encode())


def ids(found: dict) -> dict:
    return {key: [id_of(number) for number in numbers] for key, numbers in found.items()}


@pytest.mark.parametrize("count", [1, 20, 10_000])
@pytest.mark.parametrize("depictions", [True, False])
def test_a_sample_is_that_of_brute_force(world, files, count: int, depictions: bool):
    found = draw(files, MIDS.values(), count, negatives=True, depictions=depictions)
    expected = {
        (mid, present): first(world.fit(mid, present, depictions), count)
        for mid in MIDS.values()
        for present in (True, False)
    }
    assert ids(found.chosen(count)) == expected


def test_a_sample_is_drawn_again_where_too_much_of_it_is_unfit(world, files, monkeypatch):
    monkeypatch.setattr(module, "SPARE", -19)
    found = draw(files, [LION], 20, depictions=False)  # 21 at a time
    assert ids(found.chosen(20)) == {(LION, True): first(world.fit(LION, True, False), 20)}


def test_what_is_gone_is_replaced_by_the_next(world, files):
    every = first(world.fit(LION, True), 200)
    gone = {int(i, 16) for i in every[:150:3]}
    found = draw(files, [LION], 60, gone=gone)
    kept = [i for i in every if int(i, 16) not in gone][:60]
    assert ids(found.chosen(60, gone)) == ids(draw(files, [LION], 100).chosen(60, gone))
    assert ids(found.chosen(60)) == {(LION, True): kept}


def test_spare_ones_run_out_where_there_may_be_more(files):
    found = draw(files, [LION], 10)
    gone = set(found.fit[LION, True][:-9].tolist())
    assert found.spent(10, gone) and not found.spent(9, gone)
    assert not draw(files, [LION], 10_000).spent(10_000)


def test_rows_in_any_order_and_written_otherwise_are_the_same(world, files, tmp_path: Path):
    labels = world.labels.sample(frac=1, random_state=0).replace({"1": "1.0", "0": "0.0"})
    mixed = World("train", world.images[::-1], labels, world.boxes).write(tmp_path)
    crlf = mixed.labels.read_bytes().replace(b"\n", b"\r\n")
    mixed.labels.write_bytes(b"\xef\xbb\xbf" + crlf.replace(b"\r\n", b'\r\nbad "row\r\n', 1))
    same = [draw(f, [LION, OWL], 30, negatives=True).chosen(30) for f in (files, mixed)]
    assert ids(same[0]) == ids(same[1])


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 80), st.integers(0, 80))
def test_a_larger_sample_contains_the_smaller(files, count: int, more: int):
    small, large = (draw(files, [TIGER], n).chosen(n)[TIGER, True] for n in (count, count + more))
    assert large[:count].tolist() == small.tolist()


def test_blocks_make_no_difference(files, monkeypatch: pytest.MonkeyPatch):
    whole = ids(draw(files, [LION], 50, negatives=True).chosen(50))
    monkeypatch.setattr(openimages_tables, "BLOCK", 4096)
    assert ids(draw(files, [LION], 50, negatives=True).chosen(50)) == whole


def test_a_label_without_pictures_has_an_empty_sample(files):
    assert ids(draw(files, ["/m/none"], 5).chosen(5)) == {("/m/none", True): []}


@pytest.mark.parametrize("name", ["labels", "boxes"])
def test_rows_are_copied_as_they_are(world, files, tmp_path: Path, name: str):
    wanted, table = set(world.images.ImageID[:40]), getattr(world, name)
    count = copy_rows(getattr(files, name), tmp_path / "out.csv", numbers(wanted))
    copied = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    expected = table[table.ImageID.isin(wanted)].reset_index(drop=True)
    assert count == len(expected) > 0
    pd.testing.assert_frame_equal(copied, expected)


def test_image_rows_are_copied_with_quotes_commas_and_line_ends(world, files, tmp_path: Path):
    wanted = set(world.images.ImageID[:40])
    assert copy_image_rows(files.images, tmp_path / "out.csv", numbers(wanted)) == 40
    copied = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(copied, world.images[:40])


def test_bytes_that_are_no_utf8_stay(tmp_path: Path):
    text = b"ImageID,Title\n" + b"a" * 16 + b",L\xf6we\n"
    (tmp_path / "in.csv").write_bytes(text)
    copy_image_rows(tmp_path / "in.csv", tmp_path / "out.csv", numbers(["a" * 16]))
    assert (tmp_path / "out.csv").read_bytes() == text


def test_a_foreign_header_is_named(files, tmp_path: Path):
    other = tmp_path / "other.csv"
    other.write_text("ImageID,Who,LabelName\n")
    with pytest.raises(ValueError, match="no column Source; it has ImageID, Who, LabelName"):
        draw(SubsetFiles(files.images, other, files.boxes), [LION], 1)
    for copy in (copy_rows, copy_image_rows):
        other.write_text("Id,Who\n")
        with pytest.raises(ValueError, match="no column ImageID; it has Id, Who"):
            copy(other, tmp_path / "out.csv", numbers([]))


def test_the_world_has_every_oddity(world):
    people = world.labels[world.labels.Source != "machine"]
    both = people.groupby(["ImageID", "LabelName"]).Confidence.nunique()
    assert (both == 2).any() and (world.boxes.IsDepiction == "-1").any()
    assert set(world.labels.ImageID) - set(world.images.ImageID)
    assert len(list(itertools.chain(*[world.fit(LION, p) for p in (True, False)]))) > 100


def test_a_subset_without_labels_or_boxes_gives_nothing(world, tmp_path: Path):
    bare = World("test", world.images, world.labels[:0], world.boxes[:0]).write(tmp_path)
    found = draw(bare, [LION], 5, negatives=True, depictions=False).chosen(5)
    assert ids(found) == {(LION, True): [], (LION, False): []}
    assert copy_rows(bare.labels, tmp_path / "out.csv", numbers([])) == 0
