"""The model file a run uses."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driver.errors import Failure
from mapsight.convert import ensure_model
from mapsight.weights import find_weights

__all__ = ["Model", "find_model", "model_of"]


@dataclass(frozen=True)
class Model:
    """The file that map tasks load, and the SHA-256 it must have."""

    path: Path
    sha256: str


def _say(text: str) -> None:
    sys.stderr.write(f"model: {text}\n")


def find_model(
    alpha: float,
    resolution: int,
    precision: str,
    engine: str = "litert",
    weights: str | None = None,
    calibration: str | None = None,
) -> Model:
    """The model file, built if it is missing (keras: the weights themselves).

    Raises:
        Failure: it cannot be had, or is not what was recorded; the message says why.
    """
    try:
        if engine == "keras":
            found = find_weights(alpha, resolution, explicit=weights)
            return Model(Path(found.path), found.sha256)
        built = ensure_model(
            alpha, resolution, precision, weights=weights, calibration=calibration, log=_say
        )
        return Model(built.path, built.sha256)
    except (ValueError, OSError, RuntimeError) as error:
        raise Failure(str(error)) from error


def model_of(run: Any) -> Model:
    """The model of a pipeline's options."""
    options: Namespace = run.options
    return find_model(
        options.alpha,
        options.resolution,
        options.precision,
        options.engine,
        options.weights,
        options.calibration,
    )
