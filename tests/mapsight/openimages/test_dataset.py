from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsight.inputs import csv_rows
from mapsight.inputs.find import find_inputs
from mapsight.openimages import dataset as openimages
from mapsight.openimages.columns import read_header
from mapsight.openimages.dataset import (
    annotation_rows,
    csv_splits,
    find_dataset,
    kind_of,
    merge_annotations,
    read_descriptions,
    read_hierarchy,
)
from mapsight.storage.hdfs_buffers import RangeFile

LABELS = "ImageID,Source,LabelName,Confidence\n"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("oidv6-train-images-with-labels-with-rotation.csv", "images"),
        ("image_ids_and_rotation.csv", "images"),
        ("train-annotations-human-imagelabels-boxable.csv", "labels"),
        ("oidv7-val-annotations-human-imagelabels.csv", "labels"),
        ("validation-annotations-bbox.csv", "boxes"),
        ("annotations-human-bbox.csv", "boxes"),
        ("class-descriptions-boxable.csv", "descriptions"),
        ("oidv7-class-descriptions.csv", "descriptions"),
        ("bbox_labels_600_hierarchy.json", "hierarchy"),
        ("truth.csv", None),
        ("00966a975d566c45.jpg", None),
    ],
)
def test_published_names_are_known(name, kind):
    assert kind_of(name) == kind


def test_the_sample_is_found(openimages_dir):
    dataset = find_dataset(str(openimages_dir))
    assert dataset.pictures == [f"{openimages_dir}/images"]
    assert {kind: len(files) for kind, files in dataset.files.items()} == {
        "boxes": 3, "labels": 3, "images": 1, "descriptions": 2, "hierarchy": 1,
    }  # fmt: skip


def test_without_an_images_folder_parquet_or_every_other_file_is_pictures(tmp_path):
    (tmp_path / "class-descriptions.csv").write_text("/m/1,A\n")
    assert find_dataset(str(tmp_path)).pictures == [str(tmp_path)]
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    assert find_dataset(str(tmp_path)).pictures == [f"{tmp_path}/b.parquet"]


def read_all(path: Path, kind: str) -> list:
    (file,) = find_inputs(str(path))
    return [row for split in csv_splits(file, kind) for row in annotation_rows(split)]


