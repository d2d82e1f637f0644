from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mapsight.inputs.fetch_shards import fetch_chunk
from mapsight.openimages.picture_store import lost_in, move_pictures, stored_ids
from mapsight.openimages.sampling import id_of
from mapsight.records import Split
from mapsight.web.url_state import Limits
from tests.support.loopback import reply, serving, stored

PICTURE = b"\xff\xd8\xff" + bytes(range(256)) * 20
IDS = [f"{n:016x}" for n in (5, 3, 9, 7)]


def fetched(tmp_path: Path, *missing: str) -> Split:
    """A fetched shard of four pictures, some of which are missing."""
    answers = {i: reply(status=404) if i in missing else stored(PICTURE + i.encode()) for i in IDS}
    with serving(**answers) as url:
        rows = [
            {"url": f"{url}/{i}", "image_id": i, "author": "J. Doe", "subset": "test"} for i in IDS
        ]
        return fetch_chunk(rows, str(tmp_path / "store"), 0, Limits(9, 4, 4, True)).split


def pictures(folder: Path) -> dict[str, bytes]:
    rows = [row for path in sorted(folder.iterdir()) for row in pq.read_table(path).to_pylist()]
    assert all(
        (row["error"], row["author"], row["subset"]) == (None, "J. Doe", "test") for row in rows
    )
    return {row["image_id"]: row["image"] for row in rows}


@pytest.mark.parametrize("missing", [[], IDS[:1], IDS[1:3], IDS[:3]])
def test_pictures_are_moved_and_nothing_else(tmp_path: Path, missing: list[str]):
    split = fetched(tmp_path, *missing)
    move_pictures(split, len(missing), str(tmp_path / "images"))
    expected = {i: PICTURE + i.encode() for i in IDS if i not in missing}
    assert pictures(tmp_path / "images") == expected
    assert {id_of(n) for n in stored_ids(str(tmp_path / "images"))} == set(expected)


def test_a_shard_without_pictures_leaves_nothing(tmp_path: Path):
    move_pictures(fetched(tmp_path, *IDS), 4, str(tmp_path / "images"))
    assert not (tmp_path / "images").exists()
    assert len(stored_ids(str(tmp_path / "images"))) == 0


def test_the_rows_without_a_picture_are_told(tmp_path: Path):
    (lost,) = lost_in(fetched(tmp_path, IDS[1]).uri)
    assert lost == replace(lost, image_id=IDS[1], subset="test", error="url_gone")
    assert lost.detail == "the server answered 404" and lost.url.endswith(f"/{IDS[1]}")


@pytest.mark.parametrize("missing", [[], IDS[:1]])
def test_moving_again_changes_nothing(tmp_path: Path, missing: list[str]):
    split, folder = fetched(tmp_path, *missing), tmp_path / "images"
    copy = Path(split.uri).read_bytes()
    move_pictures(split, len(missing), str(folder))
    before = [path.name for path in folder.iterdir()]
    Path(split.uri).write_bytes(copy)
    move_pictures(split, len(missing), str(folder))
    assert [path.name for path in folder.iterdir()] == before and len(before) == 1


def test_a_damaged_shard_is_named(tmp_path: Path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(ValueError, match=r"a.parquet: cannot be read \(.*\); remove it"):
        stored_ids(str(tmp_path))
