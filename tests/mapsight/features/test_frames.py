"""How many frames pictures have, and which is taken, against what Pillow and tifffile wrote."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mapsight.features.decode import decode
from mapsight.features.formats.frames import gif_frames
from mapsight.features.measures import measure

COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (90, 90, 90)]


def animation(kind: str, count: int, **how) -> bytes:
    pictures = [Image.new("RGB", (40, 30), COLOURS[n]) for n in range(count)]
    file = io.BytesIO()
    pictures[0].save(file, kind, save_all=True, append_images=pictures[1:], **how)
    return file.getvalue()


def pages(*shapes: tuple[int, int], kinds: tuple[int, ...] = ()) -> bytes:
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for number, shape in enumerate(shapes):
            page = np.full((*shape, 3), 50 * number + 20, np.uint8)
            kind = kinds[number] if kinds else 0
            writer.write(page, photometric="rgb", subfiletype=kind, metadata=None)
    return file.getvalue()


def frames(data: bytes) -> tuple[int, int]:
    picture = decode(data)
    return picture.frames, picture.frame


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_frames_are_counted_and_the_first_is_taken(kind, count):
    data = animation(kind, count)
    assert frames(data) == (count, 1)
    middle = np.asarray(decode(data).image)[15, 20].astype(int)
    assert np.abs(middle - COLOURS[0]).max() < 20


def test_of_a_tiff_the_first_page_at_full_resolution_is_taken():
    data = pages((8, 8), (32, 40), (16, 20), kinds=(1, 0, 1))
    assert frames(data) == (3, 2) and decode(data).width == 40


def test_an_animated_gif_with_everything_that_blocks_can_have():
    data = animation("GIF", 3, duration=[10, 20, 30], loop=0, comment=b"c" * 600, disposal=2)
    assert gif_frames(data) == 3


@given(st.binary(max_size=200))
def test_no_bytes_are_too_odd(data):
    assert gif_frames(b"GIF89a" + data) >= 1


def test_a_gif_that_is_cut_off_has_the_frames_that_are_there():
    data = animation("GIF", 4)
    counts = [gif_frames(data[:size]) for size in range(13, len(data))]
    assert counts == sorted(counts) and (counts[0], counts[-1]) == (1, 4)


def test_only_pictures_of_several_frames_say_so():
    assert "frames" not in measure(decode(animation("GIF", 1)))
    fields = measure(decode(animation("GIF", 4)))
    assert (fields["frames"], fields["frame"]) == (4, 1)