@given(st.integers(1, 200), st.integers(0, 30))
def test_every_line_is_read_once_however_the_file_is_cut(tmp_path_factory, size, lines):
    path = tmp_path_factory.mktemp("csv") / "x-imagelabels.csv"
    path.write_text(LABELS + "".join(f"{i:016x},verification,/m/{i},1\n" for i in range(lines)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openimages, "CSV_SPLIT_BYTES", size)
        rows = read_all(path, "labels")
    assert [row[0] for row in rows] == [f"{i:016x}" for i in range(lines)]


def test_a_file_far_away_is_read_like_one_here(tmp_path, monkeypatch):
    path = tmp_path / "x-imagelabels.csv"
    path.write_text(LABELS + "a,v,/m/1,1\nb,v,/m/1,1\n")
    here, data = read_all(path, "labels"), path.read_bytes()
    monkeypatch.setattr(
        csv_rows,
        "open_uri",
        lambda _: RangeFile(None, "x", lambda _, start, end: data[start:end], None, len(data)),
    )
    assert read_all(path, "labels") == here


def test_rows_are_read_by_the_names_of_the_header(tmp_path):
    path = tmp_path / "images.csv"
    path.write_bytes(
        b"\xef\xbb\xbfImageID,Subset,License,Author,Title\r\n"
        b'a,train,by,"O\'Hara, ""Bo""","a, b"\r\nb,test,,,\r\n'
    )
    assert read_all(path, "images") == [
        ("a", {"subset": "train", "license": "by", "author": 'O\'Hara, "Bo"', "title": "a, b"}),
        ("b", {"subset": "test"}),
    ]


def test_malformed_lines_are_counted_not_guessed(tmp_path):
    path = tmp_path / "x-imagelabels.csv"
    path.write_text(
        LABELS + "a,verification,/m/1\na,verification,/m/1,yes\na,verification,/m/1,1\n"
    )
    assert read_all(path, "labels") == [
        None,
        None,
        ("a", {"labels": [["/m/1", 1.0, "verification"]]}),
    ]


@pytest.mark.parametrize(
    "cells", [f"a,verification,{'x' * 200_000},1", "a,v,/m/1,nan", ",v,/m/1,1"]
)
def test_a_hostile_line_is_one_malformed_row(tmp_path, cells):
    path = tmp_path / "x-imagelabels.csv"
    path.write_text(f"{LABELS}{cells}\nb,verification,/m/1,1\n")
    assert [row and row[0] for row in read_all(path, "labels")] == [None, "b"]


def test_ids_are_written_as_those_of_pictures(tmp_path):
    path = tmp_path / "x-imagelabels.csv"
    path.write_text(f"{LABELS}00966A975D566C45,verification,/m/1,1\n")
    assert read_all(path, "labels")[0][0] == "00966a975d566c45"


def test_names_come_from_files_with_and_without_a_header(tmp_path):
    (tmp_path / "class-descriptions-boxable.csv").write_bytes(
        b"LabelName,DisplayName\r\n/m/1,Jaguar (Animal)\r\n"
    )
    (tmp_path / "class-descriptions.csv").write_text("/m/2,Caf\u00e9\n/m/1,Jaguar\n", "utf-8")
    files = find_dataset(str(tmp_path)).files["descriptions"]
    assert read_descriptions(files) == {
        "Jaguar (Animal)": "/m/1",
        "Jaguar": "/m/1",
        "Caf\u00e9": "/m/2",
    }


def test_the_hierarchy_is_read_by_is_a_only(tmp_path):
    path = tmp_path / "bbox_labels_600_hierarchy.json"
    path.write_text(
        '{"LabelName": "root", "Subcategory": [{"LabelName": "a", "Part": [{"LabelName": "p"}],'
        ' "Subcategory": [{"LabelName": "b"}]},'
        ' {"LabelName": "c", "Subcategory": [{"LabelName": "b"}]}]}'
    )
    assert read_hierarchy(list(find_inputs(str(path)))) == {"b": ("a", "c")}


def test_a_hierarchy_that_is_none_is_named(tmp_path):
    path = tmp_path / "bbox_labels_600_hierarchy.json"
    path.write_text("[")
    with pytest.raises(ValueError, match=r"hierarchy\.json: not a class hierarchy"):
        read_hierarchy(list(find_inputs(str(path))))


def test_annotations_merge_the_same_in_any_order():
    parts = [
        {"labels": [["/m/1", 1.0, "verification"]]},
        {"labels": [["/m/0", 0.7, "machine"], ["/m/1", 1.0, "verification"]]},
        {"license": "by", "title": "b"},
        {"title": "a"},
    ]
    merged = merge_annotations(iter(parts))
    random.Random(1).shuffle(parts)
    assert merged == merge_annotations(iter(parts))
    assert merged["labels"] == [["/m/0", 0.7, "machine"], ["/m/1", 1.0, "verification"]]
    assert (merged["license"], merged["title"]) == ("by", "a")


def test_byte_order_marks_cost_no_class(tmp_path):
    names = tmp_path / "class-descriptions.csv"
    names.write_bytes(b"\xef\xbb\xbf/m/096mb,Lion\r\n/m/07dm6,Tiger\r\n")
    assert read_descriptions(list(find_inputs(str(names)))) == {
        "Lion": "/m/096mb",
        "Tiger": "/m/07dm6",
    }
    tree = tmp_path / "bbox_labels_600_hierarchy.json"
    node = {"LabelName": "a", "Subcategory": [{"LabelName": "b"}]}
    text = json.dumps({"LabelName": "r", "Subcategory": [node]})
    for encoding in ("utf-8-sig", "utf-16"):
        tree.write_bytes(text.encode(encoding))
        assert read_hierarchy(list(find_inputs(str(tree)))) == {"b": ("a",)}


def test_metadata_in_utf_16_is_called_so(tmp_path):
    path = tmp_path / "train-annotations-human-imagelabels.csv"
    path.write_bytes("ImageID,Source,LabelName,Confidence\n".encode("utf-16"))
    with pytest.raises(ValueError, match=r"imagelabels.csv: is UTF-16 text; save it as UTF-8"):
        read_header(str(path), "labels")


@pytest.mark.parametrize(
    "bad", ['"/m/0', '/m/0,"Ti', '"', "//m/02,B", "x" * 200_000, '"' + "x" * 200_000]
)
def test_a_damaged_line_of_descriptions_costs_its_own_name(tmp_path, bad):
    path = tmp_path / "class-descriptions.csv"
    path.write_text(f"/m/01,A\n{bad}\n/m/02,B\n" + "".join(f"/m/1{n},C{n}\n" for n in range(200)))
    names = read_descriptions(list(find_inputs(str(path))))
    assert (names["A"], names["B"], names["C199"]) == ("/m/01", "/m/02", "/m/1199")
    assert set(map(len, names)) <= {1, 2, 3, 4}


def test_files_of_classes_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(openimages, "MOST_CLASSES", 10)
    monkeypatch.setattr(openimages, "HIERARCHY_BYTES", 100)
    names, tree = tmp_path / "class-descriptions.csv", tmp_path / "bbox_labels_hierarchy.json"
    names.write_text("".join(f"/m/{n},C{n}\n" for n in range(20)))
    tree.write_text(json.dumps({"LabelName": "/m/0", "Subcategory": []}) + " " * 100)
    with pytest.raises(ValueError, match="more than 10 classes"):
        read_descriptions(list(find_inputs(str(names))))
    with pytest.raises(ValueError, match="more than 100 bytes"):
        openimages.read_classes(list(find_inputs(str(tree))))
