"""Builds the model file that map tasks run: Keras weights in, LiteRT flatbuffer out.

Run as a process of its own, because TensorFlow takes seconds and a gigabyte:

    python -m mapsight.features.convert --alpha 1.0 --resolution 224 --precision float32

It prints one JSON line on stdout; what TensorFlow says goes to stderr.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mapsight.features.keras_build import (
    ConversionError,
    build_keras,
    compare,
    crops_of,
    flatbuffer,
    made_up_crops,
    pictures_in,
)
from mapsight.features.recipe import (
    PRECISIONS,
    ModelFile,
    Recipe,
    built_record,
    cached_record,
    calibration,
)
from mapsight.features.weights import Weights, find_weights, model_cache_dir
from mapsight.files import locked, write_whole
from mapsight.python_child import clean_environment, module_command

__all__ = ["ConversionError", "convert", "ensure_model"]

TOLERANCE = 1e-4
"""The largest difference from Keras that a float32 model may have."""

ERROR = "mapsight.features.convert: error: "
Log = Callable[[str], None]


def ensure_model(
    alpha: float,
    resolution: int,
    precision: str,
    *,
    weights: str | None = None,
    cache: Path | None = None,
    calibration: str | None = None,
    check: str | None = None,
    log: Log | None = None,
) -> ModelFile:
    """Return the path of the model file in the cache, built there if need be.

    A cached file is used when it was built from the weights found now (if any are
    found) and from the calibration pictures named now (if any are named).
    TensorFlow is imported in a child process only.

    Args:
        precision: "float32" or "int8".
        weights: a weights file or a folder with a known one; see `mapsight.features.weights`.
        cache: the model cache, default `mapsight.features.weights.model_cache_dir()`.
        calibration: a folder of pictures that set the ranges of an int8 model.
        check: a folder of real pictures to compare with Keras on, also where it is built already.
        log: called with a line before something slow begins.

    Raises:
        AlteredError: the cached file is not the one that was built.
        WeightsError, ConversionError: weights are missing; the conversion failed.
    """
    cache = cache or model_cache_dir()
    recipe = Recipe(alpha, resolution, precision, cache, weights, calibration, check)
    if check:
        pictures_in(Path(check), besides=recipe.calibration_pictures())
    record = built_record(recipe)
    if record is None or check:
        if log and record is None:
            log(f"building {recipe.path.name} (TensorFlow, about 30 s){recipe.warning()}")
        elif log:
            log(f"comparing {recipe.path.name} with Keras on pictures of {check}")
        record = _in_a_process(recipe)
    return ModelFile(recipe.path, record["sha256"], alpha, resolution, precision)


def _in_a_process(recipe: Recipe) -> dict[str, Any]:
    """Runs this module; its JSON line, or its last word as a ConversionError."""
    options = [f"--{name}={value}" for name, value in asdict(recipe).items() if value is not None]
    command = module_command("mapsight.features.convert", *options)
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        said = next((line for line in lines if line.startswith(ERROR)), lines[-1])
        how = "" if said.startswith(ERROR) else f" (exit code {done.returncode})"
        raise ConversionError(said.removeprefix(ERROR) + how)
    return json.loads(done.stdout)


def convert(recipe: Recipe) -> dict[str, Any]:
    """Build, check and publish a model in this process, unless the cache has it.

    With `recipe.check`, a folder of pictures, it is compared with Keras on those too; what
    the cache has stays the same file then. Returns the record that is kept beside the model.
    """
    path = recipe.path
    found = find_weights(
        recipe.alpha, recipe.resolution, explicit=recipe.weights, cache=recipe.cache
    )
    with locked(path):
        record = cached_record(recipe, found)
        if record and recipe.check:
            record = _checked(recipe, found, record)
            write_whole(path.with_suffix(".json"), json.dumps(record, indent=1).encode())
        if record:
            return record
        record, content = _build(recipe, found)
        # a model without a record counts as absent: a crash in between changes nothing
        path.with_suffix(".json").unlink(missing_ok=True)
        write_whole(path, content)
        write_whole(path.with_suffix(".json"), json.dumps(record, indent=1).encode())
    return record


def _checked(recipe: Recipe, weights: Weights, record: dict[str, Any]) -> dict[str, Any]:
    """The record of a model that is there, compared with Keras on the pictures to check."""
    model = build_keras(recipe.alpha, recipe.resolution, weights.path)
    checks = {**record["checks"], "real": _on_pictures(recipe, model, recipe.path.read_bytes())}
    if recipe.precision == "float32":
        _must_agree(checks)
    return {**record, "checks": checks}


def _on_pictures(recipe: Recipe, model: Any, content: bytes) -> dict[str, Any]:
    pictures = pictures_in(Path(str(recipe.check)), besides=recipe.calibration_pictures())
    return compare(model, content, crops_of(pictures, recipe.resolution))


def _build(recipe: Recipe, weights: Weights) -> tuple[dict[str, Any], bytes]:
    """A model's record and content; ConversionError if it is not what Keras computes."""
    side = recipe.resolution
    model = build_keras(recipe.alpha, side, weights.path)
    files = recipe.calibration_pictures()
    crops = crops_of(files, side) if files else made_up_crops(side, 100)
    int8 = recipe.precision == "int8"
    content = flatbuffer(model, list(crops) if int8 else (), real=bool(files))
    checks = {"made_up": compare(model, content, made_up_crops(side, 16, seed=1))}
    if recipe.check:
        checks["real"] = _on_pictures(recipe, model, content)
    if not int8:
        _must_agree(checks)
    return {
        "alpha": recipe.alpha,
        "resolution": side,
        "precision": recipe.precision,
        "sha256": hashlib.sha256(content).hexdigest(),
        "weights": {"sha256": weights.sha256, "origin": weights.origin, "file": weights.path.name},
        "versions": {name: version(name) for name in ("tensorflow", "keras", "ai-edge-litert")},
        "calibration": calibration(files) if int8 else None,
        "checks": checks,
    }, content


def _must_agree(checks: dict[str, dict[str, Any]]) -> None:
    for name, found in checks.items():
        worst = max(found["probability_difference"], found["embedding_difference"])
        if not worst <= TOLERANCE:
            raise ConversionError(
                f"differs from Keras by {worst:.2g} on {name} pictures, at most {TOLERANCE} allowed"
            )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        "mapsight.features.convert", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--alpha", type=float, default=1.0)
    parser.add_argument("--resolution", type=int, default=224)
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--weights", help="weights file, or folder with a known one")
    parser.add_argument("--cache", type=Path, default=model_cache_dir(), help="%(default)s")
    parser.add_argument("--calibration", help="folder of pictures for int8 ranges")
    parser.add_argument("--check", help="folder of pictures to compare with Keras on")
    recipe = Recipe(**vars(parser.parse_args(arguments)))
    stdout = os.dup(1)
    os.dup2(2, 1)  # TensorFlow prints; stdout is for the one line
    try:
        record = convert(recipe)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{ERROR}{' '.join(str(error).split())}\n")
        return 1
    with os.fdopen(stdout, "w") as out:
        out.write(json.dumps({"path": str(recipe.path), **record}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
