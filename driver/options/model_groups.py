"""Options that say which model is used, or from what it is built."""

from __future__ import annotations

import argparse

from driver.errors import UsageError
from driver.options.types import number, whole

__all__ = ["add_model_options", "add_size_options", "check_model_options"]


def add_size_options(group: argparse._ArgumentGroup) -> None:
    """Add the size of the model."""
    group.add_argument(
        "--alpha",
        type=number,
        choices=[0.25, 0.5, 0.75, 1.0],
        default=1.0,
        help="width of MobileNet (default: %(default)s)",
    )
    group.add_argument(
        "--resolution",
        type=whole,
        choices=[128, 160, 192, 224],
        default=224,
        help="side of the model's input, in pixels (default: %(default)s)",
    )
    group.add_argument(
        "--precision",
        choices=["float32", "int8"],
        default="float32",
        help="number format of the model (default: %(default)s)",
    )


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add which model is used, or from what it is built."""
    group = parser.add_argument_group("model")
    add_size_options(group)
    group.add_argument(
        "--weights",
        metavar="FILE",
        help="weights file, or a folder of them (default: $MAPSIGHT_WEIGHTS, else downloaded)",
    )
    group.add_argument(
        "--model",
        metavar="FILE",
        help="LiteRT file of any image model with an embedding; what it does not say of itself "
        "stands in a TOML of the same name beside it (default: built from weights)",
    )
    group.add_argument(
        "--calibration",
        metavar="DIR",
        help="30 pictures or more that bring int8 nearer to float32 (default: none)",
    )


def check_model_options(options: argparse.Namespace) -> None:
    """Refuse to build a model that is named as a file.

    Raises:
        UsageError: --model goes with an option of building one.
    """
    if not options.model:
        return
    if options.weights or getattr(options, "engine", "") == "keras":
        raise UsageError("--model FILE excludes --weights and --engine keras")
    for name in ("calibration", "check"):
        if getattr(options, name, None):
            raise UsageError(f"--model FILE excludes --{name}: no model is built")
