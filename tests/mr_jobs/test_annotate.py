"""The job that joins pictures with metadata."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from mapsight.openimages.dataset import CsvSplit
from mapsight.openimages.join import FEATURES
from mr_jobs.annotate_images import MRAnnotateImages
from tests.support.feature_records import ANNOTATIONS, LEOPARD, LION, REJECTED, feature
from tests.support.jobs import Records, run_and_read, write_json, write_manifest, write_records

LABELS = """\
ImageID,Source,LabelName,Confidence
a,verification,/m/096mb,1
a,machine,/m/0c29q,0.7
b,verification,/m/096mb,0
b,crowdsource-verification,/m/0c29q,1
torn,verification
a,verification,/m/07dm6,zero
"""


IMAGES = '''\
ImageID,Subset,License,Author,Title
b,train,cc-by,"Döe, J.","say ""hi"""
c,test,cc0,,
'''


BOXES = """\
ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside
b,xclick,/m/0c29q,1,0.1,0.5,0.2,0.75,0,0,0,1,-1
b,xclick,/m/0c29q,1,left,0.5,0.2,0.75,0,0,0,1,-1
"""


PROVENANCE_OF_B = {"subset": "train", "license": "cc-by", "author": "its own", "title": 'say "hi"'}


def annotate(folder: Path, step: int, features: Records, **selection: Any):
    """(records, counters) of the join with LABELS, BOXES and IMAGES, cut into pieces."""
    splits = [CsvSplit(str(write_records(folder / "features.jsonl", features)), FEATURES, 0, 0)]
    for kind, text in (("labels", LABELS), ("images", IMAGES), ("boxes", BOXES)):
        path = folder / f"{kind}.csv"
        path.write_text(text, encoding="utf-8")
        starts = range(0, path.stat().st_size, step)
        splits += [CsvSplit(str(path), kind, start, start + step) for start in starts]
    manifest = write_manifest(folder / "m", (json.dumps(asdict(split)) for split in splits))
    chosen = write_json(folder / "selection.json", selection)
    return run_and_read(folder, MRAnnotateImages, "--selection", chosen, *manifest)


def pictures(records: Records) -> Records:
    return [(key, record) for key, record in records if "orphan" not in record]


def orphans(records: Records) -> list[tuple[str, str]]:
    return sorted((key, record["orphan"]) for key, record in records if "orphan" in record)


@pytest.mark.parametrize("step", [7, 40, 10_000])
def test_annotate_joins_rows_of_all_files_however_they_are_split(tmp_path, step):
    features = [("a", feature(1)), ("b", feature(2, author="its own")), ("d", feature(3))]
    records, counters = annotate(tmp_path, step, features)
    expected = {key: {**record, "annotation": ANNOTATIONS[key]} for key, record in features}
    expected["b"] = {**PROVENANCE_OF_B, **expected["b"]}
    assert dict(pictures(records)) == expected
    assert orphans(records) == [("c", "annotation"), ("d", "picture")]
    assert counters["annotations"] == {"rows": 10, "malformed": 3, "without_picture": 1}
    assert counters["images"] == {"without_annotation": 1}


def test_annotate_keeps_rejected_pictures_and_twins(tmp_path):
    twin = {"source": "pictures/2.jpg", "error": "duplicate_id", "detail": "x"}
    features = [("a", REJECTED), ("b", feature(2)), ("b", twin)]
    records, counters = annotate(tmp_path, 10_000, features)
    told = [(key, record.get("error"), "annotation" in record) for key, record in records]
    assert told[0] == ("a", "corrupt", False)
    assert sorted(told[1:3], key=repr) == [("b", "duplicate_id", False), ("b", None, True)]
    assert "images" not in counters


@pytest.mark.parametrize(
    ("selection", "kept"),
    [
        ({"labels": {"Lion": LION}}, "a"),
        ({"labels": {"Leopard": LEOPARD}}, "b"),
        ({"labels": {"Leopard": LEOPARD}, "min_confidence": 0.5}, "ab"),
        ({"subsets": ["train"]}, "b"),
        ({"license": "CC-BY"}, "b"),
        ({"license": "cc0"}, ""),
    ],
)
def test_annotate_selects(tmp_path, selection, kept):
    features = [(key, feature(n)) for n, key in enumerate("abd")]
    records, counters = annotate(tmp_path, 10_000, [*features, ("x", REJECTED)], **selection)
    assert sorted(key for key, _ in pictures(records)) == sorted([*kept, "x"])
    assert counters["images"]["not_selected"] == 3 - len(kept)
    assert orphans(records) == [("c", "annotation"), ("d", "picture")]


def test_without_metadata_no_picture_is_an_orphan(tmp_path):
    features = [("a", feature(1, subset="train")), ("b", feature(2)), ("x", REJECTED)]
    path = write_records(tmp_path / "features.jsonl", features)
    manifest = write_manifest(
        tmp_path / "m", [json.dumps(asdict(CsvSplit(str(path), FEATURES, 0, 0)))]
    )
    chosen = write_json(tmp_path / "selection.json", {"subsets": ["train"]})
    arguments = ["--selection", chosen, "--no-metadata"]
    records, counters = run_and_read(tmp_path, MRAnnotateImages, *arguments, *manifest)
    assert sorted(key for key, _ in records) == ["a", "x"]
    assert (orphans(records), counters["images"]) == ([], {"not_selected": 1})
