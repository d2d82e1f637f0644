"""Trains the model of the bundled catalogue: MobileNet v1 0.25 on its drawn pictures.

    python examples/train_catalogue.py

It learns from the pictures of the train subset alone, is chosen by those of the validation
subset, and is measured once on those of the test subset. It writes `catalogue/model.tflite`, a LiteRT
file with its classes inside, and `catalogue/model.json`, which tells how it came about.
Needs TensorFlow (`mapsight[model]`) and some minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from catalogue_art.metadata import MIDS  # noqa: E402
from draw_catalogue import Item, draw_catalogue, draw_items, items, program_digest  # noqa: E402

from mapsight.mobilenet import LABELS, MobileNet  # noqa: E402
from mapsight.preprocess import central_crop, to_model_input, to_rgb  # noqa: E402

ALPHA, SIDE, BATCH, LEARNING_RATE = 0.25, 128, 32, 0.004
FRESH_SEED, FRESH_EACH = "fresh drawings", 100
CLASSES = list(MIDS)


@dataclass(frozen=True)
class Example:
    """A picture to learn from or to be measured on."""

    picture: Image.Image
    label: str
    photo: bool


def examples(folder: Path, some: Iterable[Item]) -> list[Example]:
    """Pictures of a drawn catalogue, their shorter sides at most 224 pixels."""
    found = []
    for item in some:
        with Image.open(folder / item.file) as image:
            picture = to_rgb(image)
            picture.load()
        found.append(Example(picture, item.label, item.photo))
    return found


def small(picture: Image.Image, side: int = 176) -> Image.Image:
    """A picture made smaller, so that many variants of it are quickly made."""
    scale = side / min(picture.size)
    return picture.resize((round(picture.width * scale), round(picture.height * scale)))


def varied(picture: Image.Image, rng: np.random.Generator) -> np.ndarray:
    """A random variant: another crop, mirrored, turned, in other light; (SIDE, SIDE, 3) uint8."""
    square = min(picture.size) * 0.875 * rng.uniform(0.72, 1.1)
    middle = np.array(picture.size) / 2 + rng.uniform(-0.1, 0.1, 2) * min(picture.size)
    turn, flip = np.deg2rad(rng.uniform(-10, 10)), rng.choice((-1, 1))
    step = square / SIDE * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    step = step * np.array([[flip * rng.uniform(0.88, 1.12)], [1]]).T
    start = middle - step @ (SIDE / 2, SIDE / 2)
    affine = (step[0, 0], step[0, 1], start[0], step[1, 0], step[1, 1], start[1])
    fill = tuple(int(x) for x in rng.integers(0, 256, 3))
    crop = picture.transform(
        (SIDE, SIDE), Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR, fillcolor=fill
    )
    for enhance in (ImageEnhance.Color, ImageEnhance.Brightness, ImageEnhance.Contrast):
        crop = enhance(crop).enhance(rng.uniform(0.65, 1.35))
    pixels = np.asarray(crop, np.float32) * rng.uniform(0.9, 1.1, 3)
    pixels += rng.normal(0, rng.uniform(0, 8), pixels.shape)
    if rng.random() < 0.5:
        _hide(pixels, rng)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _hide(pixels: np.ndarray, rng: np.random.Generator) -> None:
    """Cover a part, so that no single feature decides."""
    high, wide = rng.integers(SIDE // 8, SIDE // 3, 2)
    y, x = rng.integers(0, SIDE - high), rng.integers(0, SIDE - wide)
    pixels[y : y + high, x : x + wide] = rng.integers(0, 256, 3)


def build() -> tuple[Any, Any]:
    """(classifier, the same with its pooled embedding as a second output), untrained."""
    import keras

    net = keras.applications.MobileNet(
        input_shape=(SIDE, SIDE, 3), alpha=ALPHA, weights=None, include_top=False
    )
    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.95  # few steps an epoch
    pooled = keras.layers.GlobalAveragePooling2D()(net.output)
    dropped = keras.layers.Dropout(0.2)(pooled)
    classes = keras.layers.Dense(len(CLASSES), activation="softmax")(dropped)
    return keras.Model(net.input, classes), keras.Model(net.input, [classes, pooled])


def batches(
    train: Sequence[Example], epochs: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Random variants of the pictures, each of them once an epoch."""
    rng = np.random.default_rng(seed)
    pictures = [small(example.picture) for example in train]
    truth = np.eye(len(CLASSES), dtype=np.float32)[
        [CLASSES.index(example.label) for example in train]
    ]
    for _ in range(epochs):
        order = rng.permutation(len(train))
        for some in np.array_split(order, max(1, len(order) // BATCH)):
            x = np.concatenate([to_model_input(varied(pictures[i], rng)) for i in some])
            yield x, truth[some] * 0.92 + 0.08 / len(CLASSES)


def crops(some: Sequence[Example]) -> np.ndarray:
    """What the model gets of pictures, (n, SIDE, SIDE, 3) float32."""
    found = [to_model_input(central_crop(example.picture, SIDE)) for example in some]
    return np.concatenate(found)
