"""What somebody meets who classifies pictures of their own, without metadata and without a head."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ROOT, encoded, scribble

from driver.run import main

MODEL = str(ROOT / "examples" / "catalogue" / "model.tflite")
RUN = ["--images", "pictures", "--model", MODEL]
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
    assert found.err.count(f"--style {style}: no head told styles here") == 1


@pytest.mark.parametrize("name", ["license", "subset"])
def test_filters_on_what_nobody_knows_say_so(user, name):
    found = user("search", PICTURE, f"--{name}", "train", "--no-job")
    assert (found.status, "no picture fits" in found.out) == (0, True)
    assert f"--{name}: nobody knows the {name} of any picture here, so none fits" in found.err


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
        (["lamp", "--no-job"], "no picture with this image_id in the index\n"),
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
