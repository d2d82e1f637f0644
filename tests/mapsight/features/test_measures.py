"""mapsight.features.measures: against scipy, imagehash and cases done by hand."""

from __future__ import annotations

import math
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage, stats

from mapsight.features.decode import decode
from mapsight.features.measures import (
    WORKING_SIDE,
    aspect_ratio,
    dhash,
    entropy,
    gradient,
    grey_working,
    measure,
    pixels_per_inch,
    sharpness,
)
from mapsight.records import MEASURES
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


@pytest.mark.parametrize("function", [entropy, gradient, sharpness])
def test_flat_pictures_have_nothing(function):
    assert function(FLAT) == 0


def test_entropy_by_hand():
    assert entropy(np.array([[0, 255]], np.uint8)) == 1
    assert entropy(np.arange(256, dtype=np.uint8).reshape(16, 16)) == 8


@pytest.mark.parametrize("grey", GREYS)
def test_entropy_is_scipys(grey: np.ndarray):
    counts = np.bincount(grey.ravel(), minlength=256)
    assert entropy(grey) == pytest.approx(stats.entropy(counts, base=2), abs=1e-12)


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
    grey = grey_working(Image.new("RGB", size, (255, 0, 0)))
    assert (grey.shape, grey.dtype) == ((256, 256), np.uint8)
    assert set(grey.ravel()) == {76}


def test_enlarging_adds_no_edges():
    tiny = Image.fromarray(scribble(1, 64, 64))
    assert sharpness(grey_working(tiny)) < sharpness(np.asarray(tiny.convert("L")))


@pytest.mark.parametrize("size", [(1, 1), (9, 8), (60, 40), (701, 333), (3, 900)])
def test_dhash_is_imagehashs(size: tuple):
    for seed in range(5):
        image = Image.fromarray(scribble(seed, *size))
        assert dhash(image) == dhash(image.convert("L")) == str(imagehash.dhash(image))


def test_dhash_of_sample_pictures(openimages_dir: Path):
    for path in sorted((openimages_dir / "images").iterdir())[:20]:
        image = decode(path.read_bytes()).image
        assert dhash(image) == str(imagehash.dhash(image))


def test_measure_names_every_field():
    found = measure(decode(encoded(scribble(2, 60, 40))))
    assert set(MEASURES) - {"bytes"} < set(found)
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
