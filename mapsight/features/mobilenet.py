"""MobileNet v1: a picture's ImageNet class probabilities and its embedding.

Reference: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for
Mobile Vision Applications", arXiv:1704.04861. The embedding is the output of the
global average pooling, the last layer before the classifier.
"""

from __future__ import annotations

import csv
import os
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mapsight.features.preprocess import to_model_input
from mapsight.files import verify
from mapsight.npz import read_member

__all__ = ["CLASSES", "MobileNet", "Model", "check_crop", "interpreter", "top5", "wnids"]

CLASSES = 1000
"""The number of ImageNet classes."""

CLASS_ID = re.compile(r"n\d{8}|/[mg]/[0-9a-z_]+")
LABELS = "labels.txt"


class Model(Protocol):
    """Predict classes and embeddings: the interface of both engines."""

    resolution: int
    """The side of a crop, in pixels."""

    embedding_size: int
    """1024 times alpha."""

    classes: tuple[str, ...]
    """What the probabilities are of, in their order: wnids of ImageNet, or MIDs."""

    def predict(self, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predict class probabilities and embedding of one picture.

        Args:
            crop: (resolution, resolution, 3) uint8, RGB.

        Returns:
            (len(classes),) float32 that sum to 1, in the order of `classes`, and
            (embedding_size,) float32, 0 or more. Both are the caller's own.

        Raises:
            ValueError: the crop has another shape or type.
        """
        ...

    def last_layer(self) -> tuple[np.ndarray, np.ndarray]:
        """Return weights (len(classes), embedding_size) and bias (len(classes),), float32.

        Raises:
            ValueError: the model does not say them.
        """
        ...


class MobileNet:
    """The model file that `mapsight.features.convert` built, run by LiteRT on one thread.

    A file may carry a list of its classes, as LiteRT metadata does: a zip archive
    at its end with `labels.txt`, one id a line. Without, it has those of ImageNet.

    Args:
        path: a LiteRT flatbuffer.
        sha256: what its SHA-256 must be, in hex; not checked when None.

    Raises:
        AlteredError: the file has another SHA-256.
        ValueError: it is no MobileNet with two outputs, one of them for its classes.
    """

    def __init__(self, path: str | Path, sha256: str | None = None) -> None:
        verify(path, sha256)
        self._interpreter = interpreter(model_path=str(path))
        (source,) = self._interpreter.get_input_details()
        outputs = {int(out["shape"][-1]): out for out in self._interpreter.get_output_details()}
        self.classes = _classes_inside(Path(path)) or wnids()
        count = len(self.classes)
        if count not in outputs or len(outputs) != 2:
            raise ValueError(f"{path}: outputs {sorted(outputs)}, expected {count} and one more")
        self._input = source["index"]
        self._probabilities = outputs.pop(count)["index"]
        ((self.embedding_size, embedding),) = outputs.items()
        self._embedding = embedding["index"]
        self.resolution = int(source["shape"][1])

    @property
    def precision(self) -> str:
        """Return what its weights are held in: "int8" or "float32"."""
        details = self._interpreter.get_tensor_details()
        whole = sum(detail["dtype"] == np.int8 for detail in details)
        return "int8" if whole > len(details) // 2 else "float32"

    def predict(self, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `Model.predict`."""
        check_crop(crop, self.resolution)
        run = self._interpreter
        run.set_tensor(self._input, to_model_input(crop))
        run.invoke()
        return run.get_tensor(self._probabilities)[0], run.get_tensor(self._embedding)[0]

    def last_layer(self) -> tuple[np.ndarray, np.ndarray]:
        """See `Model.last_layer`; they are known by their shapes, however the file calls them."""
        count, size = len(self.classes), self.embedding_size
        shapes = {"weights": (count, size), "bias": (count,)}
        found = {
            name: [
                one["index"]
                for one in self._interpreter.get_tensor_details()
                if _is_shape(one, shape)
            ]
            for name, shape in shapes.items()
        }
        if [len(places) for places in found.values()] != [1, 1]:
            raise ValueError("the model file has no single last layer of its classes")
        weights, bias = (self._interpreter.get_tensor(place) for (place,) in found.values())
        return weights.reshape(count, size), bias


def _is_shape(tensor: dict[str, Any], shape: tuple[int, ...]) -> bool:
    """Return whether a tensor has these sides, in float32; inner sides of 1 do not count."""
    sides = [int(side) for side in tensor["shape"]]
    inner = [side for side in sides[1:] if side != 1]
    return tensor["dtype"] == np.float32 and (*sides[:1], *inner) == shape


def interpreter(**model: Any) -> Any:
    """Return LiteRT's interpreter of a model (`model_path` or `model_content`), on one thread."""
    from ai_edge_litert.interpreter import Interpreter

    with _native_stderr_to_null():
        run = Interpreter(num_threads=1, **model)
        run.allocate_tensors()
    return run


def top5(probabilities: np.ndarray, wnids: Sequence[str]) -> list[list]:
    """Return the five likeliest classes as [wnid, probability], ties by class index.

    >>> top5(np.array([0.1, 0.4, 0.4, 0.05, 0.03, 0.02]), "abcdef")[:2]
    [['b', 0.4], ['c', 0.4]]
    """
    best = np.argsort(-probabilities, kind="stable")[:5]
    return [[wnids[i], round(float(probabilities[i]), 6)] for i in best]


@lru_cache(maxsize=1)
def wnids() -> tuple[str, ...]:
    """Return the 1000 ImageNet classes in the order of the model's output.

    That order is the order of the WordNet ids.
    """
    table = Path(__file__).parents[1] / "data" / "imagenet_to_openimages.csv"
    with table.open(encoding="utf-8", newline="") as file:
        return tuple(sorted(row["wnid"] for row in csv.DictReader(file)))


def _classes_inside(path: Path) -> tuple[str, ...]:
    """The class list at the end of a model file; none if it has none.

    Raises:
        ValueError: an id is neither a wnid of ImageNet nor a MID, or stands twice.
    """
    if not zipfile.is_zipfile(path):
        return ()
    try:
        with zipfile.ZipFile(path) as archive:
            if LABELS not in archive.namelist():
                return ()
            found = tuple(read_member(archive, LABELS, 1 << 20).decode("utf-8").split())
    except (zipfile.BadZipFile, ValueError) as error:
        raise ValueError(f"{path}: its list of classes cannot be read ({error})") from None
    odd = [name for name in found if not CLASS_ID.fullmatch(name)]
    if odd or len(set(found)) != len(found):
        problem = f"class {odd[0]!r}" if odd else "a class that stands twice"
        raise ValueError(f"{path}: {problem} in {LABELS}, expected different wnids or MIDs")
    return found


def check_crop(crop: np.ndarray, resolution: int) -> None:
    """Raise ValueError unless a crop is (resolution, resolution, 3) uint8."""
    if crop.shape != (resolution, resolution, 3) or crop.dtype != np.uint8:
        raise ValueError(
            f"a crop of shape {crop.shape}, {crop.dtype}; "
            f"expected ({resolution}, {resolution}, 3), uint8"
        )


@contextmanager
def _native_stderr_to_null() -> Iterator[None]:
    """LiteRT writes a line about its delegate to file descriptor 2 itself."""
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as null:
        os.dup2(null.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
