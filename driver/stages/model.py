"""The model file a run uses."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from driver.errors import Failure
from mapsight.features.weights import Weights, find_weights, model_cache_dir
from mapsight.files import sha256_of
from mapsight.text_files import special_kind
from mapsight.workspace.stage_facts import PlanNotes

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from mapsight.features.models.image_model import ImageModel

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
    "own_labels",
    "read_model",
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

    `classes` are its own, or none where they are ImageNet's, or where it `has_classes` not. `alpha`
    is None of what is no MobileNet.
    """

    path: Path
    sha256: str
    alpha: float | None
    resolution: int
    precision: str
    classes: tuple[str, ...] = ()
    has_classes: bool = True


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


def given_model(path: str, folder: Path | None = None) -> Model:
    """Return a model file of the user's; what it is for is read from it, and the TOML beside it.

    Args:
        folder: for a copy of a file that a TOML stands beside: it says itself how it is understood,
            wherever it goes; None makes none.

    Raises:
        Failure: it cannot be read, or what has to be known of it is said nowhere.
    """
    from mapsight.features.mobilenet import wnids
    from mapsight.features.models.inside import with_form
    from mapsight.features.models.understand import settings_beside

    model, file = read_model(path), Path(path)
    if folder and settings_beside(file).is_file():
        folder.mkdir(exist_ok=True)
        file = folder / file.name
        file.write_bytes(with_form(Path(path).read_bytes(), model.form))
    classes = () if model.classes == wnids() else model.classes
    alpha = model.embedding_size / 1024 if model.is_mobilenet else None
    size = alpha, model.resolution, model.precision
    return Model(file, sha256_of(file), *size, classes, bool(model.classes))


def read_model(path: str, option: str = "--model") -> ImageModel:
    """Return a model of the user's that made embeddings of a few made-up pictures.

    Args:
        option: that named it.

    Raises:
        Failure: it cannot be read, run or understood; names it, and what is missing.
    """
    from mapsight.features.models.image_model import ImageModel
    from mapsight.features.models.trial import try_out

    try:
        if kind := special_kind(path):
            raise ValueError(f"is {kind}, not a file")
        model = ImageModel(path)
        try_out(model)
    except OSError as error:
        raise Failure(f"{option} {path}: {error.strerror or error}") from error
    except (ValueError, RuntimeError) as error:
        raise Failure(f"{option} {path}: {str(error).removeprefix(f'{path}: ')}") from error
    return model


def own_labels(run: Pipeline) -> dict[str, str]:
    """Return the names of classes of --model FILE that are nobody else's, as labels and their ids.

    Raises:
        Failure: as `read_model`.
    """
    from mapsight.labels.labeler import has_own_name

    path = run.options_of(ModelOptions).model
    return {name: name for name in read_model(path).classes if has_own_name(name)} if path else {}


def check_model(options: ModelOptions) -> None:
    """Find that the model cannot be had before hours of work, not after.

    It is built later, so that it is compared with Keras on pictures of the run.

    Raises:
        Failure: TensorFlow, weights or the file are missing, or it cannot be understood.
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
        return given_model(options.model, run.scratch / "model")
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
