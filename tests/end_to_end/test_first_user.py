"""What somebody meets who classifies pictures of their own, without metadata and without a head."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from driver.options import defaults
from driver.results import evaluation_tables as tables
from driver.run import main
from mapsight.labels.labeler import DEFAULT_TARGETS
from tests.support.paths import ROOT
from tests.support.pictures import encoded, scribble

MODEL = str(ROOT / "examples" / "catalogue" / "model.tflite")
RUN = ["--images", "pictures", "--model", MODEL, "--target-labels", *DEFAULT_TARGETS]
PICTURES = 40
PICTURE = "pictures/mine03.png"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with pictures, two of them the same, and the workspace of a finished run."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "pictures").mkdir()
    for seed in range(PICTURES):
        data = encoded(scribble(seed % (PICTURES - 1), 90 + 10 * (seed % 3), 80))
        (folder / "pictures" / f"mine{seed:02d}.png").write_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MAPSIGHT_OPENIMAGES", raising=False)
        assert main(RUN) == 0
    return folder


@pytest.fixture
def user(made: Path, tmp_path: Path, monkeypatch, capfd):
    """Run commands in a copy of that folder: what they wrote, and their status."""
    folder = tmp_path / "user"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MAPSIGHT_OPENIMAGES", raising=False)

    def run(*arguments: str) -> SimpleNamespace:
        capfd.readouterr()
        status = main(list(arguments))
        said = capfd.readouterr()
        return SimpleNamespace(status=status, out=said.out, err=said.err)

    return run


def rows(found: SimpleNamespace) -> list[dict]:
    return [json.loads(line) for line in found.out.splitlines()]


@pytest.mark.parametrize("style", ["photo", "drawing", "same"])
def test_styles_that_no_head_told_restrict_nothing(user, style):
    best = rows(user("search", PICTURE, "--format", "json", "--no-job"))[0]
    queries = [PICTURE, best["image_id"], best["label"], "--format", "json", "--no-job"]
    wanted = rows(user("search", *queries, "--style", "any"))
    found = user("search", *queries, "--style", style)
    assert (found.status, rows(found)) == (0, wanted)
    assert {row["query"] for row in wanted} == {*queries[:3]}
    assert found.err.count(f"--style {style} has no effect: no style head was fitted") == 1


@pytest.mark.parametrize("name", ["license", "subset"])
def test_filters_on_what_nobody_knows_say_so(user, name):
    found = user("search", PICTURE, f"--{name}", "train", "--no-job")
    assert (found.status, f"no picture matches --{name}" in found.out) == (0, True)
    assert f"no picture of this workspace has a known {name}, so none matches" in found.err


@pytest.mark.parametrize("bad", ["nosuch", "no.jpg", "http://127.0.0.1:9/x.jpg", "Tigr"])
def test_a_mean_is_of_all_that_was_named_or_of_nothing(user, bad):
    found = user("search", bad, PICTURE, "--mean", "--no-job")
    assert (found.status, found.out) == (1, "")
    assert found.err.count("--mean answers for all queries or for none") == 1
    assert f"{bad}: " in found.err


def test_a_mean_of_lines_of_a_file_is_no_other(user):
    Path("queries.txt").write_text(f"{PICTURE}\nnosuch\n")
    assert user("search", "--queries", "queries.txt", "--mean", "--no-job").status == 1
    other = "pictures/mine04.png"
    found = user("search", other, PICTURE, "--mean", "--format", "json", "--no-job")
    assert {row["query"] for row in rows(found)} == {f"mean of {other}, {PICTURE}"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Other", "--by", "label"], "the name of a label is a query only --by index"),
        (["Other", "--no-job"], "no picture of the index has this label"),
        (["othr", "--no-job"], "did you mean the label other?"),
        (["lamp", "--no-job"], "lamp: no such file, label or image_id"),
    ],
)
def test_the_label_of_the_others_is_one(user, arguments, message):
    found = user("search", *arguments)
    assert (found.status, message in found.err) == (1, True), found.err


def test_what_was_read_is_said_once(user):
    found = user("search", PICTURE, "--no-job")
    assert (found.out.count("probed"), "cells read" in found.err) == (1, False)
    for more in (["--out", "a.txt"], ["--format", "json"], [PICTURE]):
        assert user("search", PICTURE, *more, "--no-job").err.count("cells read") == 1


def shown() -> dict[str, bytes]:
    files = (path for name in ("results", "report") for path in Path("workspace", name).rglob("*"))
    return {str(path): path.read_bytes() for path in files if path.is_file()}


def test_a_rerun_with_nothing_to_do_says_so_and_changes_nothing(user):
    before = shown()
    done = user(*RUN)
    assert "nothing to do: everything is up to date\n" in done.err
    assert shown() == before
    page = Path("workspace/report/index.html").resolve()
    assert (done.out, str(page) in done.err) == (f"{page}\n", False)


def test_figures_of_a_report_are_of_all_stages_whenever_they_ran(user):
    def summary() -> dict:
        return json.loads(Path("workspace/results/summary.json").read_text())

    before = summary()
    done = user(*RUN, "--force", "merge")
    assert "nothing to do" not in done.err
    for name in ("stages", "pictures_per_second"):
        same = [{**row, "skipped": True} for row in before["stages"]]
        assert summary()[name] == (same if name == "stages" else before[name])
    page = Path("workspace/report/index.html").read_text()
    assert "Pictures per second (extract)" in page
    assert "all stages: 0" not in page


def test_a_report_after_duplicates_has_their_chapter(user):
    assert 'id="duplicates"' not in Path("workspace/report/index.html").read_text()
    assert user("duplicates").status == 0
    assert user("report").status == 0
    page = Path("workspace/report/index.html").read_text()
    assert 'id="duplicates"' in page
    assert "of duplicates: equal byte for byte" in " ".join(page.split())
    assert page.count('class="badge">keep<') == 1
    assert user("report", "--out", "elsewhere").status == 0
    assert 'id="duplicates"' in Path("elsewhere/index.html").read_text()
    user("duplicates", "--min-cosine", "1", "--max-distance", "0")
    user(*RUN)
    assert '"exact": 1' in Path("workspace/results/summary.json").read_text()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ([], "workspace was made from pictures: name these again with --images"),
        (["run"], "another --workspace for the bundled catalogue"),
        (["-r", "local"], "mapsight status shows what it holds"),
        (["--target-labels", "Lion"], "was made from pictures"),
        (["-r", "hadoop", "--workspace", "hdfs:///w"], "no hadoop command"),
    ],
)
def test_a_bare_command_decides_before_it_draws(user, monkeypatch, line, message):
    monkeypatch.setattr(defaults, "_drawn", lambda _: pytest.fail("draws"))
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("HADOOP_HOME", raising=False)
    before = shown()
    done = user(*line)
    assert (done.status, message in done.err) == (2, True), done.err
    assert shown() == before


def test_pictures_of_a_variable_do_not_replace_those_of_a_workspace(user, monkeypatch):
    monkeypatch.setenv("MAPSIGHT_OPENIMAGES", str(Path("pictures").resolve()))
    done = user()
    assert (done.status, "another --workspace for those of $MAP" in done.err) == (2, True)


def test_where_nobody_verified_anything_nothing_tells_of_accuracy(user):
    names = {path.name for path in Path("workspace/results").iterdir()}
    assert not names & {"suspects.csv", "reliability.csv", "confusion.csv"}
    assert not [name for name in names if name.startswith(("accuracy", "evaluation"))]
    charts = {path.name for path in Path("workspace/report/plots").iterdir()}
    assert not charts & {"accuracy.svg", "confusion.svg"}
    page = Path("workspace/report/index.html").read_text()
    assert "Accuracy cannot be measured: no picture has a verified label." in page
    assert not any(f"plots/{name}" in page for name in ("accuracy.svg", "confusion.svg"))
    found = user("compare", "workspace")
    assert (found.status, " –" in found.out) == (0, True)


GROUP = ("group", "validation", "all", "", "photo", "right", "wrong")
ACCURACY = {"accuracy.csv", "accuracy_top5.csv", "confusion.csv"}
EVALUATION = {"evaluation.csv", "evaluation_groups.csv", "reliability.csv"}


@pytest.mark.parametrize(
    ("counts", "files", "judged"),
    [
        ({}, set(), False),
        ({("ppi", "4"): 7, ("class", "/m/1", "Cat"): 7, ("label", "Lion"): 7}, set(), False),
        ({("absent", "Lion", "not"): 2}, set(), True),
        ({GROUP: 2}, EVALUATION, True),
        ({("any", "right"): 1, ("any5", "right"): 1}, ACCURACY, True),
        ({("any", "wrong"): 1, GROUP: 1}, ACCURACY | EVALUATION, True),
    ],
)
def test_tables_of_accuracy_are_of_what_somebody_verified(tmp_path, counts, files, judged):
    tables.write_tables({"Lion": "/m/1"}, counts, 7, tmp_path)
    tables.write_evaluation(["Lion", "other"], counts, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} - {"labels.csv", "classes.csv"} == files
    assert tables.is_judged(counts) is judged
