"""Every job class, run whole by its runner, against the library called directly."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mrjob.conf import load_opts_from_mrjob_conf

from mapsight.evaluation.accuracy import tally
from mapsight.evaluation.counts import Evaluation
from mapsight.features.decoder_process import Decoder
from mapsight.features.engines import load_model
from mapsight.features.extract import extract_features
from mapsight.inputs.find import find_inputs
from mapsight.inputs.shards import OURS, read_image, read_images
from mapsight.inputs.splits import make_plan
from mapsight.labels.classify import Classifier
from mapsight.labels.examples import SPLITS, Leaks
from mapsight.labels.fit_sums import plan_fit
from mapsight.labels.labeler import DEFAULT_TARGETS, Labeler
from mapsight.labels.ranking import EVERYTHING, RankPlan, Sample
from mapsight.openimages.dataset import CsvSplit
from mapsight.openimages.join import FEATURES
from mapsight.records import (
    ERROR_CODES,
    MEASURES,
    ORDINALS_PER_FILE,
    Split,
    decode_embedding,
    encode_embedding,
)
from mapsight.search.exact import Query, Search
from mr_jobs.annotate_images import MRAnnotateImages
from mr_jobs.calibrate_head import MRCalibrateHead
from mr_jobs.classify_images import MRClassifyImages
from mr_jobs.count_labels import MRCountLabels
from mr_jobs.extract_features import MRExtractFeatures
from mr_jobs.find_images import MRFindImages
from mr_jobs.fit_head import MRFitHead
from mr_jobs.pack_images import MRPackImages
from mr_jobs.rank_images import MRRankImages
from mr_jobs.search_images import MRSearchImages
from mr_jobs.split_examples import MRSplitExamples
from tests.support.jobs import (
    Records,
    read_parts,
    run_and_read,
    write_json,
    write_manifest,
    write_records,
)
from tests.support.paths import ROOT
from tests.support.pictures import encoded, scribble

OPTIONS = {
    "annotate_images.py": [],
    "build_index.py": ["--plan", "--centres", "--index"],
    "calibrate_head.py": ["--targets", "--head", "--tried", "--leaks"],
    "classify_images.py": ["--targets"],
    "cluster_features.py": ["--seeds", "--centres"],
    "count_labels.py": [],
    "drop_images.py": ["--removed"],
    "explore_metadata.py": [],
    "extract_features.py": ["--model"],
    "fetch_images.py": ["--store"],
    "find_duplicates.py": [],
    "find_images.py": ["--ids"],
    "fit_head.py": ["--targets", "--plan", "--leaks"],
    "group_duplicates.py": [],
    "join_duplicates.py": [],
    "map_features.py": ["--targets", "--rows"],
    "match_images.py": ["--plan"],
    "pack_images.py": ["--shards"],
    "probe_index.py": ["--queries"],
    "rank_images.py": ["--plan"],
    "search_images.py": ["--queries", "--targets"],
    "settle_ids.py": [],
    "split_examples.py": ["--targets"],
}
"""What each job must be given."""
TARGETS = {"targets": dict(DEFAULT_TARGETS), "parents": {}}
LION, LEOPARD = DEFAULT_TARGETS["Lion"], DEFAULT_TARGETS["Leopard"]


# ---- pack and extract


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


# ---- annotate


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
ANNOTATIONS = {
    "a": {"labels": [["/m/096mb", 1.0, "verification"], ["/m/0c29q", 0.7, "machine"]]},
    "b": {
        "labels": [
            ["/m/096mb", 0.0, "verification"],
            ["/m/0c29q", 1.0, "crowdsource-verification"],
        ],
        "boxes": [["/m/0c29q", 0.1, 0.5, 0.2, 0.75, 0, 0, 0, 1, -1]],
    },
    "d": {},
}
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


# ---- classify


def feature(number: int, wnid: str = "n02129165", **fields: Any) -> dict[str, Any]:
    """A made-up feature record; `wnid` is ImageNet's lion unless said otherwise."""
    measures = dict.fromkeys(MEASURES, number * 7 % 5 + 1.5)
    return {
        **measures,
        "width": 60 + number,
        "height": 40,
        "format": "JPEG",
        "dhash": f"{number:016x}",
        "sha256": f"{number:064x}",
        "source": f"pictures/{number}.jpg",
        "shard": "shard",
        "row": number,
        "top5": [[wnid, 0.5], ["n02128385", 0.25]],
        "embedding": encode_embedding(np.random.default_rng(number).standard_normal(16)),
        **fields,
    }


