"""A head from end to end: fitted, used, given to others; and what is selected."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

import mapsight
from mapsight.labels.head import load_head, save_head
from tests.support.lions_and_tigers import make_dataset, stripes
from tests.support.pictures import encoded
from tests.support.program import CalledProgram


@pytest.fixture(scope="module")
def ran(environment, made_once) -> SimpleNamespace:
    """A collection of 80 pictures and their head; another of 20."""

    def fill(folder: Path) -> None:
        make_dataset(folder / "one", 0, 80)
        make_dataset(folder / "two", 70, 20)
        run = ("-r", "local", "--openimages", "one", "--workspace", "w1")
        CalledProgram(environment, folder).ok(*run)

    folder = made_once("head", fill)
    program = CalledProgram(environment, folder)
    return SimpleNamespace(folder=folder, program=program, results=folder / "w1" / "results")


def rows_of(results: Path) -> dict[str, dict]:
    return {
        row["image_id"]: row for row in pq.read_table(results / "predictions.parquet").to_pylist()
    }


def summary_of(results: Path) -> dict:
    return json.loads((results / "summary.json").read_text())


def test_pictures_are_labelled_by_the_head(ran):
    rows = rows_of(ran.results)
    tests = [row for row in rows.values() if row["split"] == "test"]
    assert len(tests) == 17
    assert all(row["label"] == row["truth"][0] for row in tests)
    assert {(row["label"], row["style"]) for row in tests} == {
        ("Lion", "photo"),
        ("Tiger", "drawing"),
    }
    assert all(0 < row["score"] < 1 for row in tests)
    assert summary_of(ran.results)["labelled_by"] == "head"


def test_accuracy_counts_no_picture_that_the_head_was_fitted_or_tuned_on(ran):
    text = (ran.results / "accuracy.csv").read_text().splitlines()
    assert text[-1].startswith("all,17,17,1.0,")


def test_a_picture_on_two_sides_is_left_out_of_the_fit(ran):
    left = (ran.results / "left_out.csv").read_text().splitlines()
    assert left[0] == "image_id,split,twin_in"
    assert left[1] == f"{0:016x},train,test"
    head = load_head(ran.results / "head.npz")
    tigers = sum(label == "Tiger" for label, _, n in head.about["examples"] for _ in range(n))
    assert head.about["left_out"] == {"train": len(left) - 1}
    assert sum(n for _, _, n in head.about["examples"]) == 48 - (len(left) - 1)
    assert tigers <= 24


def test_inline_fits_the_same_head(ran):
    ran.program.ok("--openimages", "one", "--workspace", "w2", "--splits", "5")
    digests = [
        hashlib.sha256((ran.folder / w / "results" / "head.npz").read_bytes()).hexdigest()
        for w in ("w1", "w2")
    ]
    assert digests[0] == digests[1]


def test_a_head_labels_another_collection(ran):
    head = str(ran.results / "head.npz")
    ran.program.ok("-r", "local", "--openimages", "two", "--workspace", "w3", "--head", head)
    rows = rows_of(ran.folder / "w3" / "results")
    assert all(row["label"] == row["truth"][0] for row in rows.values())
    known = {key for key, row in rows.items() if row["split"] == "train"}
    assert {f"{n:016x}" for n in range(70, 80) if n // 2 % 5 < 3} <= known
    assert f"{85:016x}" not in known
    told, own = (
        json.loads((ran.folder / w / "results" / "head.json").read_text()) for w in ("w3", "w1")
    )
    assert told == own
    assert own["sha256"] == hashlib.sha256((ran.results / "head.npz").read_bytes()).hexdigest()
    assert not (ran.folder / "w3" / "results" / "strengths.csv").exists()


def test_a_head_of_before_hashes_changed_is_used_and_said_to_flatter(ran):
    head = load_head(ran.results / "head.npz")
    about = {name: fact for name, fact in head.about.items() if name != "score_weight"}
    save_head(replace(head, about=about), ran.folder / "old.npz")
    run = ("--openimages", "two", "--workspace", "none", "--target-labels", "Zebra")
    assert "its accuracy on them flatters" in ran.program(*run, "--head", "old.npz").stderr
    assert "flatters" not in ran.program(*run, "--head", "w1/results/head.npz").stderr


def test_without_fitting_the_model_labels(ran):
    ran.program.ok("-r", "local", "--openimages", "two", "--workspace", "w4", "--no-fit")
    results = ran.folder / "w4" / "results"
    assert not (results / "head.npz").exists()
    assert summary_of(results)["labelled_by"] == "model"
    assert {row["split"] for row in rows_of(results).values()} == {"test"}


def test_a_selection_of_nothing_is_an_error_that_names_it(ran):
    said = ran.program("--openimages", "two", "--workspace", "none", "--subset", "foo")
    assert said.returncode == 1
    assert "none of 21 pictures matches --subset foo" in said.stderr


def test_selected_pictures_are_gone_on_with_and_the_others_counted(ran):
    picked = ["--only-labels", "Lion", "--subset", "train", "test", "--license", "by/0"]
    said = ran.program("-r", "local", "--openimages", "one", "--workspace", "w5", *picked)
    results = ran.folder / "w5" / "results"
    wanted = {f"{n:016x}" for n in range(0, 80, 2) if n // 2 % 5 != 3 and n % 3 == 0}
    assert set(rows_of(results)) == wanted
    summary = summary_of(results)
    assert (summary["images_read"], summary["images_not_selected"]) == (81, 81 - len(wanted))
    assert f"{81 - len(wanted)} not selected" in said.stderr
    options = summary["options"]
    assert (options["only_labels"], options["subset"]) == (["Lion"], ["train", "test"])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--head", "nowhere.npz"], "--head nowhere.npz: No such file"),
        (["--head", "one/images.csv"], "one/images.csv: not a class head (no .npz file)"),
        (["--head", "w1/results/head.npz", "--precision", "int8"], "precision float32, not"),
        (
            ["--head", "w1/results/head.npz", "--no-fit"],
            "--head FILE and --no-fit exclude each other",
        ),
        (["--only-labels", ""], "argument --only-labels: '' is empty"),
        (["--only-labels", "Lyon"], "--only-labels: unknown label 'Lyon'; did you mean"),
        (["--only-labels", "Lion", "--images", "one/images"], "--only-labels needs labels"),
    ],
)
def test_what_cannot_be_is_said_at_once(ran, arguments, why):
    where = [] if "--images" in arguments else ["--openimages", "one"]
    done = ran.program(*where, *arguments, "--workspace", "w6")
    assert done.returncode == 2
    assert why in done.stderr
    assert not (ran.folder / "w6" / "plan").exists()


def test_search_labels_by_the_head(ran):
    (ran.folder / "query.png").write_bytes(encoded(stripes(999)))
    found = ran.program.ok("search", "query.png", "--workspace", "w1", "--format", "json")
    first = json.loads(found.splitlines()[0])
    assert (first["label"], first["style"]) == ("Tiger", "drawing")


def test_python_answers_by_a_head_as_the_command_does(ran, monkeypatch):
    monkeypatch.chdir(ran.folder)
    options = ("--workspace", "w1", "--format", "json", "--head", "w1/results/head.npz")
    opened = mapsight.open("w1")
    for by in ("features", "label"):
        typed = ran.program.ok("search", f"{7:016x}", "--by", by, *options)
        rows = opened.search(f"{7:016x}", by=by, head="w1/results/head.npz")
        assert "".join(f"{json.dumps(row)}\n" for row in rows) == typed
    plain = mapsight.open("w1").search(f"{7:016x}", head="w1/results/head.npz")
    assert plain[0]["style"] == "drawing" and plain[0]["license"]


@pytest.fixture(scope="module")
def apart(ran) -> Path:
    """A collection of 20 and a stranger: of picture 3 there are only labels."""
    images = make_dataset(ran.folder / "apart", 0, 20) / "images"
    (images / f"{3:016x}.png").unlink()
    (images / f"{99:016x}.png").write_bytes(encoded(stripes(99)))
    (images / f"{98:016x}.png").write_bytes(b"no picture")
    return images.parent


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_what_is_on_one_side_only_is_listed_and_labelled_all_the_same(ran, apart, runner):
    ran.program.ok("-r", runner, "--openimages", "apart", "--workspace", f"apart-{runner}")
    results = ran.folder / f"apart-{runner}" / "results"
    text = (results / "orphans.csv").read_text()
    assert text == f"image_id,orphan\n{3:016x},annotation\n{99:016x},picture\n"
    row = rows_of(results)[f"{99:016x}"]
    assert (row["label"], row["truth"]) == ("Tiger", None)
    found = summary_of(results)
    assert (found["images_without_annotation"], found["annotations_without_picture"]) == (1, 1)


def test_with_too_few_labels_the_model_labels_and_says_so(ran):
    make_dataset(ran.folder / "few", 0, 4)
    said = ran.program("-r", "local", "--openimages", "few", "--workspace", "w7")
    results = ran.folder / "w7" / "results"
    summary = summary_of(results)
    assert summary["labelled_by"] == "model"
    assert summary["no_head"] == "3 verified training pictures are too few to fit a head on"
    assert f"no head: {summary['no_head']}" in said.stderr
    assert summary["no_head"] in (ran.folder / "w7" / "report" / "index.html").read_text()
    assert not (results / "head.npz").exists()
    assert (results / "left_out.csv").exists()
