"""The folder that fetch fills, also when it is broken off in between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from driver.errors import Failure
from driver.sample import sample_folder as module
from driver.sample.sample_folder import FETCHING, SampleFolder
from driver.workspace.workspace import Workspace
from mapsight.inputs.fetch_shards import fetch_chunk
from mapsight.openimages.picture_store import Lost
from mapsight.openimages.sampling import id_of
from mapsight.web.url_state import Limits
from tests.support.loopback import reply, serving, stored
from tests.support.stage_documents import sound

PICTURE = b"\xff\xd8\xff" + bytes(range(256)) * 20
REQUEST = {
    "labels": {"/m/a": "A"},
    "subsets": ["test"],
    "per_label": 5,
    "with_negatives": False,
    "no_depictions": False,
    "metadata": {"x.csv": "1"},
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    workspace = Workspace(str(tmp_path / FETCHING))
    with workspace.locked():
        yield workspace


@pytest.fixture
def folder(workspace: Workspace, tmp_path: Path) -> SampleFolder:
    return SampleFolder(str(tmp_path), workspace)


def fetched(workspace: Workspace, **statuses: int) -> None:
    """Commit a stage that fetched chunks of three pictures, p1 with its status, others with 200."""
    shards = []
    for start in (0, 3, 6):
        ids = [id_of(n) for n in range(start, start + 3)]
        codes = {i: statuses.get(f"p{int(i, 16)}", 200) for i in ids}
        answers = {i: stored(PICTURE) if s == 200 else reply(status=s) for i, s in codes.items()}
        with serving(**answers) as url:
            rows = [{"url": f"{url}/{i}", "image_id": i, "subset": "test"} for i in ids]
            chunk = fetch_chunk(rows, workspace.uri("fetched"), start, Limits(0.5, 4, 4, True))
        uri = chunk.split.uri.removeprefix(workspace.uri("fetched") + "/")
        shards.append({**vars(chunk.split), "uri": uri})
    workspace.commit("fetch", sound("fetch", "f", [], notes={"shards": shards, "failed": 0}))


def state(folder: SampleFolder) -> tuple[list[int], list[str]]:
    """(the numbers that are stored, the ids that are missing)"""
    return sorted(folder.stored().tolist()), [lost.image_id for lost in folder.lost()]


def test_what_was_fetched_is_taken_over(folder, workspace):
    fetched(workspace, p1=404, p4=503)
    (later,) = folder.settle()
    assert (later.image_id, later.error) == (id_of(4), "url_failed")
    assert state(folder) == ([0, 2, 3, 5, 6, 7, 8], [id_of(1)])
    assert not workspace.fs.exists(workspace.path("fetched")) and folder.settle() == []


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_break_in_between_costs_nothing(folder, workspace, monkeypatch, after: int):
    fetched(workspace, p1=404)
    whole, moved = module.move_pictures, []

    def broken(*arguments: object) -> None:
        if len(moved) == after:
            raise KeyboardInterrupt
        moved.append(whole(*arguments))

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(module, "move_pictures", broken)
        folder.settle()
    folder.settle()
    assert state(folder) == ([0, 2, 3, 4, 5, 6, 7, 8], [id_of(1)])


def test_missing_pictures_add_up(folder):
    folder.add_lost([Lost("b", "test", "u", "url_gone", 'said "no", and left')])
    folder.add_lost([Lost("a", "train", "u", "empty", "")])
    folder.add_lost([Lost("b", "test", "u2", "url_gone", "again")])
    assert [(lost.image_id, lost.url) for lost in folder.lost()] == [("a", "u"), ("b", "u2")]


def test_nothing_at_all_is_taken_for_a_wrong_address(folder, workspace):
    fetched(workspace, **{f"p{n}": 404 for n in range(9)})
    with pytest.raises(Failure, match=r"9 of 9 could not be fetched; http.*: the server"):
        folder.settle()
    assert state(folder) == ([], []) and folder.settle() == []


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"per_label": 6},
        {"with_negatives": True},
        {"subsets": ["train", "test"]},
        {"labels": {"/m/a": "A", "/m/b": "B"}},
        {"metadata": {"x.csv": "1", "y.csv": "2"}},
    ],
)
def test_more_may_be_asked_for(folder, more: dict):
    folder.begin(REQUEST)
    folder.begin({**REQUEST, **more})


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"per_label": 4}, "it holds 5 pictures of a label"),
        ({"subsets": ["train"]}, "it holds test too"),
        ({"labels": {"/m/b": "B"}}, "it holds /m/a too"),
        ({"no_depictions": True}, "it was made without --no-depictions"),
        ({"metadata": {"x.csv": "2"}}, "x.csv has changed since it was made"),
    ],
)
def test_less_may_not(folder, other: dict, reason: str):
    folder.begin(REQUEST)
    with pytest.raises(Failure, match=f"{reason}; name another folder"):
        folder.begin({**REQUEST, **other})


def test_negatives_stay(folder):
    folder.begin({**REQUEST, "with_negatives": True})
    with pytest.raises(Failure, match="it was made --with-negatives"):
        folder.begin(REQUEST)


def test_a_damaged_record_is_named(folder, tmp_path: Path):
    (tmp_path / "fetch.json").write_text("{")
    with pytest.raises(Failure, match=r"fetch.json: is damaged \(.*\); name another"):
        folder.begin(REQUEST)


def test_pictures_of_others_are_left_alone(folder, tmp_path: Path):
    (tmp_path / "images").mkdir()
    with pytest.raises(Failure, match="its images/ is somebody else's; name another folder"):
        folder.begin(REQUEST)


@pytest.mark.parametrize("name", ["sample.csv", "urls.csv", "missing.csv", "x.csv", "fetch.json"])
def test_files_of_others_are_not_overwritten(folder, tmp_path: Path, name: str):
    (tmp_path / name).write_text('{"mine": 1}')
    with pytest.raises(Failure, match=f"{name}( was not written by|: is damaged .not what fetch)"):
        folder.begin(REQUEST)
    assert (tmp_path / name).read_text() == '{"mine": 1}'
