"""changes.json where a file is deleted before it is written anew, and its writer killed."""

from __future__ import annotations

import uuid
from dataclasses import asdict

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from driver.search.notices import changes_lines
from driver.workspace.changes import write_changes
from driver.workspace.workspace import Workspace
from driver.workspace.writable import RUNS
from mapsight.workspace.changes import Addition, Changes, Removals, read_changes
from mapsight.workspace.workspace import MARK
from tests.support.index_world import indexed
from tests.support.stage_documents import sound

OLD = Changes(2, (Addition(2, 9, "d", "b"),), Removals("removed/a.arrow", 1, "s", {"b": 1}))
NEW = OLD.with_addition(5, "e", "b")


class Killed(BaseException):
    pass


class Deleting(MemoryFileSystem):
    """Replaces a file as libhdfs and `hadoop fs` do; the writer dies at one of the steps."""

    cachable = False

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def _step(self) -> None:
        if not self.left:
            raise Killed
        self.left -= 1

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        self._step()
        if self.exists(path):
            super().rm_file(path)
            self._step()
        super().pipe_file(path, value, mode, **kwargs)

    def rm_file(self, path):
        self._step()
        super().rm_file(path)


@pytest.fixture
def workspace():
    """A remote workspace with OLD, and what OLD names."""
    found = Workspace(f"memory://{uuid.uuid4().hex}")
    found.claim()
    write_changes(found, OLD)
    for name in ("added/000002/rejected.csv", "removed/a.arrow"):
        found.write(b"x", *name.split("/"))
    yield found
    found.fs.rm(found.root, recursive=True)


@pytest.mark.parametrize("steps", range(6))
def test_a_kill_at_any_step_shows_the_old_changes_or_the_new(workspace, steps):
    writer = Workspace(workspace.location)
    writer.fs = Deleting(steps)
    try:
        write_changes(writer, NEW)
    except Killed:
        pass
    else:
        assert steps == 5 or read_changes(workspace) == NEW
    shown = read_changes(workspace)
    assert asdict(shown) in (asdict(OLD), asdict(NEW))
    with Workspace(workspace.location).locked():
        assert read_changes(workspace) == shown
    names = {name[len(workspace.root) + 1 :] for name in workspace.fs.find(workspace.root)}
    kept = {"changes.json", "added/000002/rejected.csv", "removed/a.arrow"}
    assert kept == names - {"lock.json", MARK, RUNS}


@pytest.mark.parametrize(("base", "told"), [("300 7 int16", 290), ("before it was built anew", 0)])
def test_status_counts_no_more_than_is_known(tmp_path, base, told):
    indexed(tmp_path)
    workspace = Workspace(str(tmp_path))
    write_changes(workspace, Changes(removals=Removals("removed/a", 10, "", {base: 10})))
    text = "\n".join(changes_lines(workspace))
    assert ("searches see 290 pictures" in text) == bool(told)
    assert "searches see 300" not in text and "10" in text


def test_status_tells_of_additions_that_a_run_without_an_index_has_left_out(workspace):
    nothing = sound("index", "f", [], notes={"digest": "nothing"})
    workspace.commit("index", nothing)
    write_changes(workspace, Changes(1, (Addition(1, 9, "d", "b"),)))
    lines = list(changes_lines(workspace))
    assert "left out, because the index was rebuilt since: 9 pictures in 1 addition" in lines[0]
    assert "searches see 0 pictures" in lines


def test_nothing_is_changed_where_nothing_was_written(tmp_path):
    assert read_changes(Workspace(f"memory://{uuid.uuid4().hex}")) == Changes()
    assert read_changes(Workspace(str(tmp_path / "nowhere"))) == Changes()