REJECTED = {"source": "pictures/x.jpg", "error": "corrupt", "detail": "x"}


@pytest.fixture
def targets(tmp_path: Path) -> Path:
    return write_json(tmp_path / "targets.json", TARGETS)


@pytest.fixture
def labeler() -> Labeler:
    return Labeler(TARGETS["targets"], {})


def classify(folder: Path, targets: Path, records: Records, *extra: object):
    """(records, counters)"""
    joined = write_records(folder / "joined.jsonl", records)
    return run_and_read(folder, MRClassifyImages, "--targets", targets, *extra, joined)


def test_classify_predicts_what_the_library_predicts(tmp_path, targets, labeler):
    features = [(f"{n:03d}", feature(n)) for n in range(12)]
    records, counters = classify(tmp_path, targets, features)
    classifier = Classifier(labeler)
    expected = [[key, classifier.predict(record)] for key, record in features]
    assert [list(pair) for pair in records] == json.loads(json.dumps(expected))
    assert {record["label"] for _, record in records} == {"Lion"}
    assert counters["images"] == {"classified": 12}


def test_classify_puts_the_truth_beside_the_label(tmp_path, targets):
    joined = [(key, feature(n, annotation=ANNOTATIONS[key])) for n, key in enumerate("abd")]
    records, _ = classify(tmp_path, targets, joined)
    assert [(key, record["truth"], record["absent"]) for key, record in records] == [
        ("a", ["Lion"], []),
        ("b", ["Leopard"], ["Lion"]),
        ("d", None, []),
    ]


def test_classify_passes_on_what_is_no_picture(tmp_path, targets):
    other = [("b", {"orphan": "picture"}), ("c", {"orphan": "annotation"})]
    records, counters = classify(tmp_path, targets, [("a", REJECTED), ("b", feature(2)), *other])
    assert [pair for pair in records if "label" not in pair[1]] == [("a", REJECTED), *other]
    assert counters["images"] == {"classified": 1, "rejected": 1}


def test_classify_takes_the_screen(tmp_path, targets):
    joined = [("a", feature(0, width=300, height=400))]
    records, _ = classify(tmp_path, targets, joined, "--screen-diagonal", 10)
    assert records[0][1]["ppi"] == 50.0


# ---- split, fit, calibrate


