"""Folders are listed several at a time, and what is found is as if it were one by one."""

from __future__ import annotations

import threading
import time

import pytest

from mapsight.inputs.find import find_inputs
from mapsight.storage import folder_listings
from mapsight.storage.folder_listings import AT_ONCE, Listings


class Slow:
    """A file system whose listings take a while; of folder `7` there is none."""

    def __init__(self) -> None:
        self.lock, self.now, self.most, self.begun = threading.Lock(), 0, 0, 0

    def ls(self, folder: str, detail: bool) -> list[dict[str, str]]:
        with self.lock:
            self.now, self.begun = self.now + 1, self.begun + 1
            self.most = max(self.most, self.now)
        time.sleep(0.02)
        with self.lock:
            self.now -= 1
        if folder == "7":
            raise PermissionError(folder)
        return [{"name": f"{folder}/a", "type": "file"}]


def test_folders_come_in_their_order_and_are_listed_at_once():
    slow, names = Slow(), [str(n) for n in range(100, 140)]
    with Listings(slow) as listed:
        turns = [(name, listed.of(name)[0]["name"]) for name in listed.in_turn(names)]
    assert turns == [(name, f"{name}/a") for name in names]
    assert 1 < slow.most <= AT_ONCE and slow.begun == len(names)


def test_no_more_folders_are_listed_than_are_held():
    slow = Slow()
    with Listings(slow) as listed:
        next(listed.in_turn(map(str, range(100))))
    assert slow.begun <= AT_ONCE


def test_a_file_system_says_how_many_it_bears():
    slow = Slow()
    slow.lists_at_once = 2  # type: ignore[attr-defined]
    with Listings(slow) as listed:
        for name in listed.in_turn(map(str, range(100, 110))):
            listed.of(name)
    assert slow.most == 2


def test_a_folder_that_cannot_be_listed_is_an_error_in_its_turn():
    with Listings(Slow()) as listed:
        turns = listed.in_turn(map(str, range(6, 9)))
        listed.of(next(turns))
        with pytest.raises(PermissionError):
            listed.of(next(turns))
        assert listed.of(next(turns)) == [{"name": "8/a", "type": "file"}]


def test_what_is_found_does_not_depend_on_how_many_are_listed(tmp_path, monkeypatch):
    for name in (
        "b/2/y.jpg",
        "b/10/x.jpg",
        "a.jpg",
        "c/z.jpg",
        "b/m.png",
        ".no/k.jpg",
        "d/e/f/g.jpg",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    (tmp_path / "d/empty").mkdir()
    (tmp_path / "e").symlink_to("b")
    at_once = [*find_inputs(str(tmp_path))]
    monkeypatch.setattr(folder_listings, "AT_ONCE", 1)
    assert [*find_inputs(str(tmp_path))] == at_once
    names = [found.source[len(str(tmp_path)) + 1 :] for found in at_once]
    assert names == ["a.jpg", "b/10/x.jpg", "b/2/y.jpg", "b/m.png", "c/z.jpg", "d/e/f/g.jpg"]
