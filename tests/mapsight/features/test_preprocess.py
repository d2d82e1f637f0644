"""mapsight.features.preprocess: what the model sees."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mapsight.features.preprocess import central_crop, to_model_input, to_rgb
from tests.support.pictures import scribble


@pytest.mark.parametrize("size", [(1, 1), (2, 8000), (8000, 2), (224, 224), (640, 480)])
@pytest.mark.parametrize("side", [128, 224])
def test_crop_has_one_size(size: tuple, side: int):
    crop = central_crop(Image.new("RGB", size, (1, 2, 3)), side)
    assert (crop.shape, crop.dtype) == ((side, side, 3), np.uint8)
    assert (crop == (1, 2, 3)).all()


def test_crop_is_the_central_square():
    array = scribble(1, 300, 256)
    crop = central_crop(Image.fromarray(array), 224)
    np.testing.assert_array_equal(crop, array[16:240, 38:262])


def test_crop_is_close_to_resizing_first():
    image = Image.fromarray(scribble(2, 640, 512))
    first = np.asarray(image.resize((320, 256), Image.Resampling.HAMMING))[16:240, 48:272]
    assert np.abs(central_crop(image, 224).astype(int) - first).max() <= 1


def test_crop_wants_a_side():
    with pytest.raises(ValueError, match="side 0"):
        central_crop(Image.new("RGB", (2, 2)), 0)


def test_model_input_by_hand():
    found = to_model_input(np.array([[[0, 255, 51]]], np.uint8))
    np.testing.assert_array_equal(found, np.array([[[[-1, 1, -0.6]]]], np.float32))
    assert found.dtype == np.float32


@pytest.mark.whole
def test_model_input_is_keras():
    from tensorflow.keras.applications.mobilenet import preprocess_input

    crop = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    np.testing.assert_array_equal(
        to_model_input(crop)[0], preprocess_input(crop.astype(np.float32))
    )


def test_rgb_that_needs_nothing_is_not_copied():
    image = Image.fromarray(scribble(3))
    assert to_rgb(image) is image


@pytest.mark.parametrize("size", [(1500, 1000), (999, 1001), (2, 400_000)])
def test_bands_do_not_show(size: tuple):
    image = Image.fromarray(scribble(4, *size)).convert("L")
    expected = image.convert("RGB").reduce(2)
    np.testing.assert_array_equal(np.asarray(to_rgb(image, 2)), np.asarray(expected))
