"""`mapsight search` on a real workspace."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.support.loopback import reply, serving
from tests.support.pictures import encoded, scribble

FIELDS = [
    "query",
    "rank",
    "image_id",
    "score",
    "percent",
    "label",
    "style",
    "ppi",
    "width",
    "height",
    "source",
]
FIELDS += ["title", "author", "license", "original_url"]
ID = f"{5:016x}"


@pytest.fixture
def searchable(mapsight, unindexed_once, tmp_path):
    for name in ("pictures", "workspace"):
        shutil.copytree(unindexed_once / name, tmp_path / name)
    return mapsight


def answers(program, *arguments: str) -> list[dict]:
    out = program.ok("search", *arguments, "--format", "json")
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("query", [ID, f"pictures/{ID}.jpg"])
def test_an_indexed_picture_finds_itself_first(searchable, query):
    found = answers(searchable, query, "--top-k", "4")
    assert [list(row) for row in found] == [FIELDS] * 4
    assert [row["rank"] for row in found] == [1, 2, 3, 4]
    assert (found[0]["image_id"], found[0]["query"]) == (ID, query)
    assert found[0]["score"] >= 0.999
    assert [row["score"] for row in found] == sorted((r["score"] for r in found), reverse=True)


@pytest.mark.parametrize("query", [ID, f"pictures/{ID}.jpg"])
def test_the_query_itself_can_be_left_out(searchable, query):
    found = answers(searchable, query, "--exclude-self", "--top-k", "50")
    assert len(found) == 11
    assert ID not in {row["image_id"] for row in found}


def test_a_copy_under_another_name_is_the_same_picture(searchable, tmp_path):
    shutil.copy(tmp_path / "pictures" / f"{ID}.jpg", tmp_path / "query.jpg")
    assert answers(searchable, "query.jpg", "--top-k", "1")[0]["image_id"] == ID
    assert len(answers(searchable, "query.jpg", "--exclude-self", "--top-k", "50")) == 11


def test_many_queries_are_one_job_each_answered_on_its_own(searchable, tmp_path):
    ids = [f"{i:016x}" for i in range(12)]
    (tmp_path / "q.txt").write_text("\n".join(ids) + "\n\n")
    found = answers(searchable, "--queries", "q.txt", "--top-k", "3")
    assert [row["query"] for row in found] == [i for i in ids for _ in range(3)]
    assert [row["image_id"] for row in found if row["rank"] == 1] == ids
    assert found[:3] == answers(searchable, ids[0], "--top-k", "3")


def test_by_label_ranks_the_same_label_by_ppi(searchable, tmp_path):
    frame = pd.read_parquet(tmp_path / "workspace" / "results" / "predictions.parquet")
    label = frame.set_index("image_id")["label"][ID]
    same = frame[frame["label"] == label].sort_values(["ppi", "image_id"], ascending=[False, True])
    for query in (ID, f"pictures/{ID}.jpg"):
        found = answers(searchable, query, "--by", "label", "--top-k", "50")
        assert [row["image_id"] for row in found] == same["image_id"].tolist()


def test_restrictions_hold(searchable, tmp_path):
    frame = pd.read_parquet(tmp_path / "workspace" / "results" / "predictions.parquet")
    floor = float(frame["ppi"].median())
    found = answers(searchable, ID, "--min-ppi", str(floor), "--top-k", "50")
    assert {row["image_id"] for row in found} == set(frame[frame["ppi"] >= floor]["image_id"])
    assert answers(searchable, ID, "--label", "penguin") == []


def test_one_bad_query_loses_nothing_else(searchable, tmp_path):
    (tmp_path / "text.jpg").write_text("hello")
    done = searchable("search", ID, "text.jpg", "nosuchid", "pictures", "--format", "json")
    assert done.returncode == 1
    assert {json.loads(line)["query"] for line in done.stdout.splitlines()} == {ID}
    errors = [line for line in done.stderr.splitlines() if line.startswith("mapsight: error:")]
    assert len(errors) == 3
    assert "text.jpg: cannot be used: not_an_image" in errors[0]


def test_a_url_to_a_private_address_is_refused(searchable, tmp_path):
    body = (tmp_path / "pictures" / f"{ID}.jpg").read_bytes()
    with serving(reply(body)) as address:
        done = searchable("search", f"{address}/x.jpg")
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr
    assert "public" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "name a picture file"),
        ((ID, "--label", "Pinguin"), 2, "did you mean"),
        ((ID, "--label", "Dog"), 2, "--label 'Dog': the workspace has no such label; one of "),
        ((ID, "--format", "html"), 2, "--format html needs --out"),
        ((ID, "--out", "pictures"), 2, "--out pictures: is a folder; name a file"),
        ((ID, "--out", "nowhere/x"), 2, "--out nowhere/x: there is no folder "),
        ((ID, "--workspace", "nowhere"), 1, "nowhere: no workspace is there"),
        (
            ("--queries", "no.txt"),
            2,
            "--queries no.txt: cannot be read: No such file or directory\n",
        ),
        (("--queries", f"pictures/{ID}.jpg"), 2, ".jpg: is not UTF-8 text\n"),
    ],
)
def test_mistakes_are_one_clear_line(searchable, arguments, status, message):
    done = searchable("search", *arguments)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_altered_model_is_refused(searchable, tmp_path):
    (model,) = (tmp_path / "workspace" / "model").iterdir()
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(data)
    done = searchable("search", f"pictures/{ID}.jpg")
    assert done.returncode == 1
    assert model.name in done.stderr
    assert "--force extract" in done.stderr


def test_the_model_is_the_one_of_the_workspace_whatever_is_cached(searchable, tmp_path):
    searchable.environment = {**searchable.environment, "MAPSIGHT_MODEL_CACHE": str(tmp_path)}
    searchable.environment.pop("MAPSIGHT_WEIGHTS")
    assert answers(searchable, f"pictures/{ID}.jpg", "--top-k", "1")[0]["score"] >= 0.999


def test_a_moved_workspace_finds_its_pictures(searchable, tmp_path):
    (tmp_path / "workspace").rename(tmp_path / "moved")
    searchable.ok("report", "--workspace", "moved")
    assert len(list((tmp_path / "moved" / "report" / "thumbs").iterdir())) == 12
    searchable.ok("--images", "pictures", "--workspace", "moved", "--force", "extract")
    searchable.ok("--images", "pictures", "--workspace", "moved", "--force", "ingest")
    searchable.ok("report", "--workspace", "moved")
    assert len(list((tmp_path / "moved" / "report" / "thumbs").iterdir())) == 12


def test_pictures_of_another_run_are_not_shown_for_those_of_this_one(searchable, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.png").write_bytes(encoded(scribble(50)))
    searchable.ok("--images", "other", "--until", "ingest")
    done = searchable("report", "--out", "page")
    assert done.returncode == 0
    assert "have changed since" in done.stderr
    assert not list((tmp_path / "page").glob("thumbs/*"))


def test_stages_of_an_earlier_run_are_told_from_those_of_this_one(searchable, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "x.png").write_bytes(encoded(scribble(50)))
    searchable.ok("--images", "other", "--until", "extract")
    lines = {line.split()[0]: line for line in searchable.ok("status").splitlines()}
    assert " done " in lines["extract"] and "of an earlier run" in lines["classify"]
    assert "a later run read other pictures and did not finish" in searchable("search", ID).stderr


def test_the_catalogue_replaces_no_pictures_of_the_user(searchable):
    searchable.environment = {**searchable.environment}
    searchable.environment.pop("MAPSIGHT_OPENIMAGES", None)
    done = searchable("-r", "inline")
    assert done.returncode == 2
    assert "was made from pictures: name these again with --images" in done.stderr


def test_the_answers_as_a_table_and_as_a_page(searchable, tmp_path):
    table = searchable.ok("search", ID, "--top-k", "2")
    assert [line.split()[0] for line in table.splitlines()[1:4]] == ["rank", "1", "2"]
    out = searchable.ok("search", ID, "--format", "html", "--out", "page.html")
    assert out == "page.html\n"
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 11
    assert Path(tmp_path / "page.html").stat().st_size < 1 << 20
