"""MobileNet v1: a picture's ImageNet class probabilities and its embedding.

Reference: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for
Mobile Vision Applications", arXiv:1704.04861. The embedding is the output of the
global average pooling, the last layer before the classifier.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

__all__ = [
    "CLASSES",
    "Model",
    "check_crop",
    "interpreter",
    "open_interpreter",
    "top5",
    "wnids",
]

CLASSES = 1000
"""The number of ImageNet classes."""


class Model(Protocol):
    """Predict classes and embeddings: the interface of both engines."""

    resolution: int
    """The side of a crop, in pixels."""

    resize: int
    """What a picture's shorter side becomes before the crop is cut out, in pixels."""

    embedding_size: int
    """1024 times alpha of a MobileNet."""

    classes: tuple[str, ...]
    """What the probabilities are of, in their order: wnids of ImageNet, MIDs, names; or nothing."""

    def predict(self, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predict class probabilities and embedding of one picture.

        Args:
            crop: (resolution, resolution, 3) uint8, RGB.

        Returns:
            (len(classes),) float32 that sum to 1, in the order of `classes`, and
            (embedding_size,) float32. Both are the caller's own.

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


def open_interpreter(**model: Any) -> Any:
    """Return LiteRT's interpreter of a model (`model_path` or `model_content`), on one thread.

    Raises:
        ValueError: it is damaged.
    """
    from ai_edge_litert.interpreter import Interpreter

    with _native_stderr_to_null():
        return Interpreter(num_threads=1, **model)


def interpreter(shape: Sequence[int] | None = None, **model: Any) -> Any:
    """Return `open_interpreter` ready to run.

    Args:
        shape: of its input; None for its own.

    Raises:
        ValueError, RuntimeError: it is damaged, or has what is not known here.
    """
    run = open_interpreter(**model)
    with _native_stderr_to_null():
        if shape:
            run.resize_tensor_input(run.get_input_details()[0]["index"], shape)
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
