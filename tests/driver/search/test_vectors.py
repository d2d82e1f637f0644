"""Vectors made elsewhere as queries: ranked by embeddings, and refused one by one."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from driver.errors import UsageError
from driver.search.vectors import vector_questions
from driver.workspace.workspace import Workspace
from mapsight.labels.head import FIXED, UNIT, Head
from mapsight.search.index_queries import place_numbers
from mapsight.search.options import SearchOptions
from mapsight.search.question import Question
from mapsight.search.search_index import SearchIndex
from mapsight.search.searcher import Searcher
from tests.support.index_world import PLAIN_D, D, IndexWorld, indexed

ANY = {"style": "any"}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> tuple[Path, IndexWorld]:
    folder = tmp_path_factory.mktemp("vectors") / "w"
    return folder, indexed(folder)


def elsewhere(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=PLAIN_D)


def whole(vector: np.ndarray) -> np.ndarray:
    return np.rint(vector * (UNIT / np.linalg.norm(vector))).astype(np.int16)


@pytest.mark.parametrize("seed", range(5))
def test_an_embedding_ranks_pictures_by_the_cosine_of_theirs(place, seed):
    folder, world = place
    found = Searcher(str(folder)).search(elsewhere(seed), 20, probe=world.k, **ANY)
    exact = world.exact(whole(elsewhere(seed)), 20, d=PLAIN_D)
    assert [row["image_id"] for row in found] == [image_id for _, image_id in exact]
    assert [row["score"] for row in found] == [round(score, 6) for score, _ in exact]


def test_beside_an_embedding_all_queries_are_compared_by_embeddings(place):
    folder, world = place
    both = Searcher(str(folder)).search_many([world.x[3], elsewhere(1)], probe=world.k, **ANY)
    alone = Searcher(str(folder)).search_many(
        [world.x[3], elsewhere(1)], probe=world.k, features="plain", **ANY
    )
    assert both == alone


def test_a_head_gives_an_embedding_the_scores_of_a_picture_that_has_it(place):
    folder, _ = place
    index = SearchIndex(Workspace(str(folder)))
    rng = np.random.default_rng(3)
    weights = rng.integers(-FIXED, FIXED, (D - PLAIN_D, PLAIN_D)).astype(np.int32)
    none = np.zeros(0, np.int32)
    mean, axes = np.zeros(PLAIN_D, np.int32), np.zeros((0, PLAIN_D), np.int32)
    classes = [(f"label {i}", "") for i in range(D - PLAIN_D)]
    head = Head(classes, weights, none, mean, axes, none.astype(np.uint8))
    question = Question("v.npy", numbers=whole(elsewhere(2)))
    pictures = SimpleNamespace(classifier=SimpleNamespace(head=head))
    workspace, asked = Workspace(str(folder)), SearchOptions(features="new")
    assert place_numbers(workspace, index, [question], asked, pictures) == asked
    assert (question.vector == head.new_features(whole(elsewhere(2))[None])[0]).all()


def test_rows_are_called_as_numpy_calls_them(tmp_path):
    path = tmp_path / "v.npy"
    np.save(path, np.stack([elsewhere(0), elsewhere(1)]).astype(np.float16))
    assert [one.typed for one in vector_questions([str(path)])] == [f"{path}[0]", f"{path}[1]"]
    np.save(path, elsewhere(0))
    assert [one.typed for one in vector_questions([str(path)])] == [str(path)]


def bad_rows() -> np.ndarray:
    rows = np.ones((3, PLAIN_D))
    rows[1, 2] = np.nan
    return rows


BAD = {
    "nan": (bad_rows(), r"row 1: a vector with numbers that are not finite"),
    "infinite": (np.full(PLAIN_D, np.inf), "not finite"),
    "zero": (np.zeros((2, PLAIN_D)), "row 0: a vector of zeros is like no picture"),
    "whole": (np.ones(PLAIN_D, np.int64), r"int64 of shape \(8,\); floats of shape"),
    "text": (np.array(["a", "b"]), "floats of shape"),
    "deep": (np.ones((2, 2, PLAIN_D)), r"float64 of shape \(2, 2, 8\); floats"),
    "empty": (np.ones((0, PLAIN_D)), "floats of shape"),
    "single": (np.float64(3.0), "floats of shape"),
    "objects": (np.array([{}, []], object), "an array of Python objects"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_without_vectors_is_named_with_the_reason(tmp_path, name):
    array, reason = BAD[name]
    path = tmp_path / f"{name}.npy"
    np.save(path, array, allow_pickle=True)
    with pytest.raises(UsageError, match=f"^--vector {path}: .*{reason}"):
        vector_questions([str(path)])


def test_other_files_are_named_with_the_reason(tmp_path):
    for name, content, reason in (
        ("text", b"0.1 0.2 0.3", "no .npy file"),
        ("cut", b"\x93NUMPY\x01\x00", ""),
        ("npz", b"PK\x03\x04", "no .npy file"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match=f"^--vector {tmp_path / name}: {reason}"):
            vector_questions([str(tmp_path / name)])
    with pytest.raises(UsageError, match=r"gone\.npy: No such file"):
        vector_questions(["gone.npy"])


def answers(program, *arguments: str) -> list[dict]:
    out = program.ok("search", *arguments, "--format", "json", "--style", "any")
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.whole
def test_vectors_answer_alike_by_a_job_without_one_and_by_features(finished):
    shown = [json.loads(line) for line in finished.ok("search", "0" * 15 + "5", "--format", "json")
             .splitlines()]  # fmt: skip
    import mapsight

    workspace = mapsight.open(finished.folder / "workspace")
    _, x = workspace.features([row["image_id"] for row in shown[:2]], kind="plain")
    np.save(finished.folder / "v.npy", x)
    given = ["--vector", "v.npy", "--min-ppi", "1", "--recall", "1"]
    here = answers(finished, *given)
    assert [row["image_id"] for row in here if row["rank"] == 1] == [
        row["image_id"] for row in shown[:2]
    ]
    assert [row["query"] for row in here if row["rank"] == 1] == ["v.npy[0]", "v.npy[1]"]
    assert answers(finished, *given, "--job", "-r", "inline") == here
    assert answers(finished, *given, "--no-job") == here
    scanned = answers(finished, *given[:4], "--by", "features", "-r", "inline")
    assert [(row["query"], row["image_id"], row["score"]) for row in scanned] == [
        (row["query"], row["image_id"], row["score"]) for row in here
    ]


@pytest.mark.whole
def test_vectors_of_another_length_are_one_error(finished):
    np.save(finished.folder / "v.npy", np.ones((3, 5)))
    for by in ("index", "features"):
        done = finished("search", "--vector", "v.npy", "--by", by, "-r", "inline")
        assert done.returncode == 2
        assert done.stderr.count("error") == 1
        reason = "--vector v.npy[0]: 5 numbers; the embeddings of this workspace have 256"
        assert reason in done.stderr
    done = finished("search", "--vector", "v.npy", "--by", "label")
    assert "--vector FILE excludes --by label" in done.stderr
