"""The whole program on small pictures: the same bytes however it is run."""

from __future__ import annotations

import csv
import os
import subprocess
import sys

import pandas as pd
import pyarrow.parquet as pq
import pytest

from driver.workspace.owned_files import FILES
from mapsight.inputs.image_ids import source_id
from tests.support.paths import ROOT
from tests.support.pictures import encoded, scribble
from tests.support.results import hashes, runs, stages_run, summary

RESULTS = {
    "cells.csv", "classes.csv", "kmeans.csv", "labels.csv", "orphans.csv", "predictions.parquet",
    "ranking.parquet", "recall.csv", "rejected.csv", "summary.json",
}  # fmt: skip


def test_a_folder_becomes_results_and_a_report(mapsight, pictures, tmp_path):
    (pictures / "broken.jpg").write_bytes(b"not a picture")
    out = mapsight.ok("--images", "pictures", "--results", "copy")
    assert out == "copy/report/index.html\n"
    workspace = tmp_path / "workspace"
    assert {path.name for path in (workspace / "results").iterdir()} == RESULTS
    assert {path.name for path in (tmp_path / "copy").iterdir()} == RESULTS | {"report", FILES}
    found = summary(workspace)
    assert (found["images_read"], found["images_extracted"], found["images_rejected"]) == (
        13,
        12,
        1,
    )
    assert found["errors"] == {"not_an_image": 1}
    rejected = list(csv.DictReader((workspace / "results" / "rejected.csv").open()))
    assert [row["source"] for row in rejected] == ["pictures/broken.jpg"]
    assert "<html" in (workspace / "report" / "index.html").read_text()


def test_results_that_cannot_be_written_are_noticed_before_any_stage(mapsight, pictures, tmp_path):
    done = mapsight("--images", "pictures", "--results", "/proc")  # also root may not
    assert done.returncode == 2
    assert done.stderr.startswith("mapsight: error: --results /proc: cannot be written: ")
    assert not (tmp_path / "workspace").exists()


@pytest.mark.parametrize("name", ["summary.json", "report/index.html"])
def test_a_file_of_the_user_where_results_go_is_noticed_before_any_stage(
    mapsight, pictures, tmp_path, name
):
    (tmp_path / "mine" / name).parent.mkdir(parents=True)
    (tmp_path / "mine" / name).write_text("mine")
    done = mapsight("--images", "pictures", "--results", "mine")
    assert f"mine/{name} was not written by Mapsight, and is not overwritten" in done.stderr
    assert not (tmp_path / "workspace").exists() and done.returncode == 1