def joined_pictures(count: int = 240) -> Records:
    """Lions lie along one axis, others along another; every 20th has a twin in another split."""
    made = []
    for number in range(count):
        lion = number % 3 == 0
        x = np.abs(np.random.default_rng(number).standard_normal(16)) / 2 + np.eye(16)[int(lion)]
        labels = [[LION if lion else LEOPARD, 1.0, "verification"]]
        boxes = [[LION, 0, 1, 0, 1, 0, 0, 0, number % 2, 0]]
        subset = ["train", "train", "validation", "test"][number // 6 % 4]
        record = feature(number, subset=subset, embedding=encode_embedding(x))
        record["annotation"] = {"labels": labels, "boxes": boxes}
        if number % 20 == 13:
            record["dhash"] = f"{number - 12:016x}"
        made.append((f"{number:016x}", record))
    alone = [("y", {"orphan": "annotation"}), (made[0][0], {"orphan": "picture"})]
    return [*made, ("x", REJECTED), *alone]


def split_examples(folder: Path, targets: Path, files: int):
    inputs = spread(folder, joined_pictures(), files)
    found, _ = run_and_read(folder, MRSplitExamples, "--targets", targets, *inputs)
    counts: Counter = Counter()
    for key, value in found:
        if key[0] != "twin":
            counts[tuple(key)] += value
    return counts, {key[1]: value for key, value in found if key[0] == "twin"}


@pytest.mark.parametrize("files", [1, 4])
def test_examples_are_counted_and_twins_found(tmp_path, targets, labeler, files):
    groups: dict[str, list] = {}
    for key, record in joined_pictures()[:-3]:
        split = SPLITS.index(record["subset"])
        groups.setdefault(record["dhash"], []).append((split, key))
    left = {key: split for rows in groups.values() for split, key in rows if split > min(rows)[0]}
    counts, twins = split_examples(tmp_path, targets, files)
    assert {key: value[1] for key, value in twins.items()} == left
    assert len(left) == 12
    assert sum(n for key, n in counts.items() if key[0] == "class") == 240 - len(left)


@pytest.fixture
def fit_arguments(tmp_path, targets) -> list[object]:
    (tmp_path / "counted").mkdir()
    counts, twins = split_examples(tmp_path / "counted", targets, 1)
    plan = plan_fit(counts, list(DEFAULT_TARGETS))
    Leaks({int(v[0], 16): v[2] for v in twins.values()}).save(tmp_path / "leaks.npz")
    planned = write_json(tmp_path / "plan.json", asdict(plan))
    return ["--targets", targets, "--plan", planned, "--leaks", tmp_path / "leaks.npz"]


def fit(folder: Path, arguments: list[object], files: int):
    folder.mkdir()
    inputs = spread(folder, joined_pictures(), files)
    found, counters = run_and_read(folder, MRFitHead, *arguments, *inputs)
    return dict(found), counters["examples"]


def test_the_head_is_the_same_to_the_last_bit_however_it_is_split(tmp_path, fit_arguments):
    whole, counters = fit(tmp_path / "1", fit_arguments, 1)
    for files in (2, 8):
        assert fit(tmp_path / str(files), fit_arguments, files) == (whole, counters)
    trained = [r for _, r in joined_pictures()[:-3] if r["subset"] == "train"]
    assert counters["fitted"] + counters["left_out"] == len(trained)
    assert counters["left_out"] > 0


def test_a_fitted_head_knows_lions(tmp_path, targets, fit_arguments):
    found, _ = fit(tmp_path / "1", fit_arguments, 2)
    (tmp_path / "head.npz").write_bytes(base64.b64decode(found["head"]))
    (tmp_path / "tried.npy").write_bytes(base64.b64decode(found["tried"]))
    head = ["--head", tmp_path / "head.npz"]
    records, _ = classify(tmp_path, targets, joined_pictures(), *head)
    labels = [(r["label"], r["truth"][0]) for _, r in records if "label" in r]
    assert sum(a == b for a, b in labels) > 220
    inputs = spread(tmp_path, joined_pictures(), 3)
    more = ["--tried", tmp_path / "tried.npy", *fit_arguments[:2], *fit_arguments[4:]]
    counted, _ = run_and_read(tmp_path, MRCalibrateHead, *head, *more, *inputs)
    tested = {key: value[1] for key, value in split_examples(tmp_path, targets, 1)[1].items()}
    n = sum(r.get("subset") == "validation" and k not in tested for k, r in joined_pictures())
    assert sum(value for (kind, _, _), value in counted if kind == "label") == n


# ---- count, rank


@pytest.fixture
def predictions(labeler) -> Records:
    """Fifty pictures of three labels, with truths, ties and a rejected one."""
    kinds = ["n02129165", "n02128385", "n01440764"]
    made = []
    for number in range(50):
        record = Classifier(labeler).predict(feature(number, kinds[number % 3]))
        truth = [["Lion"], None, ["Leopard", "Tiger"], ["other"]][number % 4]
        made.append((f"{number * 37 % 50:04d}", {**record, "truth": truth, "absent": ["Zebra"]}))
    return [*made, ("x", REJECTED)]


def spread(folder: Path, records: Records, files: int) -> list[Path]:
    """Records dealt out to files, each a map task or more."""
    return [write_records(folder / f"in{n}.jsonl", records[n::files]) for n in range(files)]


@pytest.mark.parametrize("files", [1, 4])
def test_count_sums_every_key(tmp_path, predictions, files):
    expected: Counter = Counter({("error", "corrupt"): 1})
    sample, evaluation = Sample(), Evaluation()
    for key, record in predictions[:-1]:
        expected.update(tally(record))
        sample.add(key, record)
        evaluation.add(key, record)
    expected.update(evaluation.counts)
    kept = {key: json.loads(json.dumps(rows)) for key, rows in evaluation.examples.items()}
    records, _ = run_and_read(tmp_path, MRCountLabels, *spread(tmp_path, predictions, files))
    found = {tuple(key): value for key, value in records}
    assert found.pop(("sample",)) == json.loads(json.dumps(sample.rows()))
    assert found == {**expected, **kept}
    assert len(records) == len(found) + 1


def pandas_ranks(predictions: Records, measure: str, descending: bool) -> dict[str, list[str]]:
    """Ids of each group, best first, ties by id."""
    rows = [{"id": k, "label": r["label"], "by": r[measure]} for k, r in predictions[:-1]]
    frame = pd.DataFrame(rows).sort_values(["by", "id"], ascending=[not descending, True])
    groups = {label: list(part["id"]) for label, part in frame.groupby("label")}
    return {**groups, EVERYTHING: list(frame["id"])}


def small_ranges(plan: RankPlan, predictions: Records, each: int) -> RankPlan:
    """The plan with ranges of `each` pictures, for a label and for all."""
    texts = sorted(plan.sort_text(record, key) for key, record in predictions[:-1])
    bounds = {EVERYTHING: texts[each::each], "Lion": texts[each::each]}
    return RankPlan(plan.measure, plan.descending, plan.near, plan.first, plan.last, bounds)


def rank(folder: Path, plan: RankPlan, predictions: Records, files: int) -> Records:
    path = write_json(folder / "plan.json", asdict(plan))
    inputs = spread(folder, predictions, files)
    return run_and_read(folder, MRRankImages, "--plan", path, *inputs)[0]


@pytest.mark.parametrize(("files", "each"), [(1, 50), (1, 7), (4, 7), (4, 1)])
@pytest.mark.parametrize("descending", [True, False])
def test_ranks_are_those_of_pandas(tmp_path, predictions, files, each, descending):
    plan = small_ranges(RankPlan("sharpness", descending), predictions, each)
    ranked: dict[str, dict[int, str]] = {}
    for (group, number), record in rank(tmp_path, plan, predictions, files):
        assert ranked.setdefault(group, {}).setdefault(int(number), record["image_id"])
    expected = pandas_ranks(predictions, "sharpness", descending)
    assert {g: [ids[n] for n in range(1, len(ids) + 1)] for g, ids in ranked.items()} == expected


def test_ranks_are_written_once_and_sorted_in_a_part(tmp_path, predictions):
    plan = small_ranges(RankPlan("ppi"), predictions, 7)
    records = rank(tmp_path, plan, predictions, 3)
    assert len(records) == 2 * 50
    for part in tmp_path.glob("MRRankImages-*/part-*"):
        keys = [line.split(b"\t")[0] for line in part.open("rb")]
        assert keys == sorted(keys)


def test_only_the_ranks_asked_for_are_written(tmp_path, predictions):
    plan = small_ranges(RankPlan("ppi", first=5, last=9), predictions, 2)
    everything = {
        int(number): record["image_id"]
        for (group, number), record in rank(tmp_path, plan, predictions, 3)
        if group == EVERYTHING
    }
    expected = pandas_ranks(predictions, "ppi", True)[EVERYTHING]
    assert everything == {number: expected[number - 1] for number in range(5, 10)}


def test_a_ranked_picture_says_what_it_was_ranked_by(tmp_path, predictions):
    plan = RankPlan("ppi", near=3.0)
    for _, record in rank(tmp_path, plan, predictions, 1):
        assert record["value"] == round(abs(record["ppi"] - 3.0), 6)


# ---- search, find


@pytest.fixture
def features() -> Records:
    kinds = ["n02129165", "n02128385"]
    return [*((f"{n:04d}", feature(n, kinds[n % 2])) for n in range(40)), ("x", REJECTED)]


def search(folder: Path, targets: Path, queries: list[Query], records: Records, *extra: object):
    path = folder / "queries.jsonl"
    path.write_text("".join(query.to_json() + "\n" for query in queries))
    arguments = ["--queries", path, "--targets", targets, *extra]
    found, _ = run_and_read(folder, MRSearchImages, *arguments, *spread(folder, records, 3))
    return {int(number): answers for number, answers in found}


def test_search_finds_what_the_library_finds(tmp_path, targets, labeler, features):
    queries = [
        Query(n, 5, features[n][1]["embedding"], label=[None, "Lion"][n % 2]) for n in range(4)
    ]
    whole = Search(queries, "features", Classifier(labeler))
    for key, record in features:
        whole.add(key, record)
    found = search(tmp_path, targets, queries, features)
    assert found == json.loads(json.dumps(dict(whole.answers())), object_hook=numbered)


def numbered(document: dict) -> dict:
    """JSON objects with numbers for keys have them as text."""
    return {int(k) if k.isdecimal() else k: v for k, v in document.items()}


def test_search_ranks_by_cosine(tmp_path, targets, features):
    query = features[6][1]
    found = search(tmp_path, targets, [Query(0, 40, query["embedding"])], features)[0]
    vectors = {k: decode_embedding(r["embedding"]).astype(float) for k, r in features[:-1]}
    x = vectors["0006"]
    cosine = {k: x @ v / np.sqrt((x @ x) * (v @ v)) for k, v in vectors.items()}
    assert [key for _, key, _ in found] == sorted(cosine, key=lambda k: (-cosine[k], k))
    assert [score for score, _, _ in found] == pytest.approx(sorted(cosine.values())[::-1])


def test_search_by_label_takes_the_highest_ppi(tmp_path, targets, predictions):
    queries = [Query(0, 6, label="Lion"), Query(1, 3, label="Owl")]
    found = search(tmp_path, targets, queries, predictions, "--by", "label")
    assert [key for _, key, _ in found[0]] == pandas_ranks(predictions, "ppi", True)["Lion"][:6]
    assert 1 not in found


def test_find_gives_the_records_of_the_ids(tmp_path, features):
    ids = write_json(tmp_path / "ids.json", ["0003", "0017", "x", "none"])
    found, _ = run_and_read(tmp_path, MRFindImages, "--ids", ids, *spread(tmp_path, features, 2))
    wanted = [(key, record) for key, record in features if key in ("0003", "0017", "x")]
    assert sorted(found, key=lambda pair: pair[0]) == wanted


# ---- alone, from anywhere


def python(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_every_job_is_tested_here():
    found = {path.name for path in (ROOT / "mr_jobs").glob("*.py")} - {"__init__.py"}
    assert found == set(OPTIONS)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_job_explains_itself(name, tmp_path):
    done = python(tmp_path, ROOT / "mr_jobs" / name, "--help")
    assert done.returncode == 0, done.stderr
    assert all(f"  {option} " in done.stdout for option in OPTIONS[name])


@pytest.mark.parametrize("name", [name for name, options in OPTIONS.items() if options])
def test_a_job_says_what_it_needs(name, tmp_path):
    done = python(tmp_path, ROOT / "mr_jobs" / name, "in.txt")
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert all(option in last for option in OPTIONS[name])


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_a_job_runs_alone_from_another_folder(tmp_path, features, runner):
    write_records(tmp_path / "in.jsonl", features)
    write_json(tmp_path / "ids.json", ["0003"])
    arguments = ["-r", runner, "--ids", "ids.json", "--output-dir", "out", "in.jsonl"]
    done = python(tmp_path, ROOT / "mr_jobs" / "find_images.py", *arguments)
    assert done.returncode == 0, done.stderr
    assert read_parts(tmp_path / "out") == [features[3]]


@pytest.mark.parametrize("runner", ["local", "hadoop", "emr"])
def test_no_setup_script_leaves_a_lock_on_every_node(runner):
    (settings,) = load_opts_from_mrjob_conf(runner, str(ROOT / "mrjob.conf"))
    assert "setup" not in settings[1]
    assert settings[1]["cmdenv"] == {"PYTHONPATH": "."}


def test_a_job_alone_finds_the_library(tmp_path, predictions):
    """Ranking imports the library in its tasks; nothing else tells them where it is."""
    write_records(tmp_path / "in.jsonl", predictions)
    write_json(tmp_path / "plan.json", asdict(RankPlan("ppi")))
    arguments = ["-r", "local", "--plan", "plan.json", "--output-dir", "out", "in.jsonl"]
    done = python(tmp_path, ROOT / "mr_jobs" / "rank_images.py", *arguments)
    assert done.returncode == 0, done.stderr
    assert len(read_parts(tmp_path / "out")) == 2 * 50
