"""Models of every kind are understood and run, or refused with what is missing."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mapsight.features.keras_build import made_up_crops
from mapsight.features.models.form import SYMMETRIC, Scaling, form_toml
from mapsight.features.models.image_model import ImageModel, as_input
from mapsight.features.models.inside import with_form
from mapsight.features.models.trial import try_out, why_no_words
from mapsight.features.preprocess import to_model_input, usual_resize
from tests.support.models.tiny import SIDE, tiny_model, with_normalization

RANGE = "range = [-1, 1]\n"
NAMED = RANGE + 'classes = ["scratch", "dent", "rust"]\n'


def model(folder: Path, toml: str = "", **kind: Any) -> Path:
    path = folder / "m.tflite"
    path.write_bytes(tiny_model(**kind))
    if toml:
        path.with_suffix(".toml").write_text(toml)
    return path


def crop(seed: int = 0) -> np.ndarray:
    return next(made_up_crops(SIDE, 1, seed))


def predictions(path: Path) -> list[np.ndarray]:
    return [out for seed in range(3) for out in ImageModel(path).predict(crop(seed))]


def test_the_usual_scaling_is_that_of_mobilenet():
    assert SYMMETRIC.of(crop()).tobytes() == to_model_input(crop())[0].tobytes()


def test_means_and_deviations_are_taken_after_the_range():
    scaling = Scaling(0.0, 1.0, (0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    exact = (crop() / 255 - [0.5, 0.4, 0.3]) / [0.2, 0.3, 0.4]
    np.testing.assert_allclose(scaling.of(crop()), exact, atol=1e-6)


@pytest.mark.parametrize(("d", "classes"), [(8, 0), (16, 3), (512, 0), (4096, 3)])
def test_an_embedding_of_any_length_beside_classes_or_alone(tmp_path, d, classes):
    made = ImageModel(model(tmp_path, NAMED if classes else RANGE, d=d, classes=classes))
    probabilities, embedding = made.predict(crop())
    assert (probabilities.shape, embedding.shape) == ((classes,), (d,))
    assert (made.embedding_size, len(made.classes)) == (d, classes)
    assert not classes or abs(probabilities.sum() - 1) < 1e-6
    assert (made.resolution, made.resize) == (SIDE, usual_resize(SIDE))
    assert try_out(made) >= 0


def test_logits_become_the_probabilities_of_a_softmax(tmp_path):
    soft, bare = tmp_path / "soft", tmp_path / "bare"
    soft.mkdir(), bare.mkdir()
    softened = ImageModel(model(soft, NAMED, classes=3)).predict(crop())[0]
    path = model(bare, NAMED + "logits = 1\n", classes=3, softmax=False)
    np.testing.assert_allclose(ImageModel(path).predict(crop())[0], softened, atol=1e-6)


def test_channels_first_and_backwards(tmp_path):
    path = model(tmp_path, f'{RANGE}channels = "bgr"', shape=(1, 3, SIDE, SIDE))
    given = as_input(crop(), ImageModel(path).form)
    assert given.shape == (1, 3, SIDE, SIDE)
    np.testing.assert_array_equal(given[0, 0], SYMMETRIC.of(crop())[..., 2])


def test_an_open_size_is_the_one_of_the_toml(tmp_path):
    fixed = predictions(model(tmp_path, RANGE))
    path = model(tmp_path, f"{RANGE}size = {SIDE}", signature=(-1, -1, -1, 3))
    assert ImageModel(path).form.because["size"] == "m.toml"
    for one, other in zip(predictions(path), fixed, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize(
    ("dtype", "quantisation", "scaling"),
    [
        ("uint8", (1 / 255, 0), Scaling(0.0, 1.0)),
        ("uint8", (1 / 127.5, 128), SYMMETRIC),
        ("uint8", (1.0, 0), Scaling(0.0, 255.0)),
        ("int8", (1 / 127.5, -1), SYMMETRIC),
        ("int8", (1 / 255, -128), Scaling(0.0, 1.0)),
    ],
)
def test_whole_numbers_say_themselves_what_black_and_white_are(
    tmp_path, dtype, quantisation, scaling
):
    path = model(tmp_path, d=32, dtype=dtype, quantisation=quantisation)
    made = ImageModel(path)
    assert made.form.scaling == scaling
    (image,) = made._graph.inputs
    pixels = image.whole(as_input(crop(), made.form))[0].astype(int)
    least = np.iinfo(dtype).min
    assert abs(pixels - least - crop().astype(int)).max() <= 1
    assert made.predict(crop())[1].dtype == np.float32


@pytest.mark.parametrize(
    ("mean", "std", "scaling"),
    [
        ([127.5], [127.5], Scaling(0.0, 255.0, (127.5,) * 3, (127.5,) * 3)),
        ([120, 110, 100], [60, 61, 62], Scaling(0.0, 255.0, (120, 110, 100), (60, 61, 62))),
    ],
)
def test_tflite_metadata_says_how_pixels_are_normalised(tmp_path, mean, std, scaling):
    path = model(tmp_path)
    path.write_bytes(with_normalization(path.read_bytes(), mean, std))
    made = ImageModel(path)
    assert (made.form.scaling, made.form.because["scaling"]) == (scaling, "its TFLite metadata")


def test_damaged_metadata_says_nothing(tmp_path):
    path = model(tmp_path)
    content = with_normalization(path.read_bytes(), [127.5], [127.5])
    place = content.index(b"M001")
    path.write_bytes(content[: place - 4] + b"\xff" * 12 + content[place + 8 :])
    with pytest.raises(ValueError, match="black and white become cannot be known"):
        ImageModel(path)


def test_a_file_that_says_it_itself_is_the_same_model(tmp_path):
    path = model(tmp_path, f"{NAMED}resize = 16", d=24, classes=3)
    before = ImageModel(path)
    alone = tmp_path / "alone.tflite"
    alone.write_bytes(with_form(path.read_bytes(), before.form))
    after = ImageModel(alone)
    assert after.form == before.form
    for one, other in zip(predictions(alone), predictions(path), strict=True):
        assert one.tobytes() == other.tobytes()
    assert with_form(path.read_bytes(), before.form) == alone.read_bytes()
    assert form_toml(after.form, "x") == form_toml(before.form, "x")


def test_names_are_in_a_file_beside_it_in_it_or_imagenets(tmp_path):
    (tmp_path / "names.txt").write_text("scratch\ndent\nrust\n")
    path = model(tmp_path, f'{RANGE}classes = "names.txt"', classes=3)
    assert ImageModel(path).classes == ("scratch", "dent", "rust")
    file = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("names.txt", "one\ntwo\nthree\n")
    path.write_bytes(file.getvalue())
    path.with_suffix(".toml").write_text(RANGE)
    assert ImageModel(path).classes == ("one", "two", "three")
    path = model(tmp_path, f'{RANGE}classes = "imagenet"', classes=1000)
    assert ImageModel(path).classes[0] == "n01440764"


def test_the_last_layer_is_told_from_others(tmp_path):
    made = ImageModel(model(tmp_path, NAMED, classes=3))
    weights, bias = made.last_layer()
    assert (weights.shape, bias.shape, why_no_words(made)) == ((3, 16), (3,), "")
    assert why_no_words(ImageModel(model(tmp_path, RANGE))) == "the model has no classes"


REFUSED = {
    "no scaling": ("", {}, r"black and white .*: say range = \[-1, 1\].*, in m\.toml"),
    "odd quantisation": ("", {"dtype": "int8", "quantisation": (0.02, -1)}, "black and white"),
    "mean without range": ("mean = [1, 1, 1]", {}, "mean and std need range"),
    "no size": (RANGE, {"signature": (-1, -1, -1, 3)}, r"size of its input is open: say size"),
    "another size": (f"{RANGE}size = 32", {}, "size = 32, but an input of 8 × 8 pixels"),
    "no square": (RANGE, {"shape": (1, 8, 6, 3)}, "6 × 8 pixels; a square is expected"),
    "grey": (RANGE, {"shape": (1, 8, 8, 1)}, "three channels are expected"),
    "no picture": (RANGE, {"shape": (1, 8)}, r"shape \(1, 8\); one picture in colour"),
    "many pictures": (RANGE, {"shape": (4, 8, 8, 3)}, "one picture in colour is expected"),
    "two inputs": (RANGE, {"inputs": 2}, "2 inputs; one is expected, a picture"),
    "colour or side": (RANGE, {"shape": (1, 3, 3, 3)}, "which axis is colour cannot be known"),
    "another layout": (f'{RANGE}layout = "nchw"', {}, r"layout nchw, but .*\(1, 8, 8, 3\)"),
    "a map": (RANGE, {"deep": True}, r"output 0 of shape \(1, 2, 2, 4\) is no row of numbers"),
    "no embedding": (RANGE, {"names": ("x",)}, r"embedding cannot be known \(.*0: x.*say embe"),
    "too long": (RANGE, {"d": 9000}, "an embedding of 9,000 numbers; 2 to 8,192"),
    "unknown output": (f"{RANGE}embedding = 3", {}, "embedding: no output is called 3"),
    "twice the same": (f"{RANGE}embedding = 0\nlogits = 0", {}, "both embedding and scores"),
    "no names": (f"{RANGE}probabilities = 1", {"classes": 3}, "names of its 3 classes are missing"),
    "few names": (
        f'{RANGE}classes = ["a", "b"]\nprobabilities = 1',
        {"classes": 3},
        "2 names for the 3 classes of output 1",
    ),
    "names of nothing": (NAMED, {}, "3 names of classes, and 0 outputs of as many numbers"),
    "no list": (f'{RANGE}classes = "gone.txt"', {"classes": 3}, "'gone.txt': No such file"),
    "unknown name": (f"{RANGE}sise = 8", {}, "m.toml: 'sise' is unknown; known: size, resize"),
    "wrong value": ("range = [1, 1]", {}, r"m\.toml: range = \[1, 1\]: expected what black"),
    "no toml": ("range = [", {}, r"m\.toml: "),
    "small resize": (f"{RANGE}size = 8\nresize = 4", {}, "resize = 4: at least size, 8"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_known_is_said_with_the_file(tmp_path, name):
    toml, kind, message = REFUSED[name]
    with pytest.raises(ValueError, match=rf"^{tmp_path}/m\.tflite: .*{message}"):
        ImageModel(model(tmp_path, toml, **kind))


def test_scores_that_are_no_probabilities_are_not_taken_for_some(tmp_path):
    path = model(tmp_path, NAMED + "probabilities = 1\n", classes=3, softmax=False)
    with pytest.raises(ValueError, match=r"output 1: numbers from .* say logits = 1"):
        try_out(ImageModel(path))


@pytest.mark.parametrize("count", [0, 3, 20, 500, 3000])
def test_a_file_that_is_cut_or_another_is_refused(tmp_path, count):
    path = model(tmp_path, RANGE)
    path.write_bytes(path.read_bytes()[:count])
    reason = "no LiteRT file" if count < 8 else "damaged, or cut short"
    with pytest.raises(ValueError, match=rf"m\.tflite: {reason}"):
        ImageModel(path)
    path.write_text("this is a text, and no model")
    with pytest.raises(ValueError, match=r"m\.tflite: no LiteRT file"):
        ImageModel(path)
