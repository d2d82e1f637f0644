"""Every figure of the exploration against pandas, on the sample and on odd files."""

from __future__ import annotations

import doctest
import itertools
import json
import tracemalloc
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mapsight.explore import pictures as explore_pictures
from mapsight.explore import sums as explore_sums
from mapsight.explore.exploration import Exploration, read_sums
from mapsight.explore.findings import summarised
from mapsight.explore.pictures import MEASURES, PAIR_LABELS, PictureCounter
from mapsight.explore.rows import SplitReader
from mapsight.explore.tables import write_tables
from mapsight.openimages import columns as openimages_columns
from mapsight.openimages import dataset as openimages
from mapsight.openimages import hierarchy as class_tree
from mapsight.openimages.columns import FLAGS, KINDS, SIDES, SUBSETS
from mr_jobs.explore_metadata import MRExploreMetadata
from tests.support import odd_metadata as odd
from tests.support.jobs import read_parts, run_job, write_json, write_manifest

TARGETS = {"Lion": odd.LION, "Carnivore": odd.CARNIVORE}


def explore(folder: Path, room: Path, size: int = 1 << 27, runner: str = "inline", step: int = 1):
    """Run the job over a folder's metadata in splits of `size` bytes and write the tables."""
    dataset = openimages.find_dataset(str(folder))
    parents = openimages.read_classes(dataset.files["hierarchy"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(openimages, "CSV_SPLIT_BYTES", size)
        splits = [
            asdict(split)
            for kind in KINDS
            for file in dataset.files[kind]
            for split in openimages.csv_splits(file, kind)
        ]
    manifest = write_manifest(room / "manifest", map(json.dumps, splits[::step]))
    hierarchy = write_json(room / "hierarchy.json", parents)
    arguments = ["--hierarchy", hierarchy, "--output-dir", room / "sums", *manifest]
    counters = run_job(MRExploreMetadata, *arguments, runner=runner)
    mids = openimages.read_descriptions(dataset.files["descriptions"])
    names = {mid: name for name, mid in mids.items()}
    found = Exploration(read_sums(read_parts(room / "sums")), names, parents, TARGETS)
    write_tables(found, room / "tables")
    return SimpleNamespace(found=found, tables=room / "tables", counters=counters["explore"])


def table(explored, name: str) -> pd.DataFrame:
    path = explored.tables / f"{name}.csv"
    numbers = {column: [""] for column in ("share", "mean_area", "high")}
    return pd.read_csv(path, keep_default_na=False, na_values=numbers)


@pytest.fixture(scope="module")
def odd_folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("odd")
    odd.write_odd(made)
    return made


@pytest.fixture(scope="module")
def odd_explored(odd_folder, tmp_path_factory):
    return explore(odd_folder, tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="module", params=["odd", "sample"])
def folder(request, odd_folder, openimages_dir):
    return odd_folder if request.param == "odd" else openimages_dir


@pytest.fixture(scope="module")
def explored(folder, tmp_path_factory):
    return explore(folder, tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="module")
def images(folder):
    """The image lists, with the subset of each picture."""
    found = odd.read_with_pandas(folder, "images")
    return found.drop_duplicates("image_id")


@pytest.fixture(scope="module")
def labels(folder):
    return odd.usable_labels(odd.read_with_pandas(folder, "labels"))


@pytest.fixture(scope="module")
def boxes(folder):
    return odd.read_with_pandas(folder, "boxes")


@pytest.fixture(scope="module")
def subsets(images, labels, boxes) -> dict[str, str]:
    return {
        image_id: subset
        for frame in (boxes, labels, images)
        for image_id, subset in zip(frame["image_id"], frame["subset"], strict=True)
    }


def by_subset(ids, subsets) -> dict[str, int]:
    counts = Counter(subsets[image_id] for image_id in ids)
    return {**dict.fromkeys(subsets.values(), 0), **counts, "all": sum(counts.values())}


def of_split(explored, name: str) -> dict[str, float]:
    return dict(table(explored, "splits")[["subset", name]].itertuples(index=False))


# ---- pictures and subsets


@pytest.mark.parametrize(
    "name",
    ["pictures", "listed", "not_listed", "labelled", "without_label", "sure", "boxed", "verified"],
)
def test_pictures_by_subset(explored, images, labels, boxes, subsets, name):
    listed, labelled, boxed = (set(frame["image_id"]) for frame in (images, labels, boxes))
    everything = listed | labelled | boxed
    ids = {
        "pictures": everything,
        "listed": listed,
        "not_listed": everything - listed,
        "labelled": labelled,
        "without_label": everything - labelled,
        "sure": set(labels[labels["confidence"] > 0.99]["image_id"]),
        "boxed": boxed,
        "verified": set(labels[labels["kind"].isin(["present", "absent"])]["image_id"]),
    }[name]
    assert of_split(explored, name) == by_subset(ids, subsets)


def test_the_share_of_sure_pictures(explored):
    rows = table(explored, "splits")
    assert rows["sure_share"].tolist() == (rows["sure"] / rows["labelled"]).tolist()


@pytest.mark.parametrize("kind", ["present", "absent", "machine"])
def test_labels_by_source_and_subset(explored, labels, subsets, kind):
    rows = labels[labels["kind"] == kind].drop_duplicates(["image_id", "LabelName"])
    assert of_split(explored, kind) == by_subset(rows["image_id"], subsets)


def test_rows_of_labels_by_subset(explored, labels, subsets):
    again = labels[labels.duplicated(["image_id", "LabelName", "kind"])]
    for name, rows in {
        "label_rows": labels,
        "label_rows_again": again,
        "sure_rows": labels[labels["confidence"] > 0.99],
        "unclear_rows": labels[labels["kind"] == "unclear"],
    }.items():
        assert of_split(explored, name) == by_subset(rows["image_id"], subsets)


def test_labels_that_people_contradict(explored, labels):
    kinds = labels.groupby(["image_id", "LabelName"])["kind"].agg(set)
    both = sum({"present", "absent"} <= found for found in kinds)
    assert of_split(explored, "contradicted")["all"] == both


@pytest.mark.parametrize("name", ["boxes", "verified"])
def test_how_densely_and_evenly_subsets_are_annotated(explored, labels, boxes, subsets, name):
    verified = labels[labels["kind"].isin(["present", "absent"])]
    rows = boxes if name == "boxes" else verified.drop_duplicates(["image_id", "LabelName"])
    counts = rows.groupby("image_id").size().reindex(list(subsets), fill_value=0)
    for subset, group in [("all", counts), *counts.groupby(subsets)]:
        assert of_split(explored, f"{name}_per_picture")[subset] == pytest.approx(group.mean())
        spread = group.std(ddof=0) / group.mean()
        assert of_split(explored, f"{name}_spread")[subset] == pytest.approx(spread)


def test_boxes_per_picture_and_the_most(explored, boxes, subsets):
    counts = boxes.groupby("image_id").size().reindex(list(subsets), fill_value=0)
    rows = table(explored, "boxes_per_picture")
    everything = rows[rows["subset"] == "all"]
    for row in everything.itertuples():
        assert row.pictures == counts.between(row.low, row.high).sum()
    assert everything["pictures"].sum() == len(counts)
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:20]
    assert [tuple(row) for row in table(explored, "most_boxes").values] == most


# ---- labels, attributes, shapes, pairs


def test_pictures_by_label_and_source(explored, labels, boxes):
    rows = table(explored, "labels").set_index("mid")
    for kind in ("present", "absent", "machine"):
        pairs = labels[labels["kind"] == kind].groupby("LabelName")["image_id"].nunique()
        assert rows[kind][rows[kind] > 0].to_dict() == pairs.to_dict()
    assert rows["boxes"][rows["boxes"] > 0].to_dict() == boxes.groupby("LabelName").size().to_dict()
    boxed = boxes.groupby("LabelName")["image_id"].nunique()
    assert rows["boxed"][rows["boxed"] > 0].to_dict() == boxed.to_dict()


def test_mean_area_by_label(explored, boxes):
    sides = odd.sides(boxes)
    area = (sides["XMax"] - sides["XMin"]) * (sides["YMax"] - sides["YMin"])
    means = area[sides["whole"]].groupby(boxes["LabelName"]).mean()
    found = table(explored, "labels").set_index("mid")["mean_area"].dropna()
    assert found.to_dict() == pytest.approx(means.to_dict(), abs=1e-9)


@pytest.mark.parametrize("measure", ["area", "aspect"])
def test_boxes_by_shape(explored, boxes, measure):
    sides = odd.sides(boxes)
    sides = sides[sides["whole"]]
    width = ((sides["XMax"] - sides["XMin"]) * 1e6).round()
    height = ((sides["YMax"] - sides["YMin"]) * 1e6).round()
    values = width * height / 1e12 if measure == "area" else width / height
    rows = table(explored, "shapes").query("measure == @measure")
    expected, _ = np.histogram(values, [*rows["low"], np.inf])
    assert rows["boxes"].sum() == len(values)
    assert rows["low"].tolist()[1:] == rows["high"].tolist()[:-1]
    assert rows["boxes"].tolist() == expected.tolist()


def test_attributes_have_three_values_by_label(explored, boxes):
    rows = table(explored, "attributes")
    for row in rows.itertuples():
        flag = FLAGS[[f.lower() for f in FLAGS].index(row.attribute.replace("_", ""))]
        cells = boxes[flag].dropna()
        if row.mid:
            cells = cells[boxes["LabelName"] == row.mid]
        yes, no, unknown = (sum(cells == value) for value in ("1", "0", "-1"))
        others = len(cells) - yes - no - unknown
        assert (row.yes, row.no, row.unknown, row.empty) == (yes, no, unknown, others)
        assert yes + no == 0 or row.share == pytest.approx(yes / (yes + no))
    assert len(rows) == len(FLAGS) * (1 + boxes["LabelName"].nunique())


def test_pairs_of_labels_verified_in_one_picture(explored, labels):
    present = labels[labels["kind"] == "present"].groupby("image_id")["LabelName"].agg(set)
    pairs = Counter(p for mids in present for p in itertools.combinations(sorted(mids), 2))
    rows = table(explored, "pairs")
    found = {(row.mid_a, row.mid_b): row.pictures for row in rows.itertuples()}
    assert found == pairs
    for row in rows.itertuples():
        either = sum(bool({row.mid_a, row.mid_b} & mids) for mids in present)
        assert row.jaccard == pytest.approx(row.pictures / either)


def classes_below(node) -> set[str]:
    """A class of the hierarchy with all that are below it by "is a"."""
    return {node["LabelName"]}.union(*map(classes_below, node.get("Subcategory", ())))


def nodes_below(node) -> list[dict]:
    return [n for child in node.get("Subcategory", ()) for n in [child, *nodes_below(child)]]


def test_classes_are_rolled_up_by_is_a(explored, folder, labels, boxes):
    seen = [labels[labels["kind"] == "present"], boxes]
    shown = pd.concat([rows[["image_id", "LabelName"]] for rows in seen])
    root = json.loads((folder / "bbox_labels_600_hierarchy.json").read_text())
    below: dict[str, set[str]] = {}
    for node in nodes_below(root):
        below.setdefault(node["LabelName"], set()).update(classes_below(node))
    rows = table(explored, "classes").set_index("mid")
    assert set(rows.index) == set(below)
    for mid, mids in below.items():
        assert rows["pictures"][mid] == shown[shown["LabelName"].isin(mids)]["image_id"].nunique()
        assert rows["own"][mid] == shown[shown["LabelName"] == mid]["image_id"].nunique()


def test_levels_are_counted_from_the_top(odd_explored):
    rows = table(odd_explored, "classes").set_index("mid")
    assert rows["level"].to_dict() == {odd.ANIMAL: 1, odd.CARNIVORE: 2, odd.LION: 3, odd.TIGER: 3}


def test_facets_of_the_targets(odd_explored):
    rows = table(odd_explored, "facets")
    found = {tuple(row) for row in rows[["target", "relation", "mid"]].values}
    assert found == {
        *(("Lion", "above", mid) for mid in (odd.ANIMAL, odd.CARNIVORE)),
        ("Lion", "itself", odd.LION),
        ("Carnivore", "above", odd.ANIMAL),
        ("Carnivore", "itself", odd.CARNIVORE),
        *(("Carnivore", "below", mid) for mid in (odd.LION, odd.TIGER)),
    }


@pytest.mark.parametrize("column", ["License", "Author"])
def test_licences_and_authors(explored, images, column):
    rows = table(explored, f"{column.lower()}s")
    counts = images[column].value_counts()
    assert dict(zip(rows[column.lower()], rows["number"], strict=True)) == counts.to_dict()
    assert rows["share"].tolist() == pytest.approx((rows["number"] / counts.sum()).tolist())


def test_rotations(explored, images):
    rows = table(explored, "rotations")
    shown = images["Rotation"].map({"0.0": "0", "90.0": "90"}).fillna("")
    found = dict(zip(rows["rotation"].astype(str), rows["number"], strict=True))
    assert found == shown.value_counts().to_dict()


def test_sources(explored, labels, boxes):
    rows = table(explored, "sources")
    for kind, frame in (("labels", labels), ("boxes", boxes)):
        found = rows[rows["kind"] == kind]
        counts = frame["Source"].value_counts().to_dict()
        assert dict(zip(found["source"], found["number"], strict=True)) == counts


def test_the_odd_files_have_what_they_are_made_for(odd_explored):
    sums = odd_explored.found.split("all")
    elsewhere = {"listed_again", "other_subset", "without_pairs"}
    assert {name for name in MEASURES if not sums[name]} == elsewhere
    assert table(odd_explored, "most_boxes")["boxes"][0] > odd.BOXES
    assert len(table(odd_explored, "pairs")) > 3


# ---- columns and problems


def test_empty_cells_by_column(odd_explored, odd_folder):
    for kind in KINDS:
        frame = odd.read_with_pandas(odd_folder, kind)
        rows = table(odd_explored, "columns").query("kind == @kind").set_index("published")
        for name in rows.index:
            # a torn row has four empty cells in files with four columns
            torn = 2 if kind == "labels" and name in odd.LABEL else 0
            assert rows["cells"][name] == frame[name].notna().sum() + torn
            assert rows["empty"][name] == (frame[name] == "").sum() + torn


def test_malformed_cells_by_column(odd_explored, odd_folder):
    images, boxes = (odd.read_with_pandas(odd_folder, kind) for kind in ("images", "boxes"))
    rows = table(odd_explored, "columns").set_index(["kind", "published"])["malformed"]
    numbers = pd.to_numeric(
        odd.read_with_pandas(odd_folder, "labels")["Confidence"], errors="coerce"
    )
    texts = odd.read_with_pandas(odd_folder, "labels")["Confidence"]
    assert rows["labels", "Confidence"] == (~numbers.between(0, 1) & (texts != "")).sum()
    for flag in FLAGS:
        assert rows["boxes", flag] == (boxes[flag] == "yes").sum()
    assert rows["images", "Title"] == images["Title"].str.contains("�").sum() > 0
    assert rows["images", "Rotation"] == (images["Rotation"] == "45.0").sum()
    sides = odd.sides(boxes)
    whole = sides[list(SIDES)].notna().all(axis=1)
    wrong = sum((sides[side].isna() & (boxes[side] != "")).sum() for side in SIDES)
    assert rows["boxes"][list(SIDES)].sum() == wrong + (whole & ~sides["whole"]).sum()


def test_rows_are_read_unreadable_or_unusable(odd_explored, odd_folder):
    rows = table(odd_explored, "files").set_index(["kind", "subset"])
    for kind, subsets in odd.COLUMNS.items():
        frame = odd.read_with_pandas(odd_folder, kind)
        used = odd.usable_labels(frame) if kind == "labels" else frame
        for subset, columns in subsets.items():
            row, whole = rows.loc[kind, subset], (frame["subset"] == subset).sum()
            assert row["rows"] == whole + 4
            assert row["unreadable"] == (3 if len(columns) == 4 else 4)
            assert row["rows"] - row["unreadable"] - row["unusable"] == sum(
                used["subset"] == subset
            )
            assert row["header"] == ("no" if subset == "validation" else "yes")
    assert odd_explored.counters == {n: rows[n].sum() for n in ("rows", "unreadable", "unusable")}


def test_problems_are_found_where_they_are_said_to_be(odd_explored, odd_folder):
    rows = table(odd_explored, "problems")
    assert len(rows) > 30
    for row in rows[rows["cell"] != ""].itertuples():
        data = (odd_folder / row.file).read_bytes()[row.offset :][:600]
        assert row.cell.strip("'").split(",")[0] in data.decode("utf-8", "replace")
        assert row.offset == 0 or (odd_folder / row.file).read_bytes()[row.offset - 1] == 10


def test_rows_that_lack_a_cell_are_among_the_problems(odd_explored, odd_folder):
    rows = table(odd_explored, "problems").query("problem == 'is needed, and empty'")
    assert {"image_id", "confidence"} <= set(rows.query("kind == 'labels'")["column"])
    for row in rows.itertuples():
        line = (odd_folder / row.file).read_bytes()[row.offset :].partition(b"\n")[0]
        assert line.decode().replace('"', "").startswith(row.cell)


def test_examples_are_the_first_by_file_and_offset(odd_explored, odd_folder):
    rows = table(odd_explored, "problems")
    rows = rows[(rows["column"] == "confidence") & (rows["problem"] == "not a number")]
    places = list(zip(rows["file"], rows["offset"], strict=True))
    assert places == sorted(places) and len(places) == 5
    path = odd_folder / "test-annotations-human-imagelabels.csv"
    before = path.read_bytes().partition(b'"high"')[0]
    assert rows["offset"].iloc[0] == before.rindex(b"\n") + 1


# ---- however it is cut and run


def test_tables_are_the_same_however_files_are_cut(odd_explored, odd_folder, tmp_path):
    other = explore(odd_folder, tmp_path, size=70_001)
    assert_same_tables(odd_explored.tables, other.tables)
    assert other.counters == odd_explored.counters


def test_the_order_of_splits_does_not_matter(odd_explored, odd_folder, tmp_path):
    other = explore(odd_folder, tmp_path, size=70_001, step=-1)
    assert_same_tables(odd_explored.tables, other.tables)


def test_local_gives_what_inline_gives(odd_explored, odd_folder, tmp_path):
    other = explore(odd_folder, tmp_path, size=1 << 20, runner="local")
    assert_same_tables(odd_explored.tables, other.tables)


def test_sums_that_are_handed_over_early_are_added_up(
    odd_explored, odd_folder, tmp_path, monkeypatch
):
    monkeypatch.setattr(explore_sums.Sums.__init__, "__defaults__", (3,))
    assert_same_tables(odd_explored.tables, explore(odd_folder, tmp_path).tables)


def assert_same_tables(one: Path, other: Path) -> None:
    files = sorted(path.name for path in one.iterdir())
    assert files == sorted(path.name for path in other.iterdir()) and len(files) == 17
    for name in files:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.parametrize("module", [class_tree, explore_pictures, explore_sums, openimages_columns])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0


def folded(path: Path, kind: str, size: int) -> tuple[dict, Counter]:
    """What the job makes of a file in ranges of `size` bytes, and its counters."""
    merged, counters, pictures = {}, Counter(), PictureCounter({})
    values: dict = {}
    for start in range(0, path.stat().st_size, size):
        reader = SplitReader(openimages.CsvSplit(str(path), kind, start, start + size))
        for key, value in reader.parts():
            values.setdefault(key, []).append(json.loads(json.dumps(value)))
        counters.update(reader.counters)
    for key, found in values.items():
        if isinstance(key, str):
            pictures.add(key, found)
        else:
            merged[key] = explore_sums.merge_values(key, found)
    return {**merged, **dict(pictures.results())}, counters


RIGHT = ["/m/1", "/m/2", "verification", "machine", "1", "0", "0.7", "-1", "", "é", "x" * 99, " "]
WRONG = ["nan", '"', '"a\nb"', "\udcff", "1e400", "１", "1_0", "\0"]
CELLS = st.sampled_from([*(f"{n:016x}" for n in range(3)), *RIGHT, *WRONG])
LINES = st.lists(st.lists(CELLS, min_size=1, max_size=9).map(",".join), max_size=12)


@pytest.mark.parametrize("kind", KINDS)
@given(lines=LINES, size=st.integers(1, 99), end=st.sampled_from(["\n", "\r\n"]))
def test_whatever_cells_hold_every_row_counts_once(tmp_path_factory, kind, lines, size, end):
    path = tmp_path_factory.mktemp("csv") / f"test-{kind}.csv"
    text = end.join([",".join(KINDS[kind][0]), *lines, ""])
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    whole, counters = folded(path, kind, 1 << 30)
    assert folded(path, kind, size) == (whole, counters)
    used = counters["rows"] - counters["unreadable"] - counters["unusable"]
    what = {"images": "listed", "labels": "label_rows", "boxes": "boxes"}[kind]
    again = "listed_again" if kind == "images" else ""
    counted = sum(n for key, n in whole.items() if key[0] == "split" and key[2] in (what, again))
    assert counted == used


# ---- one picture


def counted(*parts, parents=None) -> dict:
    counter = PictureCounter(parents or {})
    counter.add("a", parts)
    return dict(counter.results())


def test_a_picture_with_very_many_labels_is_left_out_of_the_pairs():
    labels = [[f"/m/{number}", 0] for number in range(PAIR_LABELS + 1)]
    sums = counted({"labels": labels, "subset": "train"})
    assert sums["split", "train", "without_pairs"] == 1
    assert not any(key[0] == "pair" for key in sums)


@pytest.mark.whole
@pytest.mark.parametrize("part", [{"boxes": {"/m/1": 1}}, {"labels": [["/m/1", 0]] * 9}])
def test_a_picture_with_many_rows_takes_no_memory(part):
    counter = PictureCounter({})
    tracemalloc.start()
    counter.add("a", itertools.repeat({**part, "subset": "train"}, 100_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_lists_that_contradict_file_names_win_and_are_counted():
    image = {"images": [["test", "by", "A", ""], ["test", "by", "", ""]]}
    sums = counted({"boxes": {"/m/1": 2}, "subset": "train"}, image)
    found = {key[2]: n for key, n in sums.items() if key[:2] == ("split", "test")}
    assert found["other_subset"] == found["listed_again"] == 1
    assert (sums["author", ""], "boxes" in found) == (1, True)


def test_a_hierarchy_that_runs_in_a_circle_ends():
    sums = counted({"boxes": {"a": 1}}, parents={"a": ("b",), "b": ("a",)})
    assert [sums["class", mid, "below"] for mid in "ab"] == [1, 1]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_largest_sums_do_not_depend_on_their_order(order, monkeypatch):
    monkeypatch.setitem(explore_sums.TOPS, "author", 2)
    top, sums = explore_sums.Top(), [("a", 1), ("b", 2), ("c", 1)]
    for place in order:
        top.add(("author", sums[place][0]), sums[place][1])
    assert list(top.results()) == [
        (("author", "b"), 2),
        (("author", "a"), 1),
        (("distinct", "author"), 3),
        (("total", "author"), 4),
    ]


# ---- the finding of the report


@pytest.mark.parametrize(("train", "agrees"), [(1, True), (2, False), (3, False)])
def test_train_is_compared_with_validation_and_test(train, agrees):
    boxes = {"validation": 2, "test": 3, "train": train}
    split = {(subset, "pictures"): 1 for subset in boxes}
    split |= {(subset, "boxes"): n for subset, n in boxes.items()}
    split |= {(subset, "boxes_squared"): n * n for subset, n in boxes.items()}
    found = summarised(Exploration({"split": split}))["compared"][0]
    assert (found["train"], found["test"], found["agrees"]) == (train, 3, agrees)


@pytest.mark.parametrize("other", [0.2, 2.0])
def test_means_that_differ_by_chance_are_told(other):
    rng = np.random.default_rng(0)
    boxes = {"train": rng.poisson(3, 200), "validation": rng.poisson(3 + other, 90)}
    boxes["test"] = rng.poisson(5, 90)
    split = {(s, "pictures"): len(n) for s, n in boxes.items()}
    split |= {(s, "boxes"): int(n.sum()) for s, n in boxes.items()}
    split |= {(s, "boxes_squared"): int((n**2).sum()) for s, n in boxes.items()}
    tests = [stats.ttest_ind(boxes["train"], boxes[s], equal_var=False) for s in SUBSETS[1:]]
    claim = summarised(Exploration({"split": split}))["compared"][0]
    assert claim["beyond_chance"] == all(test.pvalue < 0.05 for test in tests) == (other == 2)


def test_without_all_three_subsets_nothing_is_compared():
    found = summarised(Exploration({"split": {("train", "pictures"): 1}}))
    assert [claim["agrees"] for claim in found["compared"]] == [None] * 4
    assert (found["not_listed"], found["without_label"]) == (None, None)
