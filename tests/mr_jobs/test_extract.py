"""The jobs that pack pictures and extract features, against the library called directly."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mapsight.features.decoder_process import Decoder
from mapsight.features.engines import load_model
from mapsight.features.extract import extract_features
from mapsight.inputs.find import find_inputs
from mapsight.inputs.shards import OURS, read_image, read_images
from mapsight.inputs.splits import make_plan
from mapsight.records import ERROR_CODES, ORDINALS_PER_FILE, Split
from mr_jobs.extract_features import MRExtractFeatures
from mr_jobs.pack_images import MRPackImages
from tests.support.jobs import Records, run_and_read, write_manifest
from tests.support.pictures import encoded, scribble


def write_pictures(folder: Path) -> None:
    """Ten pictures, one broken, one empty, and the second of two with one id."""
    folder.mkdir()
    for seed in range(10):
        picture = encoded(scribble(seed, 60 + seed, 40), "JPEG")
        (folder / f"{seed:016x}.jpg").write_bytes(picture)
    (folder / "broken.jpg").write_bytes(picture[:200])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "sub").mkdir()
    (folder / "sub" / f"{3:016x}.png").write_bytes(encoded(scribble(99)))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jobs")


@pytest.fixture(scope="module")
def packed(room: Path) -> tuple[list[Split], Records, Any]:
    """(splits of the listing, what the pack job gave, its counters)."""
    write_pictures(room / "pictures")
    listing = room / "listing.parquet"
    plan = make_plan(find_inputs(str(room / "pictures")), room, splits=3)
    splits = [Split(**{**asdict(split), "uri": str(listing)}) for split in plan.splits["files"]]
    manifest = write_manifest(room / "loose", (split.to_json() for split in splits))
    records, counters = run_and_read(room, MRPackImages, "--shards", room / "shards", *manifest)
    return splits, records, counters


def shards_of(packed) -> list[Split]:
    splits = [Split(**record["split"]) for _, record in packed[1]]
    return sorted(splits, key=lambda split: split.first)


def test_pack_makes_a_shard_for_every_split(packed):
    listed, records, counters = packed
    shards = shards_of(packed)
    assert len(records) == len(listed) == 3
    assert [(s.first, s.rows) for s in shards] == [(s.first, s.rows) for s in listed]
    assert counters["images"] == {"packed": 13}


def test_packed_shards_hold_every_file_in_order(packed, room):
    images = [image for shard in shards_of(packed) for image in read_images(shard)]
    found = list(find_inputs(str(room / "pictures")))
    assert [image.source for image in images] == [file.source for file in found]
    assert [image.ordinal for image in images] == [n * ORDINALS_PER_FILE for n in range(13)]
    assert [image.data for image in images] == [Path(f.uri.decode()).read_bytes() for f in found]


def extract_arguments(model_file) -> list[object]:
    return ["--model", model_file.path, "--model-sha256", model_file.sha256]


@pytest.fixture(scope="module")
def manifest(packed, room: Path) -> list[Path]:
    return write_manifest(room / "shard-splits", (s.to_json() for s in shards_of(packed)))


@pytest.fixture(scope="module")
def extracted(manifest, room: Path, model_file) -> tuple[Records, Any]:
    arguments = [*extract_arguments(model_file), "--names-are-ids"]
    return run_and_read(room, MRExtractFeatures, *arguments, *manifest)


@pytest.fixture(scope="module")
def directly(packed, model_file) -> list[tuple[str, int, dict[str, Any]]]:
    """What the library makes of the shards, without a job."""
    model = load_model("litert", str(model_file.path), model_file.sha256)
    images = (image for shard in shards_of(packed) for image in read_images(shard))
    with Decoder(side=model.resolution) as decoder:
        found = ((i.image_id, i.ordinal, f) for i, f in extract_features(images, model, decoder))
        return json.loads(json.dumps(list(found)))


def test_extract_gives_what_the_library_gives(extracted, directly):
    expected = {record["source"]: (key, record) for key, _, record in directly}
    assert len(extracted[0]) == len(expected) == 13
    for key, record in extracted[0]:
        if record.get("error") != "duplicate_id":
            assert (key, record) == expected[record["source"]]


def test_of_two_equal_ids_the_first_by_ordinal_is_kept(extracted, room):
    twins = [record for key, record in extracted[0] if key == f"{3:016x}"]
    assert [record.get("error") for record in twins] == [None, "duplicate_id"]
    assert [Path(record["source"]).suffix for record in twins] == [".jpg", ".png"]
    assert twins[0]["source"] in twins[1]["detail"]


def test_which_twin_is_first_does_not_depend_on_the_order_of_tasks(
    manifest, room, model_file, extracted
):
    backwards = write_manifest(room / "backwards", (p.read_text().strip() for p in manifest[::-1]))
    arguments = [*extract_arguments(model_file), "--names-are-ids"]
    records, _ = run_and_read(room, MRExtractFeatures, *arguments, *backwards)
    assert sorted(map(repr, records)) == sorted(map(repr, extracted[0]))


def test_every_picture_that_was_read_is_counted(extracted):
    images = dict(extracted[1]["images"])
    assert images.pop("read") == 13 == sum(images.values())
    assert images.pop("extracted") == 10
    assert set(images) <= set(ERROR_CODES)
    assert images["duplicate_id"] == images["empty"] == 1
    assert sum(images.values()) == 3 == extracted[1]["progress"]["rejected"] + 1


def test_a_feature_names_where_its_picture_is(extracted, room, packed):
    shards = {OURS.format(split.first): split.uri for split in shards_of(packed)}
    for key, record in extracted[0]:
        if "error" not in record:
            picture = room / "pictures" / f"{key}.jpg"
            shard = shards[record["shard"]]
            assert read_image(shard, record["row"]) == picture.read_bytes()


def test_local_gives_what_inline_gives(manifest, room, model_file, extracted):
    arguments = [*extract_arguments(model_file), "--names-are-ids"]
    records, counters = run_and_read(room, MRExtractFeatures, *arguments, *manifest, runner="local")
    assert sorted(map(repr, records)) == sorted(map(repr, extracted[0]))
    assert counters["images"] == extracted[1]["images"]


def test_parts_are_sorted_by_id(room, extracted):
    for part in room.glob("MRExtractFeatures-*/part-*"):
        keys = [line.split(b"\t")[0] for line in part.open("rb")]
        assert keys == sorted(keys)


def test_another_model_is_refused(manifest, tmp_path, model_file):
    arguments = ["--model", model_file.path, "--model-sha256", "0" * 64]
    with pytest.raises(ValueError, match="SHA-256"):
        run_and_read(tmp_path, MRExtractFeatures, *arguments, *manifest)


def test_a_foreign_column_of_pictures_is_read(tmp_path, model_file):
    table = pa.table({"photo": [encoded(scribble(1)), None], "image_id": ["a", "b"]})
    pq.write_table(table, tmp_path / "foreign.parquet")
    split = Split(str(tmp_path / "foreign.parquet"), "foreign.parquet", 0, 1, 2, 0, 0)
    manifest = write_manifest(tmp_path / "m", [split.to_json()])
    arguments = [*extract_arguments(model_file), "--image-column", "photo"]
    records, counters = run_and_read(tmp_path, MRExtractFeatures, *arguments, *manifest)
    assert [(key, record.get("error")) for key, record in records] == [
        ("a", None),
        ("b", "no_image"),
    ]
    assert counters["images"] == {"read": 2, "extracted": 1, "no_image": 1}
