"""mapsight.features.measures: against scipy, imagehash and cases done by hand."""

from __future__ import annotations

import base64
import math
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import ndimage, stats

from mapsight.features.decode import Picture, decode
from mapsight.features.measures import (
    WORKING_SIDE,
    aspect_ratio,
    detail,
    dhash,
    gradient_and_sharpness,
    grey_working,
    measure,
    pixels_per_inch,
    tile,
)
from mapsight.records import MEASURES
from tests.support.duplicate_records import scene
from tests.support.pictures import encoded, scribble

FLAT = np.full((9, 7), 200, np.uint8)
GREYS = [scribble(seed, 50, 40)[:, :, 0] for seed in range(3)] + [
    np.random.default_rng(0).integers(0, 256, (WORKING_SIDE, WORKING_SIDE), dtype=np.uint8)
]


def test_ppi_of_the_model_input_is_around_18():
    assert pixels_per_inch(224, 224) == pytest.approx(math.sqrt(224 * math.sqrt(2)))
    assert round(pixels_per_inch(224, 224), 2) == 17.80


def test_ppi_of_a_screen():
    assert pixels_per_inch(1920, 1080, 24) == pytest.approx(91.79, abs=0.01)


@pytest.mark.parametrize("values", [(0, 1), (1, -1), (math.nan, 1), (1, 1, 0), (1, 1, math.inf)])
def test_ppi_wants_positive_numbers(values: tuple):
    with pytest.raises(ValueError, match="expected a positive number"):
        pixels_per_inch(*values)


def test_aspect_ratio():
    assert aspect_ratio(400, 300) == 4 / 3
    with pytest.raises(ValueError, match="height 0"):
        aspect_ratio(4, 0)


def measured(image: Image.Image) -> dict:
    return measure(Picture(*image.size, "PNG", image.convert("RGB")))


def gradient(grey: np.ndarray) -> float:
    return gradient_and_sharpness(grey)[0]


def sharpness(grey: np.ndarray) -> float:
    return gradient_and_sharpness(grey)[1]


def test_flat_pictures_have_nothing():
    assert gradient_and_sharpness(FLAT) == (0, 0)
    assert measured(Image.new("L", (9, 7), 200))["entropy"] == 0


def test_entropy_by_hand():
    halves = Image.fromarray(np.repeat(np.array([[0, 255]], np.uint8), 128, axis=1).repeat(256, 0))
    assert measured(halves)["entropy"] == 1
    levels = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (256, 1)))
    assert measured(levels)["entropy"] == 8


@pytest.mark.parametrize("grey", GREYS)
def test_entropy_is_scipys(grey: np.ndarray):
    image = Image.fromarray(grey)
    counts = np.bincount(np.asarray(grey_working(image)).ravel(), minlength=256)
    assert measured(image)["entropy"] == round(stats.entropy(counts, base=2), 6)


def test_gradient_by_hand():
    assert gradient(np.tile(np.arange(10, dtype=np.uint8), (5, 1))) == 8
    steep = np.repeat(np.array([[0, 0, 255, 255]], np.uint8), 4, axis=0)
    assert gradient(steep) == 4 * 255


@pytest.mark.parametrize("grey", GREYS)
def test_gradient_is_scipys(grey: np.ndarray):
    level = grey.astype(float)
    size = np.hypot(ndimage.sobel(level, 0), ndimage.sobel(level, 1))[1:-1, 1:-1]
    assert gradient(grey) == pytest.approx(size.mean(), rel=1e-6)


def test_sharpness_by_hand():
    point = np.zeros((3, 4), np.uint8)
    point[1, 1] = 1  # Laplacian -4 there and 1 beside it
    assert sharpness(point) == 6.25


@pytest.mark.parametrize("grey", GREYS)
def test_sharpness_is_scipys(grey: np.ndarray):
    expected = ndimage.laplace(grey.astype(float))[1:-1, 1:-1].var()
    assert sharpness(grey) == pytest.approx(expected, rel=1e-12)


def test_blur_lowers_sharpness_and_gradient():
    sharp = GREYS[-1]
    soft = ndimage.gaussian_filter(sharp, 2)
    assert sharpness(soft) < sharpness(sharp) / 100
    assert gradient(soft) < gradient(sharp) / 2


@pytest.mark.parametrize("size", [(1, 1), (2, 8000), (256, 256), (500, 375)])
def test_working_picture_has_one_size(size: tuple):
    grey = np.asarray(grey_working(Image.new("RGB", size, (255, 0, 0))))
    assert (grey.shape, grey.dtype) == ((256, 256), np.uint8)
    assert set(grey.ravel()) == {76}


