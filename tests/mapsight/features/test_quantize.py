"""int8 models: weights that keep their grid, biases corrected, a head in float32."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsight.features.convert import ensure_model
from mapsight.features.keras_build import made_up_crops
from mapsight.features.models.image_model import ImageModel
from mapsight.features.quantize import _File, _requantise, _scales, exact_step

GRIDS = st.tuples(
    st.floats(1e-4, 10), st.lists(st.integers(-120, 120), min_size=8, max_size=60, unique=True)
)


@given(GRIDS)
def test_weights_on_a_grid_are_kept_exactly(grid):
    step, whole = grid
    weights = np.float32(step) * np.array([[*whole, 1, -3, 5]], np.float32)
    scales = _scales(weights, 0)
    kept = np.rint(weights / scales[:, None]) * scales[:, None]
    assert np.abs(kept - weights).max() < 1e-3 * step


def test_weights_on_no_grid_have_none():
    assert exact_step(np.random.default_rng(0).normal(size=(3, 3, 64, 1))) is None
    assert exact_step(np.zeros((3, 3))) is None


def test_without_a_grid_the_largest_weight_of_a_channel_is_127():
    weights = np.random.default_rng(0).normal(size=(4, 1000))
    assert np.allclose(_scales(weights, 0) * 127, np.abs(weights).max(axis=1))


def test_a_channel_too_wide_for_its_grid_is_not_cut_off():
    weights = 0.1 * np.arange(-50, 201, dtype=np.float32)[None]
    assert _scales(weights, 0)[0] * 127 >= 20 - 0.06


@pytest.fixture(scope="module")
def int8_path(weights_dir, model_cache: Path) -> Path:
    """MobileNet 0.25/128 in int8, made without pictures in a cache of its own."""
    cache = model_cache / "int8"
    cache.mkdir(exist_ok=True)
    return ensure_model(0.25, 128, "int8", weights=str(weights_dir), cache=cache).path


def test_int8_agrees_with_float32_on_what_it_has_not_seen(int8_path, model_file):
    made_up = json.loads(int8_path.with_suffix(".json").read_text())["checks"]["made_up"]
    assert made_up["cosine_mean"] > 0.995
    assert ImageModel(int8_path).precision == "int8"


def test_probabilities_of_int8_are_not_in_steps(int8_path):
    (crop,) = made_up_crops(128, 1, seed=5)
    probabilities, _ = ImageModel(int8_path).predict(crop)
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert len(np.unique(probabilities)) > 500


def test_a_channel_without_weights_keeps_its_bias(int8_path):
    file = _File(int8_path.read_bytes())
    layer = file.layers[1]
    shape = file.array(layer.inputs[1]).shape
    bias = np.linspace(-3, 6, shape[-1])
    _requantise(file, layer, np.zeros(shape, np.float32), bias)
    scale = np.asarray(file.tensor(layer.inputs[2]).quantization.scale, float)
    assert np.allclose(file.array(layer.inputs[2]) * scale, bias, atol=1e-6)
