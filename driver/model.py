"""The model file a run uses."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driver.errors import Failure
from mapsight.convert import Recipe, ensure_model
from mapsight.decode import decode
from mapsight.inputs import open_uri
from mapsight.weights import find_weights, model_cache_dir

CHECKED = 16
CHECKED_BYTES, CHECKED_PIXELS = 8 << 20, 40_000_000

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
    check: str | None = None,
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
            alpha,
            resolution,
            precision,
            weights=weights,
            calibration=calibration,
            check=check,
            log=_say,
        )
        return Model(built.path, built.sha256)
    except (ValueError, OSError, RuntimeError) as error:
        raise Failure(str(error)) from error


def model_of(run: Any) -> Model:
    """The model of a pipeline's options; compared with Keras on its pictures, if it is built."""
    options: Namespace = run.options
    recipe = Recipe(options.alpha, options.resolution, options.precision, model_cache_dir())
    cached = options.engine == "keras" or recipe.path.exists()
    return find_model(
        options.alpha,
        options.resolution,
        options.precision,
        options.engine,
        options.weights,
        options.calibration,
        None if cached else _some_pictures(run),
    )


def _some_pictures(run: Any) -> str | None:
    """A folder with a few of the run's own pictures, undecodable ones aside."""
    import pyarrow.parquet as pq

    listing = run.documents["plan"]["notes"]["listing"]
    with open_uri(run.workspace.uri("plan", listing)) as file:
        parquet = pq.ParquetFile(file)
        batch = next(parquet.iter_batches(CHECKED, columns=["uri"]), None)
    folder = run.scratch / "check"
    folder.mkdir(exist_ok=True)
    for number, uri in enumerate(batch.column(0).to_pylist() if batch else ()):
        try:
            with open_uri(uri) as file:
                data = file.read(CHECKED_BYTES)
            picture = decode(data)
        except (OSError, ValueError):
            continue
        if picture.width * picture.height > CHECKED_PIXELS:
            continue
        (folder / f"{number:02d}.jpg").write_bytes(data)  # told by content, not by name
    return str(folder) if any(folder.iterdir()) else None
