"""What has to be known of an image model: how a picture goes in, and what comes out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = [
    "BGR",
    "NCHW",
    "NHWC",
    "RGB",
    "SYMMETRIC",
    "Form",
    "Scaling",
    "form_toml",
]

NHWC, NCHW = "nhwc", "nchw"
RGB, BGR = "rgb", "bgr"


@dataclass(frozen=True)
class Scaling:
    """What the numbers of a picture become, 0 to 255: y = black + x / 255 (white - black), and then
    (y - mean) / std of each of three channels."""

    black: float
    white: float
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)

    def __str__(self) -> str:
        """Return it in words.

        >>> str(Scaling(-1.0, 1.0))
        '0…255 becomes -1…1'
        """
        text = f"0…255 becomes {self.black:g}…{self.white:g}"
        if self == Scaling(self.black, self.white):
            return text
        mean, std = (", ".join(f"{x:g}" for x in three) for three in (self.mean, self.std))
        return f"{text}, less {mean}, by {std}"

    def of(self, crop: np.ndarray) -> np.ndarray:
        """Return (side, side, 3) uint8 as float32."""
        step = np.float32(255 / (self.white - self.black))
        y = np.asarray(crop, np.float32) / step + np.float32(self.black)
        if self == Scaling(self.black, self.white):
            return y
        return (y - np.asarray(self.mean, np.float32)) / np.asarray(self.std, np.float32)


SYMMETRIC = Scaling(-1.0, 1.0)
"""Of `keras.applications.mobilenet.preprocess_input`: x / 127.5 - 1."""


@dataclass(frozen=True)
class Form:
    """How a model file is understood.

    Args:
        size: of the input, in pixels of either side.
        resize: pixels of a picture's shorter side, before the central square is cut out.
        layout: of the input: nhwc or nchw.
        channels: their order: rgb or bgr.
        embedding, scores: numbers of outputs; `scores` is None where the model has no classes.
        logits: scores become probabilities by a softmax.
        classes: names of what scores are of.
        because: how each of them is known, by its name.
    """

    size: int
    resize: int
    scaling: Scaling
    layout: str
    channels: str
    embedding: int
    scores: int | None = None
    logits: bool = False
    classes: tuple[str, ...] = ()
    because: Mapping[str, str] = field(default_factory=dict, compare=False)


def form_toml(form: Form, classes: str) -> str:
    """Return a form as the TOML that stands beside a model, or in it.

    Args:
        classes: name of the file of the classes.
    """
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in _settings(form, classes))


def _settings(form: Form, classes: str) -> Iterator[tuple[str, Any]]:
    scaling = form.scaling
    yield from (("size", form.size), ("resize", form.resize))
    yield "range", [scaling.black, scaling.white]
    yield from (("mean", list(scaling.mean)), ("std", list(scaling.std)))
    yield from (("layout", form.layout), ("channels", form.channels))
    yield "embedding", form.embedding
    if form.scores is not None:
        yield "logits" if form.logits else "probabilities", form.scores
        yield "classes", classes
