"""mapsight.features.decode: every file gets a picture or a code, in bounded memory."""

from __future__ import annotations

import csv
import io
import random
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps, features

from mapsight.features.decode import FORMATS, MAX_PIXELS, Picture, PictureError, decode
from mapsight.records import ERROR_CODES
from tests.support.paths import ROOT
from tests.support.pictures import encoded, scribble

AVIF = pytest.param("AVIF", marks=pytest.mark.skipif(not features.check("avif"), reason="none"))
LOSSLESS = ["PNG", "BMP", "TIFF", "PPM"]
LOSSY = ["JPEG", "WEBP", "JPEG2000", AVIF]


def saved(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def code_of(data: bytes, **options) -> str:
    with pytest.raises(PictureError) as caught:
        decode(data, **options)
    assert caught.value.code in ERROR_CODES
    return caught.value.code


def colours(data: bytes) -> np.ndarray:
    return np.asarray(decode(data).image)


def test_every_bad_file_gets_what_is_expected(bad_dir: Path):
    rows = list(csv.DictReader((bad_dir / "expectations.csv").open(encoding="utf-8")))
    assert len(rows) == 43
    wrong = [row["file"] for row in rows if not as_expected(bad_dir / row["file"], row["expect"])]
    assert wrong == []


def as_expected(path: Path, expect: str) -> bool:
    try:
        outcome = "ok" if isinstance(decode(path.read_bytes()), Picture) else "?"
    except PictureError as error:
        outcome = "error" if error.code in ERROR_CODES else "?"
    allowed = {"ok": {"ok"}, "error": {"error"}, "error (decompression bomb)": {"error"}}
    return outcome in allowed.get(expect, {"ok", "error"})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("zero_bytes.jpg", "empty"),
        ("one_byte.jpg", "not_an_image"),
        ("html_named.jpg", "not_an_image"),
        ("random.jpg", "not_an_image"),
        ("truncated_half.jpg", "truncated"),
        ("truncated_header.jpg", "truncated"),
        ("png_bad_crc.png", "corrupt"),
        ("bomb_1bit_20000x20000.png", "too_many_pixels"),
        ("bomb_rgb_20000x20000.png", "too_many_pixels"),
    ],
)
def test_codes_of_bad_files(bad_dir: Path, name: str, code: str):
    assert code_of((bad_dir / name).read_bytes()) == code


@pytest.mark.parametrize("kind", LOSSLESS)
def test_lossless_formats_keep_every_pixel(kind: str):
    array = scribble(1)
    np.testing.assert_array_equal(colours(encoded(array, kind)), array)


@pytest.mark.parametrize("kind", LOSSY)
def test_lossy_formats_are_close(kind: str):
    array = scribble(2)
    picture = decode(encoded(array, kind))
    assert (picture.width, picture.height, picture.format) == (60, 40, kind)
    assert np.abs(np.asarray(picture.image).astype(int) - array).mean() < 6


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "TIFF", "PNG"])
def test_first_frame_of_several(kind: str):
    red, blue = Image.new("RGB", (20, 10), "red"), Image.new("RGB", (20, 10), "blue")
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(red, kind, save_all=True, append_images=[blue], **options)
    assert set(map(tuple, colours(data).reshape(-1, 3))) == {(255, 0, 0)}


def test_phone_jpeg_with_a_second_picture_is_a_jpeg():
    image = Image.fromarray(scribble(3, 1600, 1200))
    picture = decode(saved(image, "MPO", save_all=True, append_images=[image]))
    assert (picture.format, picture.image.size) == ("JPEG", (800, 600))


@pytest.mark.parametrize("turn", range(1, 10))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_orientation_is_applied(kind: str, turn: int):
    image, exif = Image.fromarray(scribble(4)), Image.Exif()
    exif[0x0112] = turn
    data = saved(image, kind, exif=exif)
    picture = decode(data)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(np.asarray(picture.image), np.asarray(expected))
    assert (picture.width, picture.height) == expected.size


def test_orientation_of_a_reduced_jpeg():
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = decode(saved(Image.fromarray(scribble(5, 1600, 1200)), "JPEG", exif=exif))
    assert (picture.width, picture.height, picture.image.size) == (1200, 1600, (600, 800))


def test_damaged_exif_is_ignored():
    data = saved(Image.fromarray(scribble(5)), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert decode(data).width == 60


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P"])
def test_transparent_becomes_white(mode: str):
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 4, 8))
    array = colours(saved(image.convert(mode)))
    assert (array[:, :4] == 0).all()
    assert (array[:, 4:] == 255).all()


def test_transparent_colour_becomes_white():
    array = colours(saved(Image.new("RGB", (4, 4), (9, 8, 7)), transparency=(9, 8, 7)))
    assert (array == 255).all()


def test_sixteen_bit_grey_is_scaled():
    levels = np.array([[0, 257 * 100, 65535]], np.uint16)
    np.testing.assert_array_equal(colours(encoded(levels))[0, :, 0], [0, 100, 255])


@pytest.mark.parametrize(
    ("levels", "dtype", "expected"),
    [
        ([0, 0.2, 1], np.float32, [0, 51, 255]),
        ([0, 51, 255], np.float32, [0, 51, 255]),
        ([-10, 0, 10], np.float32, [0, 128, 255]),
        ([0, 25700, 65535], np.int32, [0, 100, 255]),
        ([np.nan, 1, 0], np.float32, [0, 255, 0]),
    ],
)
def test_deep_tiff_is_scaled(levels: list, dtype: type, expected: list):
    data = encoded(np.array([levels], dtype), "TIFF")
    np.testing.assert_array_equal(colours(data)[0, :, 0], expected)


