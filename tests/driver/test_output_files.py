"""Files and folders to be written are looked at before a command begins."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

import pytest

from driver.commands import duplicates, report
from driver.commands.export import _target
from driver.commands.search import _check
from driver.errors import UsageError
from driver.output_files import check_file, check_folder


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
    for refuses in (lambda: check_file("--out", name), lambda: duplicates.run(Namespace(out=name))):
        with pytest.raises(UsageError) as caught:
            refuses()
        assert str(caught.value).startswith(message)
    with pytest.raises(UsageError, match="--out"):
        _check(Namespace(top_k=1, format="html", out=name))


@pytest.mark.parametrize("name", ["file", "file/x", "file/x/y", "broken", "broken/x"])
def test_a_folder_that_cannot_be_made_is_refused(name):
    with pytest.raises(UsageError, match=f"--out {name}: .* is no folder"):
        check_folder("--out", name)
    with pytest.raises(UsageError, match=f"--out {name}: "):
        report.run(Namespace(out=name, workspace="nowhere"))
    with pytest.raises(UsageError, match=f"--out {name}: "):
        _target(name)


def test_where_nobody_may_write_that_is_said(monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # as root may write anywhere
    for check in (check_file, check_folder):
        with pytest.raises(UsageError, match="cannot be written"):
            check("--out", "new")


@pytest.mark.parametrize("name", [None, "new", "folder/new", "file"])
def test_a_file_that_can_be_written_is_not(name):
    check_file("--out", name)


@pytest.mark.parametrize("name", [None, "new", "new/below", "folder"])
def test_a_folder_that_can_be_made_is_not(name):
    check_folder("--out", name)
