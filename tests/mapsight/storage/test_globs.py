"""Globs in folders whose own names have brackets, stars and question marks."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsight.inputs.find import InputError, find_inputs

FOLDERS = ("br [1]", "st*r", "wh?t", "a[b]c [d", "plain", "[]", "{x}", "br [1]/in [2]")


@pytest.fixture(autouse=True)
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in FOLDERS:
        (tmp_path / folder).mkdir()
        for name in ("a.jpg", "b[1].jpg", "c.png"):
            (tmp_path / folder / name).write_bytes(b"picture")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(typed: str) -> list[str]:
    return [one.source for one in find_inputs(typed)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_that_is_there_is_meant_by_its_name(folder, tmp_path):
    expected = [f"{folder}/a.jpg", f"{folder}/b[1].jpg"]
    assert found(f"{folder}/*.jpg") == expected
    assert found(f"./{folder}/*.jpg") == [f"./{one}" for one in expected]
    assert found(f"{tmp_path}/{folder}/*.jpg") == [f"{tmp_path}/{one}" for one in expected]


@pytest.mark.parametrize("folder", FOLDERS)
def test_inside_such_a_folder_sources_are_as_typed(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert found("*.jpg") == ["a.jpg", "b[1].jpg"]
    assert found("[ac].*") == ["a.jpg", "c.png"]
    assert found("**/a.jpg")[0] == "a.jpg"


def test_patterns_of_folders_are_patterns_still():
    assert found("pl[a-z]in/*.png") == ["plain/c.png"]
    assert found("p*/?.jpg") == ["plain/a.jpg"]
    assert found("br [1]/**/c.png") == ["br [1]/c.png", "br [1]/in [2]/c.png"]
    assert found("br [1]/*/c.png") == ["br [1]/in [2]/c.png"]


def test_brackets_of_file_names_are_letters_where_they_match_nothing_else():
    assert found("plain/b[1].jpg") == ["plain/b[1].jpg"]
    assert found("plain/b[1].j*") == ["plain/b[1].jpg"]


def test_what_matches_nothing_is_named_as_typed():
    with pytest.raises(InputError, match=r"br \[1\]/\*\.gif: matches no file"):
        found("br [1]/*.gif")
