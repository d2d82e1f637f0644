"""The bundled catalogue: what is drawn, what is said of it, and the model that comes with it."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.paths import ROOT

EXAMPLES = ROOT / "examples"
sys.path.append(str(EXAMPLES))

from draw_catalogue import EACH, draw_catalogue, draw_items, items  # noqa: E402

from mapsight.features.decode import decode  # noqa: E402
from mapsight.features.models.image_model import ImageModel  # noqa: E402
from mapsight.features.preprocess import central_crop  # noqa: E402
from mapsight.files import sha256_of  # noqa: E402
from mapsight.labels.labeler import DEFAULT_TARGETS, Labeler, class_named  # noqa: E402
from mapsight.openimages.dataset import (  # noqa: E402
    annotation_rows,
    csv_splits,
    find_dataset,
    read_descriptions,
)

MODEL = EXAMPLES / "catalogue" / "model.tflite"
RECORD = json.loads(MODEL.with_suffix(".json").read_text(encoding="utf-8"))
ALL = list(items())


@pytest.fixture(scope="session")
def catalogue() -> Path:
    """The catalogue where a checkout has it; drawn if it is not there as it should be."""
    folder = EXAMPLES / "catalogue" / "openimages"
    draw_catalogue(folder)
    return folder


def rows(catalogue: Path, pattern: str) -> list[dict[str, str]]:
    found = []
    for path in sorted(catalogue.glob(pattern)):
        with path.open(encoding="utf-8", newline="") as file:
            found += csv.DictReader(file)
    return found


def digests(folder: Path, subset: str) -> set[str]:
    return {sha256_of(folder / "images" / item.file) for item in ALL if item.subset == subset}


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    some = [ALL[0], ALL[41], ALL[-1]]
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        draw_items(some, tmp_path / name)
    one, two = ([(tmp_path / n / item.file).read_bytes() for item in some] for n in ("one", "two"))
    assert one == two


def test_another_seed_gives_another_picture(tmp_path):
    some = [ALL[0], replace(ALL[0], seed="another")]
    draw_items(some, tmp_path)
    one, two = ((tmp_path / item.file).read_bytes() for item in some)
    assert one != two


def test_every_animal_is_there_in_both_styles_and_all_subsets():
    counts = Counter((item.label, item.photo, item.subset) for item in ALL)
    shares = {"train": 0.6, "validation": 0.2, "test": 0.2}
    assert {key: n for key, n in counts.items() if key[0] in DEFAULT_TARGETS} == {
        (label, photo, subset): round(EACH / 2 * share)
        for label in DEFAULT_TARGETS
        for photo in (True, False)
        for subset, share in shares.items()
    }


def test_ids_are_unique_and_as_open_images_has_them():
    ids = {item.id for item in ALL}
    assert len(ids) == len(ALL)
    assert all(len(name) == 16 and int(name, 16) >= 0 for name in ids)


def test_a_drawn_catalogue_is_not_drawn_again(catalogue):
    before = (catalogue / "catalogue.json").stat().st_mtime_ns
    assert not draw_catalogue(catalogue)
    assert (catalogue / "catalogue.json").stat().st_mtime_ns == before


def test_a_missing_picture_is_drawn_again_as_it_was(tmp_path):
    some, folder = ALL[:3], tmp_path / "catalogue"
    assert draw_catalogue(folder, some)
    path = folder / "images" / some[1].file
    before = path.read_bytes()
    path.unlink()
    assert draw_catalogue(folder, some)
    assert path.read_bytes() == before


def test_what_a_killed_drawing_left_does_not_disturb(tmp_path):
    left = tmp_path / ".catalogue.part" / "images"
    left.mkdir(parents=True)
    (left / "half.jpg").write_bytes(b"half")
    draw_catalogue(tmp_path / "catalogue", ALL[:2])
    pictures = {path.name for path in (tmp_path / "catalogue" / "images").iterdir()}
    assert pictures == {item.file for item in ALL[:2]}
    assert not left.exists()


def test_many_at_once_draw_it_once(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        tasks = [pool.submit(draw_catalogue, tmp_path / "catalogue", ALL[:3]) for _ in range(4)]
        assert sorted(task.result() for task in tasks) == [False, False, False, True]


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(ValueError, match="holds something else"):
        draw_catalogue(tmp_path / "mine")
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"


def test_every_metadata_file_is_found_and_every_line_understood(catalogue):
    files = find_dataset(str(catalogue)).files
    assert {kind: len(found) for kind, found in files.items()} == {
        "boxes": 3, "labels": 3, "images": 1, "descriptions": 1, "hierarchy": 0,
    }  # fmt: skip
    for kind in ("labels", "images"):
        parts = [p for f in files[kind] for s in csv_splits(f, kind) for p in annotation_rows(s)]
        assert None not in parts
        assert {image_id for image_id, _ in parts} == {item.id for item in ALL}


def test_labels_have_the_names_and_mids_of_the_report(catalogue):
    names = read_descriptions(find_dataset(str(catalogue)).files["descriptions"])
    assert {label: names[label] for label in DEFAULT_TARGETS} == DEFAULT_TARGETS


def test_every_picture_is_verified_as_what_was_drawn(catalogue):
    lines = rows(catalogue, "*imagelabels.csv")
    verified = {r["ImageID"]: r["LabelName"] for r in lines if r["Source"] == "verification"}
    names = {mid: label for label, mid in RECORD["classes"].items()}
    assert {key: names[mid] for key, mid in verified.items()} == {i.id: i.label for i in ALL}


def test_boxes_lie_inside_and_those_of_drawings_are_depictions(catalogue):
    photo = {item.id: item.photo for item in ALL}
    boxes = rows(catalogue, "*bbox.csv")
    assert {box["ImageID"] for box in boxes} == set(photo)
    for box in boxes:
        assert box["IsDepiction"] == str(int(not photo[box["ImageID"]]))
        assert 0 <= float(box["XMin"]) < float(box["XMax"]) <= 1
        assert 0 <= float(box["YMin"]) < float(box["YMax"]) <= 1


def test_sizes_and_checksums_of_the_image_list_are_right(catalogue):
    listed = rows(catalogue, "images-with-rotation.csv")
    for row in listed[:20]:
        data = (catalogue / "images" / row["OriginalURL"].rsplit("/", 1)[-1]).read_bytes()
        assert int(row["OriginalSize"]) == len(data)
        assert row["Title"] and row["Author"] and row["License"].startswith("https://")


def test_pictures_decode_and_differ_in_size(catalogue):
    pictures = [decode((catalogue / "images" / item.file).read_bytes()) for item in ALL[::7]]
    assert len({(picture.width, picture.height) for picture in pictures}) > 15


def test_no_picture_of_a_subset_is_in_another(catalogue):
    train, validation, test = (digests(catalogue, s) for s in ("train", "validation", "test"))
    assert not train & validation and not train & test and not validation & test


def test_the_model_is_the_one_the_record_is_about():
    data = MODEL.read_bytes()
    assert hashlib.sha256(data).hexdigest() == RECORD["sha256"]
    assert len(data) == RECORD["bytes"] < 1_500_000


def test_the_model_learned_from_the_train_subset_alone():
    train = sum(item.subset == "train" for item in ALL)
    assert RECORD["training"]["pictures"] == train
    assert RECORD["test"]["n"] == sum(item.subset == "test" for item in ALL)


def test_the_classes_inside_are_the_mids():
    model = ImageModel(MODEL)
    assert list(model.classes) == list(RECORD["classes"].values())
    assert Labeler(DEFAULT_TARGETS).missing(model.classes) == []
    assert class_named(model.classes[-1]).label == "Mushroom"


def test_the_model_knows_held_out_drawings_as_well_as_the_record_says(catalogue):
    model = ImageModel(MODEL)
    some = [item for item in ALL if item.subset == "test"][::2]
    right = 0
    for item in some:
        image = decode((catalogue / "images" / item.file).read_bytes()).image
        probabilities, _ = model.predict(central_crop(image, model.resolution))
        right += model.classes[probabilities.argmax()] == RECORD["classes"][item.label]
    # another Pillow may round otherwise, so that a close decision falls the other way
    assert right >= RECORD["test"]["accuracy"] * len(some) - 2
