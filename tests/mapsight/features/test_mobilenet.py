"""MobileNet in LiteRT: the numbers of Keras, or a refusal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mapsight.features.engines import KerasMobileNet, load_model
from mapsight.features.keras_build import crops_of, made_up_crops, pictures_in
from mapsight.features.mobilenet import top5, wnids
from mapsight.features.models.image_model import ImageModel
from mapsight.files import AlteredError


@pytest.fixture(scope="module")
def lite(model_file) -> ImageModel:
    return load_model("litert", model_file.path, model_file.sha256)


@pytest.fixture(scope="module")
def keras(weights_dir: Path) -> KerasMobileNet:
    path = weights_dir / "mobilenet_v1_0.25_128_deq.weights.h5"
    return load_model("keras", path, alpha=0.25, resolution=128)


def test_sizes(lite: ImageModel, keras: KerasMobileNet):
    assert (lite.resolution, lite.embedding_size) == (128, 256)
    assert (keras.resolution, keras.embedding_size) == (128, 256)


def test_shapes_and_types(lite: ImageModel):
    probabilities, embedding = lite.predict(next(made_up_crops(128, 1)))
    assert (probabilities.shape, probabilities.dtype) == ((1000,), np.float32)
    assert (embedding.shape, embedding.dtype) == ((256,), np.float32)
    assert abs(probabilities.sum() - 1) < 1e-5
    assert embedding.min() >= 0


def test_engines_agree_on_made_up_pictures(lite: ImageModel, keras: KerasMobileNet):
    for crop in made_up_crops(128, 8, seed=5):
        for ours, theirs in zip(lite.predict(crop), keras.predict(crop), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4, rtol=0)


def test_engines_agree_on_photographs(lite, keras, openimages_dir: Path):
    for crop in crops_of(pictures_in(openimages_dir / "images", 20), 128):
        for ours, theirs in zip(lite.predict(crop), keras.predict(crop), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4, rtol=0)


def test_results_outlive_the_next_call(lite: ImageModel):
    first, second = made_up_crops(128, 2)
    kept = lite.predict(first)
    copies = [array.copy() for array in kept]
    lite.predict(second)
    assert all(np.array_equal(a, b) for a, b in zip(kept, copies, strict=True))


def test_same_crop_same_bytes(lite: ImageModel, model_file):
    crop = next(made_up_crops(128, 1, seed=9))
    again = ImageModel(model_file.path)
    for a, b in zip(lite.predict(crop), again.predict(crop), strict=True):
        assert a.tobytes() == b.tobytes()


def test_an_altered_file_is_refused(model_file, tmp_path: Path):
    altered = tmp_path / "model.tflite"
    content = bytearray(model_file.path.read_bytes())
    content[1_000_000] ^= 1
    altered.write_bytes(content)
    with pytest.raises(AlteredError, match=rf"{altered} is altered: .* {model_file.sha256}"):
        ImageModel(altered, model_file.sha256)


@pytest.mark.parametrize(
    "crop", [np.zeros((127, 128, 3), np.uint8), np.zeros((128, 128, 3), np.float32)]
)
def test_other_crops_are_refused(lite: ImageModel, crop: np.ndarray):
    with pytest.raises(ValueError, match=r"expected \(128, 128, 3\), uint8"):
        lite.predict(crop)


def test_unknown_engine_is_refused():
    with pytest.raises(ValueError, match="unknown engine 'torch', expected one of litert, keras"):
        load_model("torch", "model")


def test_nothing_is_written_to_stdout_or_stderr(model_file, capfd: pytest.CaptureFixture):
    ImageModel(model_file.path).predict(next(made_up_crops(128, 1)))
    assert capfd.readouterr() == ("", "")


def test_top5_takes_ties_by_class_and_rounds():
    probabilities = np.zeros(1000, np.float32)
    probabilities[[7, 3, 900, 12, 11]] = [0.25, 0.25, 0.3, 0.1234567, 0.01]
    expected = [["900", 0.3], ["3", 0.25], ["7", 0.25], ["12", 0.123457], ["11", 0.01]]
    assert top5(probabilities, [str(i) for i in range(1000)]) == expected


def test_wnids_are_in_the_order_of_the_model(weights_dir: Path):
    index = json.loads((weights_dir / "imagenet_class_index.json").read_text())
    assert list(wnids()) == [index[str(i)][0] for i in range(1000)]
