"""Any LiteRT image model: a picture's embedding, and probabilities of its classes, if any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mapsight.features.mobilenet import check_crop, interpreter
from mapsight.features.models.form import BGR, NCHW, Form
from mapsight.features.models.graph import read_graph
from mapsight.features.models.understand import understand
from mapsight.files import verify

__all__ = ["ImageModel"]


class ImageModel:
    """A model file run by LiteRT on one thread; `docs/models.md` says what it may be.

    Args:
        path: a LiteRT flatbuffer.
        sha256: what its SHA-256 must be, in hex; not checked when None.

    Raises:
        OSError: it cannot be read.
        AlteredError: the file has another SHA-256.
        ValueError: it is no image model, or what has to be known of it is said nowhere.
    """

    def __init__(self, path: str | Path, sha256: str | None = None) -> None:
        verify(path, sha256)
        try:
            self._graph = read_graph(Path(path))
            self.form = understand(Path(path), self._graph)
            self._run = self._started(path)
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"{path}: {' '.join(str(error).split())}") from None
        self.classes, self.resolution, self.resize = (
            self.form.classes, self.form.size, self.form.resize,
        )  # fmt: skip
        self._output = self._graph.outputs[self.form.embedding]
        self.embedding_size = self._output.width or 0

    def _started(self, path: str | Path) -> Any:
        (image,), form = self._graph.inputs, self.form
        square = form.size, form.size
        shape = (1, 3, *square) if form.layout == NCHW else (1, *square, 3)
        return interpreter(None if image.shape == shape else shape, model_path=str(path))

    @property
    def is_mobilenet(self) -> bool:
        """Return whether it is a MobileNet v1, as this project builds."""
        return self._graph.is_mobilenet

    @property
    def precision(self) -> str:
        """Return what its weights are held in: "int8" or "float32"."""
        details = self._run.get_tensor_details()
        whole = sum(detail["dtype"] == np.int8 for detail in details)
        return "int8" if whole > len(details) // 2 else "float32"

    def predict(self, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Model.predict`."""
        check_crop(crop, self.resolution)
        (image,) = self._graph.inputs
        self._run.set_tensor(image.index, image.whole(as_input(crop, self.form)))
        self._run.invoke()
        return self._probabilities(), self._row(self.form.embedding)

    def _probabilities(self) -> np.ndarray:
        if self.form.scores is None:
            return np.zeros(0, np.float32)
        scores = self._row(self.form.scores)
        return softmax(scores) if self.form.logits else scores

    def _row(self, number: int) -> np.ndarray:
        output = self._graph.outputs[number]
        return output.real(self._run.get_tensor(output.index)).reshape(-1)

    def last_layer(self) -> tuple[np.ndarray, np.ndarray]:
        """See `Model.last_layer`; they are known by their shapes, however the file calls them."""
        count, size = len(self.classes), self.embedding_size
        if not count:
            raise ValueError("the model has no classes")
        shapes = {"weights": (count, size), "bias": (count,)}
        found = {
            name: [one["index"] for one in self._run.get_tensor_details() if _is_shape(one, shape)]
            for name, shape in shapes.items()
        }
        if [len(places) for places in found.values()] != [1, 1]:
            raise ValueError("the model file has no single last layer of its classes")
        weights, bias = (self._run.get_tensor(place) for (place,) in found.values())
        return weights.reshape(count, size), bias


def as_input(crop: np.ndarray, form: Form) -> np.ndarray:
    """Return (side, side, 3) uint8 as the model wants it, in real numbers: (1, …) float32."""
    pixels = form.scaling.of(crop[..., ::-1] if form.channels == BGR else crop)
    ordered = pixels.transpose(2, 0, 1) if form.layout == NCHW else pixels
    return np.ascontiguousarray(ordered, np.float32)[np.newaxis]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return probabilities of logits, (n,) float32.

    >>> softmax(np.array([0.0, 0.0], np.float32)).tolist()
    [0.5, 0.5]
    """
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def _is_shape(tensor: dict[str, Any], shape: tuple[int, ...]) -> bool:
    """Return whether a tensor has these sides, in float32; inner sides of 1 do not count."""
    sides = [int(side) for side in tensor["shape"]]
    inner = [side for side in sides[1:] if side != 1]
    return tensor["dtype"] == np.float32 and (*sides[:1], *inner) == shape
