"""Pictures and thumbnails over HTTP: small, as they are, and nothing that a browser would run."""

from __future__ import annotations

import io
import shutil
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from mapsight.features.decode import PictureError
from mapsight.features.thumbnail_process import Thumbnailer
from mapsight.features.thumbnails import thumbnail
from mapsight.serve.pictures import Cache, side_of, whole
from tests.support.pictures import encoded, scribble
from tests.support.served import running


def test_a_thumbnail_is_that_of_the_library(server, opened, ids):
    answer = server.get(f"pictures/{ids[0]}/thumbnail", side=64)
    assert answer.content == opened.thumbnail(ids[0], 64)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"].startswith("private")


def test_who_has_a_picture_gets_no_second_one(server, ids):
    for path in (f"pictures/{ids[0]}/thumbnail", f"pictures/{ids[0]}/image"):
        tag = server.get(path).headers["etag"]
        again = server.client.get(f"/api/v1/{path}", headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(("side", "step"), [(1, 64), (64, 64), (65, 96), (200, 240), (480, 480)])
def test_sides_are_of_a_few_steps(side, step):
    assert side_of(side) == step


@pytest.mark.parametrize("side", ["0", "481", "-1", "x", "1e2", "９"])
def test_other_sides_are_refused(server, ids, side):
    assert server.get(f"pictures/{ids[0]}/thumbnail", side=side).status_code == 400


def test_a_picture_is_served_as_it_is_with_the_type_of_its_bytes(server, opened, ids):
    for image_id, kind in ((ids[0], "image/png"), ("0000000000000100", "image/jpeg")):
        answer = server.get(f"pictures/{image_id}/image")
        assert answer.content == opened.picture(image_id)
        assert answer.headers["content-type"] == kind
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_browsers_do_not_show_is_drawn(server):
    answer = server.get("pictures/00000000000000ff/image")
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == (60, 40)


@pytest.mark.parametrize(
    "text", [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<!doctype html><script>", b"GIF", b""]
)
def test_what_has_become_of_a_picture_is_never_served(text):
    with Thumbnailer() as thumbnailer, pytest.raises(PictureError):
        whole(text, thumbnailer)


def test_a_picture_that_is_gone_is_a_404_that_says_so(served_once: Path, tmp_path: Path, ids):
    workspace = shutil.copytree(served_once / "workspace", tmp_path / "workspace")
    for path in (workspace / "ingest").rglob("*.parquet"):
        path.unlink()
    with running(workspace) as server:
        for what in ("image", "thumbnail"):
            answer = server.get(f"pictures/{ids[0]}/{what}")
            assert answer.status_code == 404 and "gone" in answer.json()["error"]


def test_thumbnails_come_from_a_process_of_their_own(bad_dir: Path):
    data = encoded(scribble(1), "JPEG")
    with Thumbnailer() as thumbnailer:
        assert thumbnailer.thumbnail(data, 96) == thumbnail(data, 96)
        with pytest.raises(PictureError, match="too_many_pixels"):
            thumbnailer.thumbnail((bad_dir / "bomb_rgb_20000x20000.png").read_bytes(), 96)
        assert thumbnailer.thumbnail(data, 64) == thumbnail(data, 64)
        assert thumbnailer.starts == 1


def test_the_cache_holds_no_more_bytes_than_it_may():
    counts = Counter[str]()
    cache = Cache(100, lambda name: counts.update([name]))
    for number in range(10):
        cache.get((str(number), 64), lambda: bytes(30))
    assert cache.bytes == 90
    cache.get(("9", 64), lambda: pytest.fail("it is held"))
    cache.get(("0", 64), lambda: bytes(200))
    assert cache.bytes <= 100 and counts == {"hits": 1, "misses": 11}
