"""Files and folders to be written are looked at before a command begins."""

from __future__ import annotations

import os
import tarfile
from argparse import Namespace
from functools import partial
from pathlib import Path

import pytest

from driver.commands import duplicates, report
from driver.commands.search import _check, is_answers
from driver.errors import UsageError
from driver.nodes.tree import archive, is_archive
from driver.output_files import check_file, check_folder
from driver.workspace.new_folder import new_folder


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "broken").symlink_to("nowhere")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder", "--out folder: is a folder; name a file"),
        (".", "--out .: is a folder"),
        ("none/x.csv", "--out none/x.csv: there is no folder "),
        ("file/x.csv", "--out file/x.csv: there is no folder "),
    ],
)
def test_a_file_that_cannot_be_written_is_refused(name, message):
    given = Namespace(out=name)
    for refuses in (lambda: check_file("--out", name, bool), lambda: duplicates.run(given)):
        with pytest.raises(UsageError) as caught:
            refuses()
        assert str(caught.value).startswith(message)
    asked = {"top_k": 1, "format": "html", "only_ids": False, "vector": None}
    with pytest.raises(UsageError, match="--out"):
        _check(Namespace(out=name, **asked))


@pytest.mark.parametrize("name", ["file", "file/x", "file/x/y", "broken", "broken/x"])
def test_a_folder_that_cannot_be_made_is_refused(name):
    with pytest.raises(UsageError, match=f"--out {name}: .* is no folder"):
        check_folder("--out", name)
    with pytest.raises(UsageError, match=f"--out {name}: "):
        report.run(Namespace(out=name, workspace="nowhere"))
    with pytest.raises(UsageError, match=f"--out {name}: "):
        new_folder("--out", name)


def test_where_nobody_may_write_that_is_said(monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # as root may write anywhere
    for check in (partial(check_file, is_ours=bool), check_folder):
        with pytest.raises(UsageError, match="cannot be written"):
            check("--out", "new")


@pytest.mark.parametrize("name", [None, "new", "folder/new", "file"])
def test_a_file_that_can_be_written_is_not(name):
    check_file("--out", name, bool)


@pytest.mark.parametrize("name", [None, "new", "new/below", "folder"])
def test_a_folder_that_can_be_made_is_not(name):
    check_folder("--out", name)


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        (is_answers, b'{"query": "x", "rank": 1, "image_id": "y"}\n'),
        (is_answers, "lion.jpg: Löwe\n  rank  image_id          score\n".encode()),
        (is_answers, b'<!doctype html>\n<html lang="en">\n<title>Search results</title>\n'),
        (lambda head: head.startswith(b"keeper,"), b"keeper,image_id,kind\n"),
    ],
)
def test_what_the_command_has_written_is_replaced_and_nothing_else(tmp_path, command, ours):
    path = tmp_path / "out"
    for data in (b"", ours):
        path.write_bytes(data)
        check_file("--out", str(path), command)
    for data in (b"my notes", b"\x1f\x8b", b'{"a": 1}', b"my rank\nand image_id"):
        path.write_bytes(data)
        with pytest.raises(UsageError, match="out: holds something else than what this command"):
            check_file("--out", str(path), command)


def test_an_archive_of_ours_is_known_from_others(tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.py").write_text("x = 1")
    archive(tmp_path / "tree", tmp_path / "ours.tar.gz")
    with tarfile.open(tmp_path / "mine.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "tree", "tree")
    found = [is_archive((tmp_path / f"{name}.tar.gz").read_bytes()) for name in ("ours", "mine")]
    assert found == [True, False] and not is_archive(b"") and not is_archive(b"text")