def test_enlarging_adds_no_edges():
    tiny = Image.fromarray(scribble(1, 64, 64))
    assert sharpness(np.asarray(grey_working(tiny))) < sharpness(np.asarray(tiny.convert("L")))


@pytest.mark.parametrize("size", [(1, 1), (9, 8), (60, 40), (143, 127)])
def test_dhash_of_small_pictures_is_imagehashs(size: tuple):
    for seed in range(5):
        image = Image.fromarray(scribble(seed, *size))
        assert dhash(image) == dhash(image.convert("L")) == str(imagehash.dhash(image))


def test_dhash_of_a_large_picture_is_imagehashs_of_its_averages():
    image = Image.fromarray(scribble(3, 720, 640)).convert("L")
    boxes = np.asarray(image, float).reshape(64, 10, 72, 10).mean((1, 3))
    averages = Image.fromarray((boxes + 0.5).astype(np.uint8))
    assert dhash(image) == str(imagehash.dhash(averages))


@pytest.mark.parametrize("size", [(701, 333), (3, 900)])
def test_dhash_counts_what_whole_boxes_leave_over(size: tuple):
    image = Image.fromarray(scribble(1, *size)).convert("L")
    width, height = (max(1, side // (8 * n)) for side, n in zip(size, (9, 8), strict=True))
    box = (0, 0, size[0] / width, size[1] / height)
    tiny = image.reduce((width, height)).resize((9, 8), Image.Resampling.LANCZOS, box)
    assert dhash(image) == str(imagehash.dhash(tiny))


def test_dhash_of_sample_pictures_is_nearly_imagehashs(openimages_dir: Path):
    paths = sorted((openimages_dir / "images").iterdir())[:20]
    images = [decode(path.read_bytes()).image for path in paths]
    bits = [imagehash.hex_to_hash(dhash(image)) - imagehash.dhash(image) for image in images]
    assert max(bits) <= 3
    assert np.mean(bits) < 0.6


def test_measure_names_every_field():
    found = measure(decode(encoded(scribble(2, 60, 40))))
    assert set(MEASURES) - {"bytes", "quality"} < set(found)
    assert (found["width"], found["height"], found["pixels"]) == (60, 40, 2400)
    assert (found["aspect"], found["format"]) == (1.5, "PNG")
    assert found["ppi"] == round(math.sqrt(math.hypot(60, 40)), 6)


def test_measures_hardly_depend_on_scaled_decoding(openimages_dir: Path):
    path = openimages_dir / "images" / "00966a975d566c45.jpg"
    large = Image.open(path).convert("RGB").resize((2400, 2000), Image.Resampling.BICUBIC)
    data = encoded(np.asarray(large), "JPEG", quality=90)
    scaled, full = measure(decode(data)), measure(decode(data, working_side=2400))
    for name in ("entropy", "gradient", "sharpness"):
        assert scaled[name] == pytest.approx(full[name], rel=0.03)


@pytest.mark.parametrize("shape", [(3, 3), (40, 7), (33, 50), (128, 128)])
def test_detail_is_the_squared_laplacian_of_every_fourth_row(shape: tuple):
    grey = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    rows = ndimage.laplace(grey.astype(float))[1:-1:4, 1:-1]
    assert detail(grey) == 4 * (rows**2).sum()


@pytest.mark.parametrize("shape", [(1, 1), (2, 90), (90, 2)])
def test_what_is_too_small_has_no_detail(shape: tuple):
    assert detail(np.full(shape, 9, np.uint8)) == 0


def test_worse_copies_have_less_detail():
    levels = np.rint(scene(np.random.default_rng(2))).clip(0, 255).astype(np.uint8)
    picture = Image.fromarray(levels)
    copies = [picture.resize((side, side), Image.Resampling.BICUBIC) for side in (32, 96, 128)]
    copies.append(picture.filter(ImageFilter.GaussianBlur(1)))
    assert all(detail(np.asarray(copy)) < detail(np.asarray(picture)) for copy in copies)


def test_a_tile_has_the_means_of_eight_by_eight_pixels_row_by_row():
    working = Image.fromarray(np.random.default_rng(3).integers(0, 256, (256, 256), np.uint8))
    means = np.asarray(working, float).reshape(32, 8, 32, 8).mean(axis=(1, 3))
    levels = np.frombuffer(base64.b64decode(tile(working)), np.uint8).reshape(32, 32)
    assert abs(levels - means).max() <= 0.5