def test_cmyk():
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    assert np.abs(colours(saved(cmyk, "JPEG"))[0, 0].astype(int) - (255, 0, 0)).max() < 6


def test_one_bit():
    image = Image.fromarray(np.eye(8, dtype=bool))
    np.testing.assert_array_equal(colours(saved(image))[:, :, 1], np.eye(8) * 255)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA"])
def test_large_pictures_are_averaged_down(mode: str):
    image = Image.fromarray(scribble(6, 2100, 1600)).convert(mode)
    picture = decode(saved(image))
    flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    assert (picture.width, picture.height, picture.image.size) == (2100, 1600, (700, 534))
    np.testing.assert_array_equal(
        np.asarray(picture.image), np.asarray(flat.convert("RGB").reduce(3))
    )


@pytest.mark.parametrize(("width", "small"), [(1023, 1023), (1024, 512), (3000, 750)])
def test_jpeg_is_scaled_while_decoding(width: int, small: int):
    data = encoded(scribble(7, width, width), "JPEG")
    assert decode(data).image.size == (small, small)
    assert decode(data, working_side=10_000).image.size == (width, width)


def test_limits():
    data = encoded(scribble(8, 100, 100))
    assert code_of(data, max_pixels=9_999) == "too_many_pixels"
    assert code_of(data, max_memory=120_000 + len(data) - 1) == "too_many_pixels"
    assert decode(data, max_memory=120_000 + len(data)).width == 100
    assert decode(data, max_pixels=10_000).width == 100


def test_coefficients_count_where_libjpeg_keeps_them():
    array = scribble(9, 2048, 2048)
    assert decode(encoded(array, "JPEG"), max_memory=5_000_000).image.width == 512
    assert code_of(encoded(array, "JPEG", progressive=True), max_memory=5_000_000)


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"<?xml version='1.0'?><svg xmlns=''/>", "SVG"),
        (b"%PDF-1.7", "PDF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "PostScript"),
        (b"\0\0\0\x18ftypheic\0\0", "HEIC"),
        ("Größe 1".encode(), "text"),
        (bytes(range(256)), "no known format"),
    ],
)
def test_what_is_no_picture_is_named(data: bytes, detail: str):
    with pytest.raises(PictureError, match=f"not_an_image: looks like {detail}"):
        decode(data)


def test_no_helper_program_is_ever_run():
    assert set(FORMATS) <= {*LOSSLESS, "JPEG", "WEBP", "JPEG2000", "AVIF", "GIF"}


@pytest.mark.parametrize("side", [14_200, 20_100])
def test_over_the_limit_is_an_error_never_a_warning(side: int):
    assert Image.MAX_IMAGE_PIXELS == MAX_PIXELS
    header = b"P5 %d %d 255 " % (side, side)
    with warnings.catch_warnings(record=True) as shown:
        assert code_of(header) == "too_many_pixels"
    assert shown == []


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "BMP", "PPM", *LOSSY])
def test_mutants_give_a_picture_or_a_picture_error(kind: str):
    rng, whole = random.Random(kind), encoded(scribble(10), kind)
    for _ in range(150):
        data = bytearray(whole[: rng.choice([len(whole), rng.randrange(len(whole))])])
        for _ in range(rng.randrange(8) if data else 0):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            assert decode(bytes(data)).image.mode == "RGB"
        except PictureError as error:
            assert error.code in ERROR_CODES


PEAK = """
import re, sys
from mapsight.features.decode import PictureError, decode
data = open(sys.argv[1], "rb").read()
try:
    decode(data)
    print("ok", end=" ")
except PictureError as error:
    print(error.code, end=" ")
# not ru_maxrss, which a process inherits from the one that started it
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


def peak(path: Path) -> tuple[str, int]:
    """The outcome and the peak of a fresh process, in MiB."""
    root = ROOT
    done = subprocess.run(
        [sys.executable, "-c", PEAK, path], cwd=root, check=True, capture_output=True, text=True
    )
    outcome, mebibytes = done.stdout.split()
    return outcome, int(mebibytes)


@pytest.mark.whole
@pytest.mark.parametrize(
    ("kind", "size", "options", "outcome"),
    [
        ("JPEG", (10000, 6000), {}, "ok"),
        ("JPEG", (8000, 5000), {"progressive": True, "subsampling": 0}, "ok"),
        ("JPEG", (10000, 10000), {"progressive": True}, "too_many_pixels"),
        ("PNG", (8000, 8000), {"compress_level": 1}, "ok"),
        ("PNG", (9000, 9000), {"compress_level": 1}, "too_many_pixels"),
        ("PNG", (1023, 19000), {"compress_level": 1}, "ok"),
        ("BMP", (8000, 8000), {}, "too_many_pixels"),
    ],
)
def test_peak_memory(tmp_path: Path, kind: str, size: tuple, options: dict, outcome: str):
    mode = "RGBA" if kind == "PNG" else "RGB"
    Image.new(mode, size, "teal").save(tmp_path / "large", kind, **options)
    found, mebibytes = peak(tmp_path / "large")
    assert found == outcome
    assert mebibytes < 400


def test_peak_memory_of_bad_files(bad_dir: Path):
    found = {path.name: peak(path) for path in bad_dir.glob("bomb_*_20000x20000.png")}
    assert {outcome for outcome, _ in found.values()} == {"too_many_pixels"}
    assert max(mebibytes for _, mebibytes in found.values()) < 60
    assert peak(bad_dir / "bomb_warn_12000x9000.png")[1] < 400
