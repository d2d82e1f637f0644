from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmarks.million import checks, collection
from benchmarks.million.collection import Collection, Sources, number_of
from benchmarks.million.pictures import BROKEN, COPIED, COPY, WAYS, Maker, id_of
from mapsight.features.decode import PictureError
from mapsight.features.decoder_child import answer

BOXES = ("ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax")


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[Path]:
    folder, rng = tmp_path_factory.mktemp("sources"), np.random.default_rng(0)
    paths = [folder / f"{n:016x}.jpg" for n in range(3)]
    for path in paths:
        pixels = rng.integers(0, 255, (12, 16, 3), np.uint8)
        Image.fromarray(pixels).resize((320, 240), Image.Resampling.BICUBIC).save(path)
    return paths


@pytest.fixture(scope="module")
def maker(files) -> Maker:
    return Maker(files, seed=1)


@given(st.integers(0, 2**64 - 1))
def test_an_id_tells_its_number(number):
    assert number_of(id_of(number)) == number


@pytest.mark.parametrize("hundred", range(15))
def test_a_broken_picture_is_rejected_for_its_reason(maker, hundred):
    made = maker.make(hundred * 100 + BROKEN)
    result = answer(made.data, 128)
    assert isinstance(result, PictureError)
    assert result.code == made.code == list(WAYS)[hundred % len(WAYS)]


@pytest.mark.parametrize("number", [0, 1, COPIED, 250])
def test_other_pictures_are_whole_and_always_the_same(maker, files, number):
    made = maker.make(number)
    assert not isinstance(answer(made.data, 128), PictureError)
    assert made == Maker(files, seed=1).make(number)
    assert made.data != Maker(files, seed=2).make(number).data
    assert made.data != maker.make(number + 1).data


def test_copies_have_the_same_bytes_or_nearly_the_same_pixels(maker):
    assert maker.make(100 + COPY).data == maker.make(100 + COPIED).data
    near, original = maker.make(COPY), maker.make(COPIED)
    assert (near.kind, near.data != original.data) == ("near", True)
    hashes = [int(answer(one.data, 128).fields["dhash"], 16) for one in (near, original)]
    assert (hashes[0] ^ hashes[1]).bit_count() <= 3


@pytest.fixture
def openimages(tmp_path, files) -> Path:
    folder = tmp_path / "openimages"
    folder.mkdir()
    (folder / "class-descriptions.csv").write_text("/m/1,Lion\n")
    with (folder / "train-annotations-bbox.csv").open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(BOXES)
        rows.writerows([path.stem, "/m/1", 0.25, 0.75, 0.25, 0.75] for path in files)
    return folder


def made(folder: Path, files: list[Path], openimages: Path) -> dict[str, bytes]:
    whole, sources = Collection(folder, 450, seed=1), Sources.read(files, openimages)
    left = whole.missing()
    assert sorted(whole.make(sources, 1)) == left
    whole.join_metadata(sources, openimages)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_is_missing_of_a_collection_is_made_again(tmp_path, files, openimages, monkeypatch):
    monkeypatch.setattr(collection, "SHARD_ROWS", 200)
    monkeypatch.setattr(collection, "GROUP_ROWS", 50)
    first = made(tmp_path / "work", files, openimages)
    shards = [Collection(tmp_path / "work", 450).shard(n) for n in range(3)]
    assert [pq.read_metadata(path).num_rows for path in shards] == [200, 200, 50]
    ids = [i for path in shards for i in pq.read_table(path).column("image_id").to_pylist()]
    assert ids == [id_of(n) for n in range(450)]
    shards[1].unlink()
    shards[2].with_suffix(".unfinished").write_bytes(b"half")
    assert Collection(tmp_path / "work", 450).missing() == [1]
    again = made(tmp_path / "work", files, openimages)
    again.pop("pictures/pictures-00002.unfinished")
    assert again == first


def test_boxes_are_those_of_the_crop(tmp_path, files, openimages, monkeypatch):
    monkeypatch.setattr(collection, "SHARD_ROWS", 200)
    made(tmp_path / "work", files, openimages)
    maker = Maker(files, seed=1)
    with (tmp_path / "work" / "metadata" / "train-annotations-bbox.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) > 400
    for row in rows:
        left, top, right, bottom = maker.make(number_of(row["ImageID"])).crop
        x = [max(0.0, (0.25 - left) / (right - left)), min(1.0, (0.75 - left) / (right - left))]
        y = [max(0.0, (0.25 - top) / (bottom - top)), min(1.0, (0.75 - top) / (bottom - top))]
        assert [float(row[side]) for side in BOXES[2:]] == pytest.approx([*x, *y], abs=1e-6)


@pytest.fixture
def results(tmp_path) -> Path:
    """Results of 200 pictures that are as they must be."""
    folder = tmp_path / "results"
    folder.mkdir()
    counts = {"images_read": 200, "images_extracted": 198, "images_rejected": 2}
    (folder / "summary.json").write_text(json.dumps(counts))
    codes = list(WAYS)
    rejected = [f"{id_of(h * 100 + BROKEN)},{codes[h]}\n" for h in range(2)]
    (folder / "rejected.csv").write_text("".join(["image_id,error\n", *rejected]))
    groups = [(COPIED, COPIED), (COPY, COPIED), (100 + COPIED, 159), (159, 159)]
    lines = [f"{id_of(n)},{id_of(keeper)}\n" for n, keeper in groups]
    (folder / "duplicates.csv").write_text("".join(["image_id,keeper\n", *lines]))
    usable = [id_of(n) for n in range(200) if n % 100 != BROKEN]
    pq.write_table(pa.table({"image_id": usable}), folder / "predictions.parquet")
    ranks = pa.table({"label": ["*"] * 3 + ["Lion"] * 2, "rank": [2, 1, 3, 1, 2]})
    pq.write_table(ranks, folder / "ranking.parquet")
    return folder


def everything(results: Path) -> list[str]:
    missing, near = checks.copies_found(results, 200)
    found = [*checks.accounted(results, 200), *checks.broken_by_reason(results, 200)]
    return [*found, *missing, *checks.ranks_whole(results), *([] if near == 1 else [str(near)])]


def test_right_results_pass(results):
    assert everything(results) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "wrong"),
    [
        ("summary.json", "200", "199", "199 pictures read, 200 made"),
        ("rejected.csv", "empty", "corrupt", f"{id_of(17)}: corrupt, expected empty"),
        ("rejected.csv", f"{id_of(17)},empty\n", "", "2 broken, 1 rejected for it"),
        ("rejected.csv", "error\n", f"error\n{id_of(5)},empty\n", "expected None"),
        ("duplicates.csv", f"{id_of(159)},{id_of(159)}\n", "", "copy 159 of 103"),
        ("duplicates.csv", f"{id_of(COPY)},", f"{id_of(7)},", "0.0"),
    ],
)
def test_wrong_results_do_not(results, file, old, new, wrong):
    text = (results / file).read_text()
    assert old in text
    (results / file).write_text(text.replace(old, new, 1))
    assert wrong in " ".join(everything(results))


def test_a_gap_in_ranks_is_found(results):
    pq.write_table(pa.table({"label": ["*"] * 3, "rank": [1, 2, 4]}), results / "ranking.parquet")
    assert checks.ranks_whole(results) == ["ranks of * have a gap, or one twice"]
