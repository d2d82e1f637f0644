"""The engines that run the model: LiteRT, and Keras to compare it with."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mapsight.features.mobilenet import Model, check_crop, wnids
from mapsight.features.models.image_model import ImageModel
from mapsight.features.preprocess import to_model_input, usual_resize
from mapsight.files import verify

__all__ = ["KerasMobileNet", "load_model"]

ENGINES = ("litert", "keras")


class KerasMobileNet:
    """The same model run by TensorFlow: slower to start and run, for comparison.

    Args:
        path: a weights file (.h5 or .weights.h5), not a LiteRT flatbuffer.
        sha256: what its SHA-256 must be, in hex; not checked when None.
        alpha: width multiplier the weights are for.
        resolution: side of a crop, in pixels.

    Raises:
        AlteredError: the file has another SHA-256.
    """

    def __init__(
        self, path: str | Path, sha256: str | None = None, *, alpha: float, resolution: int
    ) -> None:
        from mapsight.features.keras_build import build_keras

        verify(path, sha256)
        self._model = build_keras(alpha, resolution, Path(path))
        self.classes = wnids()
        self.resolution, self.resize = resolution, usual_resize(resolution)
        self.embedding_size = int(self._model.outputs[1].shape[-1])

    def predict(self, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Model.predict`."""
        check_crop(crop, self.resolution)
        # Model.predict leaks in a loop and prints to stdout, where the records go
        probabilities, embedding = self._model(to_model_input(crop), training=False)
        return probabilities.numpy()[0], embedding.numpy()[0]

    def last_layer(self) -> tuple[np.ndarray, np.ndarray]:
        """See `Model.last_layer`."""
        weights, bias = self._model.get_layer("conv_preds").get_weights()
        return np.ascontiguousarray(weights.reshape(-1, len(self.classes)).T), bias


def load_model(
    engine: str,
    path: str | Path,
    sha256: str | None = None,
    *,
    alpha: float = 1.0,
    resolution: int = 224,
) -> Model:
    """Load the model into an engine: "litert" or "keras".

    `path` is a flatbuffer for LiteRT and a weights file for Keras; only Keras needs
    `alpha` and `resolution`.
    """
    if engine == "litert":
        return ImageModel(path, sha256)
    if engine == "keras":
        return KerasMobileNet(path, sha256, alpha=alpha, resolution=resolution)
    raise ValueError(f"unknown engine {engine!r}, expected one of {', '.join(ENGINES)}")
