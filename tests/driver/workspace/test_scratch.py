"""Folders for temporary files are private and new."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path

import pytest

from driver.errors import Failure
from driver.workspace.scratch import is_private, local_scratch, orphan_folders, remote_scratch
from driver.workspace.workspace import Workspace
from mapsight.files import locked, write_whole


@pytest.fixture(autouse=True)
def tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def made_beforehand(tmp: Path, how: str) -> Path:
    """What somebody else may have made under the name that was used once."""
    path, other = tmp / f"mapsight-{os.getuid()}", tmp / "other"
    other.mkdir()
    if how == "link":
        path.symlink_to(other)
    elif how == "file":
        path.write_text("")
    else:
        path.mkdir()
        path.chmod(0o777)
    return path


@pytest.mark.parametrize("how", ["open", "link", "file"])
def test_what_was_made_beforehand_is_not_used(tmp, how):
    path = made_beforehand(tmp, how)
    workspace = Workspace("memory://somewhere")
    folder = workspace.scratch
    assert path not in folder.parents and folder == workspace.scratch
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and is_private(folder)


def test_a_scratch_folder_is_gone_with_the_lock(tmp):
    workspace = Workspace("memory://elsewhere")
    with workspace.locked():
        (workspace.scratch / "file").write_text("x")
    assert list(tmp.iterdir()) == []


def test_only_own_private_folders_of_the_dead_are_removed(tmp):
    dead = remote_scratch("dead")
    holder = json.loads((dead / "owner.json").read_text())
    for name in ("mine", "open", "linked"):
        folder = tmp / f"mapsight-{os.getuid()}-{name}" if name != "linked" else tmp / "target"
        folder.mkdir(mode=0o700)
        (folder / "owner.json").write_text(json.dumps({**holder, "born": "1"}))
        folder.chmod(0o777 if name == "open" else 0o700)
    (tmp / f"mapsight-{os.getuid()}-linked").symlink_to(tmp / "target")
    with Workspace("memory://dead").locked():
        pass
    assert not (tmp / f"mapsight-{os.getuid()}-mine").exists()
    assert dead.exists() and (tmp / f"mapsight-{os.getuid()}-open" / "owner.json").exists()
    assert (tmp / "target" / "owner.json").exists()
    assert list(orphan_folders()) == [dead]


@pytest.mark.parametrize("how", ["link", "dangling", "file", "open"])
def test_a_local_scratch_folder_that_is_not_ours_alone_is_refused(tmp, how):
    base, other = tmp / "w" / ".tmp", tmp / "other"
    base.parent.mkdir()
    if how in ("link", "dangling"):
        base.symlink_to(other)
    if how == "link":
        other.mkdir()
    elif how == "file":
        base.write_text("mine")
    elif how == "open":
        base.mkdir()
        base.chmod(0o777)
    with pytest.raises(Failure, match=r"\.tmp: not used for temporary files"):
        local_scratch(base, "run")
    assert not (base / "run").exists()


def test_locks_and_files_of_the_model_cache_follow_no_link(tmp):
    mine = tmp / "mine"
    mine.write_text("mine")
    (tmp / "model.lock").symlink_to(mine)
    (tmp / f"model.{os.getpid()}.part").symlink_to(mine)
    with pytest.raises(OSError), locked(tmp / "model"):
        pass
    write_whole(tmp / "model", b"new")
    assert mine.read_text() == "mine" and (tmp / "model").read_bytes() == b"new"
