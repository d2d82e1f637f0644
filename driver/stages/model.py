"""The model file a run uses."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driver.errors import Failure
from mapsight.features.weights import Weights, find_weights, model_cache_dir
from mapsight.files import sha256_of
from mapsight.workspace.stage_facts import PlanNotes

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

BEFORE_MODEL = ("plan", "ingest", "fetch")
"""Stages that need none."""
CHECKED = 16
CHECKED_BYTES, CHECKED_PIXELS = 8 << 20, 40_000_000

__all__ = [
    "BEFORE_MODEL",
    "Model",
    "ModelOptions",
    "built_path",
    "check_model",
    "find_model",
    "given_model",
    "model_of",
]


@dataclass(frozen=True)
class ModelOptions:
    """Which model: a file, or one that is built."""

    alpha: float
    resolution: int
    precision: str
    engine: str
    weights: str | None
    calibration: str | None
    model: str | None


@dataclass(frozen=True)
class Model:
    """The file that map tasks load, and the SHA-256 it must have.

    `classes` are its own, or none where they are ImageNet's.
    """

    path: Path
    sha256: str
    alpha: float
    resolution: int
    precision: str
    classes: tuple[str, ...] = ()


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
    from mapsight.features.convert import ensure_model
    from mapsight.features.keras_build import need_tensorflow

    try:
        check_calibration(calibration)
        if engine == "keras":
            found = _weights(alpha, resolution, weights)
            return Model(Path(found.path), found.sha256, alpha, resolution, precision)
        if not _is_cached(alpha, resolution, precision):
            need_tensorflow()  # before a download that would be in vain
            _weights(alpha, resolution, weights)  # a download is shown here, not in the child
        built = ensure_model(
            alpha,
            resolution,
            precision,
            weights=weights,
            calibration=calibration,
            check=check,
            log=_say,
        )
        return Model(built.path, built.sha256, alpha, resolution, precision)
    except (ValueError, OSError, RuntimeError) as error:
        raise Failure(str(error)) from error


def given_model(path: str) -> Model:
    """A model file of the user's; what it is for is read from it.

    Raises:
        Failure: it cannot be read, or is no MobileNet.
    """
    from mapsight.features.mobilenet import MobileNet, wnids

    try:
        sha256 = sha256_of(Path(path))
        model = MobileNet(path)
    except (ValueError, OSError, RuntimeError) as error:
        raise Failure(f"--model {path}: {error}") from error
    classes = () if model.classes == wnids() else model.classes
    size = model.embedding_size / 1024, model.resolution, model.precision
    return Model(Path(path), sha256, *size, classes)


def check_model(options: ModelOptions) -> None:
    """Find that the model cannot be had before hours of work, not after.

    It is built later, so that it is compared with Keras on pictures of the run.

    Raises:
        Failure: TensorFlow, weights or the file are missing, or it is no MobileNet.
    """
    if options.model:
        given_model(options.model)
        return
    from mapsight.features.keras_build import need_tensorflow
    from mapsight.features.recipe import Recipe, built_record

    size = options.alpha, options.resolution
    recipe = Recipe(
        *size, options.precision, model_cache_dir(), options.weights, options.calibration
    )
    try:
        check_calibration(options.calibration)
        if options.engine == "keras" or built_record(recipe) is None:
            need_tensorflow()
            _weights(*size, options.weights)
    except (ValueError, OSError, RuntimeError) as error:
        raise Failure(str(error)) from error


def check_calibration(folder: str | None) -> None:
    """Find that a folder of --calibration has no pictures, also where none is used.

    Raises:
        ValueError: it has none, or is none.
    """
    from mapsight.features.keras_build import pictures_in

    if folder:
        pictures_in(Path(folder))


def built_path(options: ModelOptions) -> Path:
    """Where the model of these options is, once it is built."""
    from mapsight.features.recipe import Recipe

    size = options.alpha, options.resolution, options.precision
    return Recipe(*size, model_cache_dir()).path


def _is_cached(alpha: float, resolution: int, precision: str) -> bool:
    from mapsight.features.recipe import Recipe

    return Recipe(alpha, resolution, precision, model_cache_dir()).path.exists()


def _weights(alpha: float, resolution: int, named: str | None) -> Weights:
    """The weights; a bar on a terminal while they are downloaded."""
    from tqdm import tqdm

    with tqdm(desc="weights", unit="B", unit_scale=True, disable=None, leave=False, delay=1) as bar:

        def show(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return find_weights(alpha, resolution, explicit=named, progress=show)


def model_of(run: Pipeline) -> Model:
    """The model of a pipeline's options; compared with Keras on its pictures, if it is built."""
    options = run.options_of(ModelOptions)
    if options.model:
        return given_model(options.model)
    size = options.alpha, options.resolution, options.precision
    cached = options.engine == "keras" or _is_cached(*size)
    return find_model(
        *size,
        options.engine,
        options.weights,
        options.calibration,
        None if cached else _some_pictures(run),
    )


def _some_pictures(run: Pipeline) -> str | None:
    """A folder with a few of the run's own pictures, undecodable ones aside."""
    import pyarrow.parquet as pq

    from mapsight.features.decoder_child import Decoded
    from mapsight.features.decoder_process import Decoder
    from mapsight.storage.uri import open_uri

    listing = PlanNotes.of(run.documents["plan"]).listings["files"]
    with open_uri(run.workspace.uri("plan", listing)) as file:
        parquet = pq.ParquetFile(file)
        batch = next(parquet.iter_batches(CHECKED, columns=["uri"]), None)
    folder = run.scratch / "check"
    folder.mkdir(exist_ok=True)
    found = map(_first_bytes, batch.column(0).to_pylist() if batch else ())
    with Decoder() as decoder:
        pairs = decoder.decode_all((data, data) for data in found)
        for number, (data, picture) in enumerate(pairs):
            if isinstance(picture, Decoded) and picture.fields["pixels"] <= CHECKED_PIXELS:
                (folder / f"{number:02d}.jpg").write_bytes(data)  # told by content, not by name
    return str(folder) if any(folder.iterdir()) else None


def _first_bytes(uri: bytes) -> bytes:
    """A file, or what comes first of it; nothing if it cannot be read."""
    from mapsight.storage.uri import open_uri

    try:
        with open_uri(uri) as file:
            return file.read(CHECKED_BYTES)
    except (OSError, ValueError):
        return b""
