"""No edit of the program is missed, whatever it leaves of sizes and times."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from driver.pipeline import digest_cache
from driver.pipeline.digest_cache import cached_digest

ROOTS = ("mapsight.a:one", "driver/b.py")


@pytest.fixture
def program(tmp_path, monkeypatch) -> Path:
    """A program of three files, which was written a while ago."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(digest_cache, "APPLICATION", str(tmp_path))
    monkeypatch.setattr(digest_cache, "LIBRARY", str(tmp_path / "mapsight"))
    monkeypatch.setattr(digest_cache, "SETTLED_SECONDS", -1.0)
    for name in ("mapsight/room/a.py", "driver/b.py", "mr_jobs/c.py", "models.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one = 1\n")
    return tmp_path


def digest(program: Path, value: str, roots: tuple[str, ...] = ROOTS) -> str:
    """Ask as a new process does."""
    digest_cache._program.cache_clear()
    return cached_digest(roots, [program / "models.toml"], lambda: value)


def same_size_and_time(path: Path) -> None:
    before = path.stat()
    path.write_text("one = 2\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(path: Path) -> None:
    other = path.with_suffix(".new")
    shutil.copy2(path, other)
    other.write_text("one = 3\n")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


EDITS = {
    "an edit": lambda path: path.write_text("one = 12\n"),
    "one that leaves size and mtime": same_size_and_time,
    "another file in its place": replaced,
    "a file that is gone": Path.unlink,
    "a new one beside it": lambda path: path.with_name("new.py").touch(),
    "a new folder": lambda path: (
        (path.parent / "new").mkdir() or (path.parent / "new/d.py").touch()
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("name", ["mapsight/room/a.py", "driver/b.py", "mr_jobs/c.py"])
def test_no_edit_is_missed(program, name, edit):
    assert (digest(program, "old"), digest(program, "unasked")) == ("old", "old")
    edit(program / name)
    assert (digest(program, "new"), digest(program, "unasked")) == ("new", "new")


def test_a_file_outside_of_the_packages_counts(program):
    digest(program, "old")
    same_size_and_time(program / "models.toml")
    assert digest(program, "new") == "new"
    (program / "models.toml").unlink()
    assert digest(program, "none") == "none"


def test_what_changed_a_moment_ago_is_computed_again(program, monkeypatch):
    monkeypatch.setattr(digest_cache, "SETTLED_SECONDS", 60.0)
    assert (digest(program, "one"), digest(program, "two")) == ("one", "two")


def test_an_edit_while_the_digest_is_computed_is_not_missed(program):
    def compute() -> str:
        same_size_and_time(program / "driver/b.py")
        return "of what was there before"

    assert cached_digest(ROOTS, [], compute) == "of what was there before"
    digest_cache._program.cache_clear()
    assert cached_digest(ROOTS, [], lambda: "new") == "new"


def test_each_root_has_a_digest_of_its_own(program):
    assert digest(program, "one") == "one"
    assert digest(program, "two", ("other",)) == "two"
    assert (digest(program, "?"), digest(program, "?", ("other",))) == ("one", "two")


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"a": 1}', b"\xff", b'{"a": {}}'])
def test_a_damaged_cache_is_made_again(program, content):
    digest(program, "old")
    (path,) = (program / "home/.cache/mapsight/digests").iterdir()
    path.write_bytes(content)
    assert (digest(program, "new"), digest(program, "unasked")) == ("new", "new")


def test_folders_that_are_links_are_not_relied_on(program):
    (program / "mapsight/linked").symlink_to(program)
    assert (digest(program, "one"), digest(program, "two")) == ("one", "two")


def test_without_a_folder_to_write_to_it_is_computed(program):
    (program / "home").write_text("a file")
    assert (digest(program, "one"), digest(program, "two")) == ("one", "two")
