"""The command model: build the model file, or check it."""

from __future__ import annotations

import argparse
import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.needs import Need
from driver.options.groups import add_program_options, add_workspace_option
from driver.options.model_groups import add_model_options, check_model_options
from driver.text_table import table_lines
from mapsight.text import plain

if TYPE_CHECKING:
    from driver.stages.model import Model
    from mapsight.features.models.image_model import ImageModel

GROUP = "Prepare"
DESCRIPTION = "Build the model file from MobileNet weights, or say how another is understood."
EXAMPLES = """\
examples:
  %(prog)s --alpha 1.0 --resolution 224
  %(prog)s --alpha 0.25 --resolution 128 --weights weights/ --precision int8 \\
      --calibration pictures/ --check pictures/
  %(prog)s --check clip.tflite
"""
USUAL = ("alpha", "resolution", "precision", "weights", "model", "calibration", "check")
MODEL_ENDINGS = (".tflite", ".lite")
SHOWN = 5
"""Classes that are named."""
FOR_OUTPUT = True


def _compares(options: Namespace) -> bool:
    return bool(options.check) and not _is_model(options.check)


NEEDS = (Need("--check", ("tensorflow",), _compares),)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of model."""
    add_model_options(parser)
    parser.add_argument(
        "--check",
        metavar="PATH",
        help="folder of pictures to compare with Keras on; or a .tflite file, to say how it is "
        "understood, and stop (default: no comparison)",
    )
    add_workspace_option(parser)
    add_program_options(parser)


def settle(options: Namespace, typed: Namespace) -> None:
    """Refuse options that contradict each other."""
    check_model_options(options)


def run(options: Namespace) -> int:
    """Build the model file if it is missing; print its path, SHA-256 and speed on this machine."""
    from driver.stages.model import given_model

    if _is_model(options.check):
        sys.stdout.write(how_understood(options.check))
        return 0
    model = given_model(options.model) if options.model else _built_model(options)
    record = model.path.with_suffix(".json")
    document: dict[str, Any] = {"path": str(model.path), "sha256": model.sha256}
    if record.is_file():
        document["provenance"] = json.loads(record.read_text(encoding="utf-8"))
    document |= _speed_of(model)
    sys.stdout.write(json.dumps(document, indent=1) + "\n")
    return 0


def _is_model(path: str | None) -> bool:
    """Return whether --check names a model file; what is none is to be a folder of pictures."""
    return bool(path) and str(path).endswith(MODEL_ENDINGS) and Path(str(path)).is_file()


def _speed_of(model: Model) -> dict[str, Any]:
    """Return the speeds of a MobileNet of its size, and say which format is faster."""
    from mapsight.features.speed import speed

    here = None if model.alpha is None else speed(model.alpha, model.resolution)
    if here is None:
        return {}
    sys.stderr.write(f"model: {here.sentence()}\n")
    return {"speed_here": asdict(here)}


def how_understood(path: str) -> str:
    """Return how a model file is understood, as a table: what, and how that is known."""
    from driver.stages.model import read_model
    from mapsight.features.models.trial import try_out, why_no_words

    model = read_model(path, "--check")
    rows = [
        *_rows(model),
        ("speed", f"{1000 * try_out(model):.1f} ms a picture, one core", "tried"),
    ]
    if model.classes:
        why_not = why_no_words(model)
        rows.append(("words", why_not or "ranked by the last layer", "tried"))
    lines = table_lines([tuple(map(plain, row)) for row in rows], left=(0, 1, 2))
    return "".join(f"{line}\n" for line in (plain(path), *(f"  {line}" for line in lines)))


def _rows(model: ImageModel) -> Iterator[tuple[str, str, str]]:
    """Yield (what, value, how it is known)."""
    form, because = model.form, model.form.because
    yield "size", f"{form.size} × {form.size} pixels", because["size"]
    yield "resize", f"shorter side to {form.resize}, then the middle", because["resize"]
    yield "scaling", str(form.scaling), because["scaling"]
    yield "layout", f"{form.layout}, {form.channels}", because["layout"]
    yield (
        "embedding",
        f"{model.embedding_size:,} numbers, output {form.embedding}",
        because["embedding"],
    )
    if form.scores is None:
        yield "classes", "none: labels come from a head alone", "no names of any"
        return
    kind = "logits" if form.logits else "probabilities"
    yield kind, f"output {form.scores}", because["scores"]
    shown = ", ".join(form.classes[:SHOWN]) + (", …" if len(form.classes) > SHOWN else "")
    yield "classes", f"{len(form.classes):,}: {shown}", because["classes"]


def _built_model(options: Namespace) -> Model:
    from driver.stages.model import find_model

    return find_model(
        options.alpha,
        options.resolution,
        options.precision,
        weights=options.weights,
        calibration=options.calibration,
        check=options.check,
    )
