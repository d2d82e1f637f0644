"""What model is to be built, and the record that says whether the cache has it already."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mapsight.features.keras_build import digest_of, pictures_in
from mapsight.features.weights import Weights, local_weights
from mapsight.files import locked, verify

__all__ = [
    "METHOD",
    "PRECISIONS",
    "ModelFile",
    "Recipe",
    "built_record",
    "cached_record",
    "calibration",
]

PRECISIONS = ("float32", "int8")
METHOD = "head in float32, scales on the weights' grid, biases corrected"
"""Of int8; a cached model of another one is built again."""


@dataclass(frozen=True)
class ModelFile:
    """A model file ready to be sent to the nodes, and the SHA-256 it must have."""

    path: Path
    sha256: str
    alpha: float
    resolution: int
    precision: str


@dataclass(frozen=True)
class Recipe:
    """What to build; the fields are as `ensure_model` and `convert` say."""

    alpha: float
    resolution: int
    precision: str
    cache: Path
    weights: str | None = None
    calibration: str | None = None
    check: str | None = None

    @property
    def path(self) -> Path:
        """Return where the cache keeps the model; ValueError for an unknown precision."""
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision {self.precision!r}, expected {' or '.join(PRECISIONS)}")
        name = f"mobilenet_v1_{self.alpha}_{self.resolution}_{self.precision}"
        return self.cache / f"{name}.tflite"

    def warning(self) -> str:
        """Return what to say before building a model that could be nearer to float32."""
        if self.precision != "int8" or self.calibration:
            return ""
        return "; calibration pictures would bring its labels nearer to those of float32"

    def calibration_pictures(self) -> list[Path]:
        """Return the pictures that set the ranges of an int8 model, if they are named."""
        if not self.calibration or self.precision != "int8":
            return []
        return pictures_in(Path(self.calibration))


def built_record(recipe: Recipe) -> dict[str, Any] | None:
    """Return `cached_record` for the weights that are here; nothing is downloaded."""
    size = recipe.alpha, recipe.resolution
    found = local_weights(*size, explicit=recipe.weights, cache=recipe.cache)
    with locked(recipe.path):
        return cached_record(recipe, found)


def cached_record(recipe: Recipe, weights: Weights | None) -> dict[str, Any] | None:
    """Return what is written beside a cached model, or None if it has to be built.

    Args:
        weights: what it must have been built from, if known.

    Raises:
        AlteredError: the model is not the one the record is about.
    """
    kept = recipe.path.with_suffix(".json")
    if not (kept.exists() and recipe.path.exists()):
        return None
    record = json.loads(kept.read_text("utf-8"))
    if weights and weights.sha256 != record["weights"]["sha256"]:
        return None
    if recipe.precision == "int8" and record["calibration"].get("method") != METHOD:
        return None
    pictures = recipe.calibration_pictures()
    if pictures and record["calibration"] != calibration(pictures):
        return None
    verify(recipe.path, record["sha256"])
    return record


def calibration(files: list[Path]) -> dict[str, Any]:
    """Return how an int8 model is made, and of what pictures; made-up ones without files."""
    digest = digest_of(files) if files else "made up, seed 0"
    return {"method": METHOD, "pictures": len(files), "sha256": digest}
