"""The command model: build the model file, or check it."""

from __future__ import annotations

import argparse
import json
import sys
from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from driver.needs import Need
from driver.options.groups import add_program_options, add_workspace_option
from driver.options.model_groups import add_model_options, check_model_options

if TYPE_CHECKING:
    from driver.stages.model import Model

GROUP = "Prepare"
DESCRIPTION = "Build the model file from MobileNet weights, or check it."
EXAMPLES = """\
examples:
  %(prog)s --alpha 1.0 --resolution 224
  %(prog)s --alpha 0.25 --resolution 128 --weights weights/ --precision int8 \\
      --calibration pictures/ --check pictures/
"""
USUAL = ("alpha", "resolution", "precision", "weights", "model", "calibration", "check")
NEEDS = (Need("--check", ("tensorflow",), lambda options: bool(options.check)),)
FOR_OUTPUT = True


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of model."""
    add_model_options(parser)
    parser.add_argument(
        "--check",
        metavar="DIR",
        help="folder of pictures to compare with Keras on (default: no comparison)",
    )
    add_workspace_option(parser)
    add_program_options(parser)


def settle(options: Namespace, typed: Namespace) -> None:
    """Refuse options that contradict each other."""
    check_model_options(options)


def run(options: Namespace) -> int:
    """Build the model file if it is missing; print its path, SHA-256 and speed on this machine."""
    from driver.stages.model import given_model
    from mapsight.features.speed import speed

    model = given_model(options.model) if options.model else _built_model(options)
    record = model.path.with_suffix(".json")
    document: dict[str, Any] = {"path": str(model.path), "sha256": model.sha256}
    if record.is_file():
        document["provenance"] = json.loads(record.read_text(encoding="utf-8"))
    if here := speed(model.alpha, model.resolution):
        document["speed_here"] = asdict(here)
        sys.stderr.write(f"model: {here.sentence()}\n")
    sys.stdout.write(json.dumps(document, indent=1) + "\n")
    return 0


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
