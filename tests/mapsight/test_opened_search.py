"""Searching an opened workspace without its index: the answers are those of the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import mapsight as library
from mapsight.errors import Failure
from mapsight.records import decode_embedding
from mapsight.results.predictions import records_of
from mapsight.workspace.workspace import Workspace
from tests.support.pictures import encoded, scribble
from tests.support.program import CalledProgram

IDS = [f"{i:016x}" for i in (5, 2, 11)]
FILE = f"pictures/{5:016x}.jpg"


@pytest.fixture(scope="module")
def workspace(finished_once) -> library.opened.OpenedWorkspace:
    return library.open(finished_once / "workspace")


@pytest.fixture
def program(environment, finished_once, monkeypatch) -> CalledProgram:
    monkeypatch.chdir(finished_once)
    return CalledProgram(environment, finished_once)


def flags(options: dict) -> list[str]:
    named = [(f"--{name.replace('_', '-')}", value) for name, value in options.items()]
    pairs = [(flag,) if value is True else (flag, str(value)) for flag, value in named]
    return [text for pair in pairs for text in pair]


def both(program: CalledProgram, opened, queries: list[str], **options) -> tuple[str, str]:
    """JSON lines of the command and of Python."""
    typed = ["search", *queries, *flags(options), "--format", "json", "-r", "inline"]
    answers = opened.search_many(queries, **options)
    return program.ok(*typed), "".join(json.dumps(row) + "\n" for rows in answers for row in rows)


@pytest.mark.parametrize(
    "options",
    [
        {"by": "features", "top_k": 5},
        {"by": "features", "exclude_self": True, "min_ppi": 1.5, "top_k": 50},
        {"by": "label", "top_k": 4},
        {"by": "label", "label": "LAMP", "exclude_self": True},
    ],
    ids=str,
)
def test_answers_are_those_of_the_command(program, workspace, options):
    typed, answered = both(program, workspace, [*IDS, FILE], **options)
    assert answered == typed and len(typed.splitlines()) > 8


def test_so_they_are_of_what_was_added_and_removed(finished, monkeypatch):
    monkeypatch.chdir(finished.folder)
    (Path("more")).mkdir()
    Path(f"more/{77:016x}.png").write_bytes(encoded(scribble(77)))
    finished.ok("add", "--images", "more", "--workspace", "workspace")
    finished.ok("remove", IDS[0])
    opened = library.open("workspace")
    for by in ("features", "label"):
        typed, answered = both(finished, opened, [IDS[1], f"{77:016x}"], by=by, top_k=30)
        assert answered == typed and IDS[0] not in typed and f'"image_id": "{77:016x}"' in typed
    for ask in (opened.picture, opened.search, lambda name: opened.search(name, by="label")):
        with pytest.raises(ValueError, match=f"{IDS[0]}: this picture was removed"):
            ask(IDS[0])
    with pytest.raises(ValueError, match="this picture was removed"):
        opened.features([IDS[0]])


def test_without_an_index_all_features_answer(environment, unindexed_once, monkeypatch):
    monkeypatch.chdir(unindexed_once)
    opened = library.open("workspace")
    program = CalledProgram(environment, unindexed_once)
    typed, answered = both(program, opened, IDS, top_k=3)
    assert answered == typed
    with pytest.raises(Failure, match="run with --no-index"):
        opened.search(IDS[0], by="index")


def test_without_an_index_pictures_are_found_by_the_predictions(unindexed_once, monkeypatch):
    monkeypatch.chdir(unindexed_once)
    opened = library.open("workspace")
    for row in opened.predictions(["image_id", "source"]).to_pylist():
        assert opened.picture(row["image_id"]) == Path(row["source"]).read_bytes()
    monkeypatch.setattr("mapsight.opened_pictures.find_records", None)  # no pass over all features
    with pytest.raises(ValueError, match=r"nosuch: no picture with this image_id$"):
        opened.picture("nosuch")


def test_a_vector_is_a_query_by_features(workspace, finished_once):
    parts = Workspace(str(finished_once / "workspace")).parts("extract")
    x = decode_embedding(dict(records_of(parts))[IDS[0]]["embedding"])
    found = workspace.search(x.astype(np.float64), by="features", top_k=3)
    same = workspace.search(IDS[0], by="features", top_k=3)
    assert [row["image_id"] for row in found] == [row["image_id"] for row in same]
    with pytest.raises(ValueError, match=rf"shape \(3,\): \({len(x)},\) is expected"):
        workspace.search([1, 2, 3], by="features")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "cells"}, "by 'cells': one of index, features, label, or None"),
        ({"by": "features", "near_copies": "fold"}, "near_copies='fold' needs by='index'"),
        ({"by": "label", "mean": True}, "mean=True needs by='index'"),
        ({"by": "features", "flag": "odd_for_label"}, "flag odd_for_label needs by='index'"),
        ({"by": "index", "head": "h.npz"}, "head needs by='features'"),
        ({"head": "h.npz"}, "head h.npz: No such file or directory"),
        ({"by": "features", "label": "Lampp"}, "label 'Lampp': .* did you mean Lamp"),
        ({"features": "new"}, "features 'new': the index has plain"),
    ],
    ids=str,
)
def test_options_that_say_nothing_are_refused(workspace, options, message):
    with pytest.raises(ValueError, match=message):
        workspace.search(IDS[0], **options)


def test_the_name_of_a_label_and_an_unknown_id_are_refused_as_by_the_command(workspace):
    only = "only --by index"
    for query, why in (
        ("Lamp", f"the name of a label is a query {only}"),
        ("Tiger", f"words are a query {only}"),
        ("no-such", r"no such file or image_id \([^;]*$"),
    ):
        with pytest.raises(ValueError, match=f"{query}: .*{why}"):
            workspace.search(query, by="features")