def test_a_model_that_cannot_be_had_is_noticed_before_any_stage(
    mapsight_process, pictures, tmp_path
):
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['tensorflow'] = None\n")
    path = os.pathsep.join([str(tmp_path), mapsight_process.environment["PYTHONPATH"]])
    own = {"PYTHONPATH": path, "MAPSIGHT_MODEL_CACHE": str(tmp_path / "cache")}
    mapsight_process.environment = {**mapsight_process.environment, **own}
    said = "mapsight: error: building the model needs TensorFlow: pip install 'mapsight[model]'\n"
    assert mapsight_process("--images", "pictures").stderr == said
    done = mapsight_process("--images", "pictures", "--weights", "none.h5")
    assert done.stderr == "mapsight: error: --weights none.h5: no such file or folder\n"
    assert not list((tmp_path / "workspace").glob("*/stage.json"))
    mapsight_process.ok("--images", "pictures", "--until", "fetch")


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        (["--images", "x"], 2, "the report needs jinja2 and matplotlib: "),
        (["status"], 1, f"{sys.executable} has no "),
    ],
)
def test_a_python_without_the_requirements_is_told_in_a_line(words, status, reason):
    command = [sys.executable, "-S", "-E", str(ROOT / "driver" / "run.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == status
    assert done.stderr.startswith(f"mapsight: error: {reason}") and "pip install" in done.stderr
    assert done.stderr.count("\n") == 1


def test_status_says_where_the_workspace_of_hadoop_is(mapsight, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "hadoop").touch()
    own = {"HADOOP_HOME": str(tmp_path), "HADOOP_USER_NAME": "me"}
    mapsight.environment = {**mapsight.environment, **own}
    nothing = "no workspace is there; a run makes one (mapsight --images …)"
    line = f"./workspace: {nothing}; with -r hadoop: --workspace hdfs:///user/me/mapsight"
    assert mapsight("status").stderr == f"mapsight: error: {line}\n"
    other = mapsight("status", "--workspace", "elsewhere").stderr
    assert other == f"mapsight: error: elsewhere: {nothing}\n"


def test_every_runner_and_split_gives_the_same_bytes(mapsight, pictures, tmp_path):
    (pictures / "broken.jpg").write_bytes(b"not a picture")
    (pictures / "again").mkdir()
    (pictures / "again" / f"{3:016x}.png").write_bytes(encoded(scribble(99)))
    ways = [
        ("-r", "inline", "--splits", "1"),
        ("-r", "inline", "--splits", "16"),
        ("-r", "local", "--processes", "1", "--splits", "4"),
        ("-r", "local", "--processes", "2", "--splits", "16"),
    ]
    found = []
    for number, way in enumerate(ways):
        mapsight.ok("--images", "pictures", "--workspace", f"w{number}", *way)
        found.append(hashes(tmp_path / f"w{number}"))
    assert found == [found[0]] * len(ways)


def test_pictures_that_share_a_name_are_all_kept_whatever_the_split(mapsight, pictures, tmp_path):
    for folder in ("z", "a"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{3:016x}.png").write_bytes(encoded(scribble(3)))
    (tmp_path / "a" / f"{4:016x}.txt").write_text("beside another picture\n")
    found = []
    for splits in ("1", "5"):
        named = ("--images", "a", "z", "pictures", "--workspace", f"w{splits}")
        mapsight.ok(*named, "--splits", splits)
        found.append(hashes(tmp_path / f"w{splits}"))
    assert found[0] == found[1]
    table = pq.read_table(tmp_path / "w5/results/predictions.parquet").to_pylist()
    ids = {row["source"]: row["image_id"] for row in table}
    same = [f"a/{3:016x}.png", f"pictures/{3:016x}.jpg", f"z/{3:016x}.png"]
    assert [ids[source] for source in same] == [source_id(source) for source in same]
    assert list(ids.values()) == sorted(ids.values())
    assert ids[f"pictures/{4:016x}.jpg"] == f"{4:016x}"
    assert summary(tmp_path / "w5")["errors"] == {"not_an_image": 1}


def test_what_has_not_changed_is_not_run_again(finished, tmp_path):
    workspace = tmp_path / "workspace"
    first = runs(workspace)
    finished.ok("--images", "pictures")
    assert stages_run(workspace, first) == []
    finished.ok("--images", "pictures", "--rank-by", "entropy", "--order", "asc")
    assert sorted(stages_run(workspace, first)) == ["merge", "rank", "render"]
    finished.ok(
        "--images", "pictures", "--rank-by", "entropy", "--order", "asc", "--force", "count"
    )
    assert "count" in stages_run(workspace, first)
    assert "extract" not in stages_run(workspace, first)


def test_a_new_picture_is_noticed(finished, tmp_path):
    (tmp_path / "pictures" / "new.png").write_bytes(encoded(scribble(77)))
    finished.ok("--images", "pictures")
    assert summary(tmp_path / "workspace")["images_read"] == 13


def test_a_missing_part_is_made_again(finished, tmp_path):
    before = hashes(tmp_path / "workspace")
    next((tmp_path / "workspace" / "extract").glob("*/part-*")).unlink()
    finished.ok("--images", "pictures")
    assert hashes(tmp_path / "workspace") == before


def test_bit_rot_in_a_part_is_refused_and_named(finished, tmp_path):
    before = hashes(tmp_path / "workspace")
    part = next((tmp_path / "workspace" / "extract").glob("*/part-*"))
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    done = finished("--images", "pictures", "--force", "classify")
    assert done.returncode == 1
    assert f"{part} has changed since it was made; run with --force extract" in done.stderr
    finished.ok("--images", "pictures", "--force", "extract")
    assert hashes(tmp_path / "workspace") == before


def test_a_damaged_stage_file_is_a_stage_not_done(finished, tmp_path):
    before = hashes(tmp_path / "workspace")
    (tmp_path / "workspace" / "rank" / "stage.json").write_text("{")
    assert "damaged: run again" in finished.ok("status")
    finished.ok("--images", "pictures")
    assert hashes(tmp_path / "workspace") == before


def test_until_stops_and_a_later_run_goes_on(mapsight, pictures, tmp_path):
    assert mapsight.ok("--images", "pictures", "--until", "extract") == ""
    assert sorted(runs(tmp_path / "workspace")) == ["extract", "fetch", "ingest", "plan"]
    first = runs(tmp_path / "workspace")
    mapsight.ok("--images", "pictures")
    assert not {"plan", "ingest", "extract"} & set(stages_run(tmp_path / "workspace", first))


def test_a_run_in_two_parts_gives_the_same_bytes(mapsight, pictures, tmp_path):
    arguments = ("--images", "pictures", "--target-labels", "Tiger", "Dog,Cat", "Lion")
    mapsight.ok(*arguments, "--workspace", "whole")
    mapsight.ok(*arguments, "--until", "classify")
    mapsight.ok(*arguments)
    assert hashes(tmp_path / "workspace") == hashes(tmp_path / "whole")
    labels = pd.read_csv(tmp_path / "workspace" / "results" / "labels.csv")["label"]
    assert labels.tolist() == ["Tiger", "Dog", "Cat", "Lion", "other"]


@pytest.mark.parametrize("measure", ["ppi", "bytes", "sharpness"])
def test_every_picture_gets_the_rank_that_pandas_gives_it(finished, tmp_path, measure):
    finished.ok("--images", "pictures", "--rank-by", measure)
    results = tmp_path / "workspace" / "results"
    frame = pd.read_parquet(results / "predictions.parquet")
    frame = frame.sort_values([measure, "image_id"], ascending=[False, True])
    ranking = pd.read_parquet(results / "ranking.parquet")
    everything = ranking[ranking["label"] == "*"].sort_values("rank")
    assert everything["image_id"].tolist() == frame["image_id"].tolist()
    assert everything["value"].tolist() == frame[measure].tolist()
    for label, group in frame.groupby("label"):
        ranked = ranking[ranking["label"] == label].sort_values("rank")
        assert ranked["image_id"].tolist() == group["image_id"].tolist()
        assert ranked["rank"].tolist() == list(range(1, len(group) + 1))


def test_ranks_near_the_model_and_a_slice(finished, tmp_path):
    finished.ok("--images", "pictures", "--near-model", "--ranks", "2:4")
    results = tmp_path / "workspace" / "results"
    frame = pd.read_parquet(results / "predictions.parquet")
    frame["far"] = (frame["ppi"] - 128**0.5 * 2**0.25).abs().round(6)
    expected = frame.sort_values(["far", "image_id"])["image_id"].tolist()[1:4]
    ranking = pd.read_parquet(results / "ranking.parquet")
    everything = ranking[ranking["label"] == "*"]
    assert everything["rank"].tolist() == [2, 3, 4]
    assert everything["image_id"].tolist() == expected


def test_the_screen_diagonal_changes_the_ppi_without_a_new_extract(finished, tmp_path):
    first = runs(tmp_path / "workspace")
    finished.ok("--images", "pictures", "--screen-diagonal", "10")
    assert "extract" not in stages_run(tmp_path / "workspace", first)
    frame = pd.read_parquet(tmp_path / "workspace" / "results" / "predictions.parquet")
    expected = ((frame["width"] ** 2 + frame["height"] ** 2) ** 0.5 / 10).round(6)
    assert frame["ppi"].tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_parquet_is_read_in_place(finished, tmp_path):
    pictures = sorted((tmp_path / "pictures").iterdir())
    rows = [{"image": p.read_bytes(), "path": p.name} for p in pictures]
    pd.DataFrame(rows).to_parquet(tmp_path / "all.parquet", row_group_size=5)
    finished.ok("--images", "all.parquet", "--no-index", "--workspace", "w1")
    one, two = (
        pd.read_parquet(tmp_path / w / "results" / "predictions.parquet")
        for w in ("w1", "workspace")
    )
    assert one["source"].tolist() == [f"all.parquet#{i}" for i in range(12)]
    assert one.drop(columns="source").equals(two.drop(columns="source"))
    assert not list((tmp_path / "w1" / "ingest").glob("*/shards/*"))


def test_the_workspace_inside_the_pictures_is_no_input(mapsight, pictures, tmp_path):
    mapsight.folder = pictures
    mapsight.ok("--images", ".", "--no-index")
    for _ in range(2):
        mapsight.ok("--images", ".", "--no-index", "--results", "results")
    assert summary(pictures / "workspace")["images_read"] == 12


def test_too_many_rejected_pictures_fail_the_run(mapsight, pictures):
    for number in range(13):
        (pictures / f"bad{number}.jpg").write_bytes(b"junk")
    run = ("--images", "pictures", "--no-index")
    done = mapsight(*run)
    assert done.returncode == 1
    assert "13 of 25 pictures cannot be used (13 not_an_image)" in done.stderr
    assert "pictures/bad" in done.stderr
    mapsight.ok(*run, "--max-rejected", "0.6")
    assert mapsight(*run, "--max-rejected", "0.1").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--images", "nowhere"), 1, "nowhere: no such file or folder"),
        (("--images", "pictures", "--target-labels", "Girafe"), 2, "did you mean Giraffe"),
        (("--images", "pictures", "--splits", "0"), 2, "--splits"),
        (("--openimages", "nowhere"), 2, "--openimages nowhere"),
        (("--images", "pictures", "--workspace", "nosuch://x"), 1, "--workspace nosuch://x"),
    ],
)
def test_mistakes_are_one_clear_line(mapsight, pictures, arguments, status, message):
    done = mapsight(*arguments)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert len([line for line in done.stderr.splitlines() if "error" in line]) == 1


@pytest.mark.parametrize(
    ("runner", "message"), [("hadoop", "no hadoop command"), ("emr", "s3://bucket/mapsight")]
)
def test_a_runner_that_cannot_work_here_says_what_is_missing(mapsight, runner, message):
    mapsight.environment = {**mapsight.environment, "PATH": "/nowhere", "HADOOP_HOME": ""}
    done = mapsight("-r", runner, "--images", "pictures")
    assert (done.returncode, message in done.stderr) == (2, True)


def test_an_empty_folder_says_so(mapsight, tmp_path):
    (tmp_path / "empty").mkdir()
    done = mapsight("--images", "empty")
    assert (done.returncode, "empty: no pictures found" in done.stderr) == (1, True)


def test_results_carry_no_shard_and_no_host(finished, tmp_path):
    results = tmp_path / "workspace" / "results"
    text = "".join(path.read_text() for path in results.glob("*.csv"))
    tables = [pd.read_parquet(path) for path in sorted(results.glob("*.parquet"))]
    text += "".join(table.to_csv() for table in tables)
    assert f"pictures/{3:016x}.jpg" in text
    assert not any(word in text for word in (str(tmp_path), "ingest", os.uname().nodename + "."))
    assert not any({"shard", "row"} & set(table.columns) for table in tables)


def test_a_linked_folder_does_not_take_in_its_workspace(mapsight, pictures, tmp_path):
    (tmp_path / "link").symlink_to(pictures)
    for _ in range(2):
        mapsight.ok("--images", "link", "--workspace", "pictures/ws")
    assert summary(pictures / "ws")["images_read"] == 12


def test_a_parquet_file_named_twice_is_read_once(mapsight, pictures, tmp_path):
    rows = [{"image": p.read_bytes(), "path": p.name} for p in sorted(pictures.iterdir())]
    pd.DataFrame(rows).to_parquet(tmp_path / "a.parquet")
    mapsight.ok("--images", "a.parquet", "./a.parquet", "--max-rejected", "0.5")
    assert summary(tmp_path / "workspace")["images_read"] == 12


def test_status_and_report(mapsight, pictures, tmp_path):
    mapsight.ok("--images", "pictures", "--until", "rank")
    assert "extract" in mapsight.ok("status")
    assert mapsight("report").returncode == 1
    mapsight.ok("--images", "pictures")
    page = mapsight.ok("report", "--out", "elsewhere").strip()
    expected = (tmp_path / "workspace" / "report" / "index.html").read_text()
    assert (tmp_path / page).read_text() == expected
