"""HEIC and JPEG XL: what is said of them without their plugins, and how they are read with them."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from PIL import Image

from mapsight.features.decode import FORMATS, PictureError, decode
from mapsight.features.decoder_child import Decoded
from mapsight.features.decoder_process import Decoder
from mapsight.features.formats.plugins import CONTAINER, SIGNATURE, how_to_read, jxl_size

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
KINDS = [("HEIF", "heic"), ("JXL", "jxl")]


@pytest.fixture(params=KINDS, ids=str)
def kind(request) -> str:
    name = request.param[0]
    if name not in FORMATS:
        pytest.skip(f"no plugin for {name}")
    return name


def picture(width: int = 96, height: int = 64) -> Image.Image:
    """Quarters of four colours."""
    colours = np.array([[[220, 20, 20], [20, 200, 20]], [[20, 20, 210], [230, 220, 30]]], np.uint8)
    return Image.fromarray(colours.repeat(height // 2, 0).repeat(width // 2, 1))


def encoded(kind: str, image: Image.Image, **how) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def header(*fields: tuple[int, int]) -> bytes:
    """A codestream that begins with (value, bits)."""
    number, place = 0, 0
    for value, bits in fields:
        number |= value << place
        place += bits
    return SIGNATURE + number.to_bytes(20, "little")


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ([(1, 1), (31, 5), (0, 3), (0, 5)], (8, 256)),
        ([(1, 1), (7, 5), (3, 3)], (85, 64)),
        ([(0, 1), (0, 2), (499, 9), (1, 3)], (500, 500)),
        ([(0, 1), (1, 2), (4000, 13), (0, 3), (0, 2), (9, 9)], (10, 4001)),
        ([(0, 1), (3, 2), ((1 << 30) - 1, 30), (7, 3)], (1 << 31, 1 << 30)),
    ],
)
def test_the_size_of_a_jpeg_xl_is_read_from_its_header(fields, size):
    stream = header(*fields)
    boxed = CONTAINER + b"\0\0\0\x0cftypjxl " + b"\0\0\0\0jxlc" + stream
    parts = CONTAINER + b"\0\0\0\1free\0\0\0\0\0\0\0\x14abcd" + b"\0\0\0\x20jxlp\0\0\0\0" + stream
    assert jxl_size(stream) == jxl_size(boxed) == jxl_size(parts) == size


@pytest.mark.parametrize("data", [b"", SIGNATURE, CONTAINER, CONTAINER + bytes(40), HEIC])
def test_what_has_no_header_has_no_size(data):
    assert jxl_size(data) is None


@pytest.mark.parametrize(("name", "data"), [("HEIC", HEIC), ("JPEG XL", SIGNATURE + bytes(40))])
def test_without_a_plugin_the_format_is_named_and_what_to_install(name, data):
    if {"HEIC": "HEIF", "JPEG XL": "JXL"}[name] in FORMATS:
        pytest.skip("the plugin is there")
    with pytest.raises(PictureError) as caught:
        decode(data)
    assert (caught.value.code, caught.value.detail) == ("not_an_image", how_to_read(name))
    assert "pip install 'mapsight[formats]'" in caught.value.detail


def test_a_picture_is_what_was_written(kind):
    read = decode(encoded(kind, picture(), quality=95))
    assert (read.format, read.width, read.height) == (kind, 96, 64)
    difference = np.asarray(read.image).astype(int) - np.asarray(picture())
    assert np.abs(difference).mean() < 6


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_other_modes_are_read(kind, mode):
    read = decode(encoded(kind, picture().convert(mode), quality=95))
    wanted = np.asarray(picture().convert(mode).convert("RGB")).astype(int)
    assert np.abs(np.asarray(read.image) - wanted).mean() < 6


def test_a_turned_heic_is_upright():
    pytest.importorskip("pillow_heif")
    exif = Image.Exif()
    exif[0x0112] = 6
    read = decode(encoded("HEIF", picture(), quality=95, exif=exif.tobytes()))
    assert (read.width, read.height) == (64, 96)
    assert np.asarray(read.image)[5, 5].argmax() == 2  # the lower left comes to the upper left


def test_a_jpeg_in_a_jpeg_xl_is_turned_as_it_says(tmp_path):
    pytest.importorskip("pillow_jxl")
    exif = Image.Exif()
    exif[0x0112] = 6
    picture().save(tmp_path / "a.jpg", quality=95, exif=exif.tobytes())
    with Image.open(tmp_path / "a.jpg") as jpeg:
        jpeg.save(tmp_path / "a.jxl", lossless_jpeg=True)
    read = decode((tmp_path / "a.jxl").read_bytes())
    assert (read.width, read.height) == (64, 96)
    assert np.asarray(read.image)[5, 5].argmax() == 2


def test_too_large_a_picture_is_refused_by_its_header(kind):
    data = encoded(kind, picture(800, 600))
    for limit in ({"max_pixels": 1000}, {"max_memory": 1_000_000}):
        with pytest.raises(PictureError) as caught:
            decode(data, **limit)
        assert caught.value.code == "too_many_pixels"


def test_damage_is_an_error_in_the_sandbox_and_costs_nothing_more(kind):
    data, rng = encoded(kind, picture(), quality=95), random.Random(1)
    damaged = [data[: len(data) * n // 9] for n in range(1, 9)]
    for _ in range(20):
        place = rng.randrange(len(data))
        damaged.append(data[:place] + bytes([rng.randrange(256)]) + data[place + 1 :])
    with Decoder(32) as decoder:
        results = [
            result for _, result in decoder.decode_all((n, d) for n, d in enumerate(damaged))
        ]
        ((_, sound),) = decoder.decode_all([(0, data)])
    assert all(isinstance(one, (Decoded, PictureError)) for one in results)
    assert isinstance(sound, Decoded) and sound.fields["format"] == kind
