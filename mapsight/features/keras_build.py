"""MobileNet in Keras, and from there to a LiteRT flatbuffer that agrees with it.

The only module that imports TensorFlow, inside the functions that need it.
"""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from mapsight.extras import lacking, missing
from mapsight.features.models.image_model import ImageModel
from mapsight.features.preprocess import central_crop, to_model_input, to_rgb
from mapsight.features.quantize import join, mend

__all__ = [
    "ConversionError",
    "build_keras",
    "compare",
    "crops_of",
    "digest_of",
    "flatbuffer",
    "made_up_crops",
    "need_tensorflow",
    "pictures_in",
]

CORRECTED = 32
"""How many calibration crops correct biases; more gain nothing."""

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


class ConversionError(ValueError):
    """The model file cannot be built, or does not agree with Keras."""


def build_keras(alpha: float, resolution: int, weights: Path) -> Any:
    """Build the Keras model: (n, r, r, 3) floats in [-1, 1] to [probabilities, embedding].

    Raises:
        ConversionError: TensorFlow is missing, or the weights do not fit.
    """
    if weights.suffix != ".h5":
        raise ConversionError(f"{weights}: weights must be an .h5 or .weights.h5 file")
    keras = _tensorflow().keras
    model = keras.applications.MobileNet(
        input_shape=(resolution, resolution, 3), alpha=alpha, weights=None, include_top=True
    )
    try:
        model.load_weights(weights)
    except (ValueError, OSError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ConversionError(
            f"{weights} does not fit MobileNet {alpha}/{resolution}: {reason}"
        ) from error
    pooled = next(x for x in model.layers if isinstance(x, keras.layers.GlobalAveragePooling2D))
    return keras.Model(model.input, [model.output, keras.layers.Reshape((-1,))(pooled.output)])


def need_tensorflow() -> None:
    """Raise ConversionError where TensorFlow is not installed; it is not imported."""
    if missing(["tensorflow"]):
        raise ConversionError(lacking("building the model", ["tensorflow"]))


def _tensorflow() -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import tensorflow
    except ModuleNotFoundError as error:
        raise ConversionError(lacking("building the model", ["tensorflow"])) from error
    return tensorflow


def flatbuffer(model: Any, calibration: Sequence[np.ndarray] = (), *, real: bool = True) -> bytes:
    """Convert what `build_keras` built to a LiteRT flatbuffer, input and outputs in float32.

    Args:
        calibration: crops, (r, r, 3) uint8. If there are any, weights and
            activations up to the pooling are int8; see `mapsight.features.quantize`.
        real: whether they are of pictures, so that biases can be corrected by them.
    """
    if not calibration:
        return _converted(model)
    body, head = _parts(model)
    exact, whole = _converted(body), _converted(body, calibration)
    mended = mend(whole, exact, calibration[:CORRECTED] if real else ())
    return join(mended, _converted(head))


def _parts(model: Any) -> tuple[Any, Any]:
    """The model up to its pooling, and from there on."""
    keras = _tensorflow().keras
    pooled = next(x for x in model.layers if isinstance(x, keras.layers.GlobalAveragePooling2D))
    body = keras.Model(model.input, pooled.input)
    return body, keras.Model(pooled.input, model.outputs)


def _converted(model: Any, calibration: Sequence[np.ndarray] = ()) -> bytes:
    lite = _tensorflow().lite
    with tempfile.TemporaryDirectory(prefix="mapsight-") as folder:
        # from_concrete_functions would leave the variables unfrozen
        model.export(folder, format="tf_saved_model", verbose=False)
        converter = lite.TFLiteConverter.from_saved_model(folder)
        if calibration:
            converter.optimizations = [lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([to_model_input(c)] for c in calibration)
            converter.target_spec.supported_ops = [lite.OpsSet.TFLITE_BUILTINS_INT8]
        return converter.convert()


def compare(model: Any, content: bytes, crops: Iterable[np.ndarray]) -> dict[str, Any]:
    """Measure how far a flatbuffer is from the Keras model it was made of, over some crops.

    Returns:
        pictures; the largest absolute difference of a probability and of a value of
        an embedding; the share of equal top-1 classes; the least and mean cosine of
        the embeddings.
    """
    rows = []
    with tempfile.TemporaryDirectory(prefix="mapsight-") as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        lite = ImageModel(path)
        for crop in crops:
            p, e = lite.predict(crop)
            kp, ke = (output.numpy()[0] for output in model(to_model_input(crop), training=False))
            cosine = np.dot(e, ke) / max(float(np.linalg.norm(e) * np.linalg.norm(ke)), 1e-12)
            same = p.argmax() == kp.argmax()
            rows.append((abs(p - kp).max(), abs(e - ke).max(), same, cosine))
    probabilities, embeddings, same, cosines = np.asarray(rows, float).T
    return {
        "pictures": len(rows),
        "probability_difference": float(probabilities.max()),
        "embedding_difference": float(embeddings.max()),
        "top1_agreement": float(same.mean()),
        "cosine_least": float(cosines.min()),
        "cosine_mean": float(cosines.mean()),
    }


def pictures_in(folder: Path, limit: int = 200, besides: Iterable[Path] = ()) -> list[Path]:
    """Return pictures anywhere below a folder: at most `limit`, at random with a fixed seed.

    Raises:
        ConversionError: it is no folder that can be listed; there is none in it, or none
            besides those.
    """
    try:
        next(os.scandir(folder), None)
    except OSError as error:
        reason = error.strerror or error
        raise ConversionError(f"{folder}: no pictures can be read there: {reason}") from error
    taken = set(besides)
    every = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    found = sorted(path for path in every if path not in taken and path.is_file())
    if not found:
        kinds = ", ".join(sorted(SUFFIXES))
        raise ConversionError(f"{folder}: no {'other ' * bool(taken)}pictures ({kinds})")
    return sorted(random.Random(0).sample(found, min(limit, len(found))))


def digest_of(files: Iterable[Path]) -> str:
    """Return the SHA-256 of the files' contents, one after the other, in hex."""
    digest = hashlib.sha256()
    for path in files:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def crops_of(files: Iterable[Path], resolution: int) -> Iterator[np.ndarray]:
    """Yield the central crop of each picture, (r, r, 3) uint8.

    Raises:
        ConversionError: a picture cannot be read; it is named.
    """
    for path in files:
        try:
            with Image.open(path) as image:
                yield central_crop(to_rgb(ImageOps.exif_transpose(image)), resolution)
        except OSError as error:
            raise ConversionError(f"{path} cannot be read: {error}") from error


def made_up_crops(resolution: int, count: int, seed: int = 0) -> Iterator[np.ndarray]:
    """Yield crops of smooth random patches over coarse ones, every fourth of plain noise."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        side = resolution if number % 4 == 3 else int(rng.integers(2, 24))
        coarse = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        size = (resolution, resolution)
        yield np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))
