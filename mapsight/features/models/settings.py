"""The TOML that says of a model what its file does not."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

from mapsight.features.models.form import BGR, NCHW, NHWC, RGB

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["IMAGENET", "LARGEST", "Settings", "read_settings"]

IMAGENET = "imagenet"
"""Instead of a file of classes: the thousand of ImageNet, in the order of their wnids."""
LARGEST = 1024
"""Side of an input, in pixels."""


@dataclass(frozen=True)
class Settings:
    """What a TOML says; None is what it does not say. Outputs are named by number or name.

    `classes` is the name of a file, IMAGENET, or the names themselves; `origin` is the TOML.
    """

    origin: str = ""
    size: int | None = None
    resize: int | None = None
    range: tuple[float, ...] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    layout: str | None = None
    channels: str | None = None
    embedding: int | str | None = None
    probabilities: int | str | None = None
    logits: int | str | None = None
    classes: str | tuple[str, ...] | None = None


def read_settings(text: str, origin: str) -> Settings:
    """Read a TOML.

    Raises:
        ValueError: it is none, or has a name or a value that is not expected; names it.
    """
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"{origin}: {error}") from None
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in _CHECKS:
            raise ValueError(f"{origin}: {name!r} is unknown; known: {', '.join(_CHECKS)}")
        check, expected = _CHECKS[name]
        if not check(value):
            raise ValueError(f"{origin}: {name} = {value!r}: expected {expected}")
        values[name] = tuple(value) if isinstance(value, list) else value
    settings = Settings(origin, **values)
    _agree(settings)
    return settings


def _agree(settings: Settings) -> None:
    """Refuse values that do not go together."""
    origin = settings.origin
    if settings.probabilities is not None and settings.logits is not None:
        raise ValueError(f"{origin}: probabilities and logits exclude each other")
    if (settings.mean or settings.std) and settings.range is None:
        raise ValueError(
            f"{origin}: mean and std need range: [0, 255] if they are of pixels from 0 to 255,"
            " [0, 1] if they are of pixels from 0 to 1"
        )
    if settings.size and settings.resize and settings.resize < settings.size:
        raise ValueError(f"{origin}: resize = {settings.resize}: at least size, {settings.size}")


def _is_side(value: Any) -> bool:
    return type(value) is int and 1 <= value <= LARGEST


def _is_output(value: Any) -> bool:
    return (type(value) is int and value >= 0) or (isinstance(value, str) and bool(value))


def _are_numbers(value: Any, count: int) -> bool:
    is_list = isinstance(value, list) and len(value) == count
    return is_list and all(type(one) in (int, float) and math.isfinite(one) for one in value)


def _is_range(value: Any) -> bool:
    return _are_numbers(value, 2) and value[0] != value[1]


def _are_deviations(value: Any) -> bool:
    return _are_numbers(value, 3) and all(one > 0 for one in value)


def _are_classes(value: Any) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(isinstance(one, str) and one.strip() for one in names)


_SIDE = (_is_side, f"pixels, 1 to {LARGEST}")
_OUTPUT = (_is_output, "the number or the name of an output")
_CHECKS: dict[str, tuple[Any, str]] = {
    "size": _SIDE,
    "resize": (lambda value: type(value) is int and 1 <= value <= 2 * LARGEST, "pixels"),
    "range": (_is_range, "what black and white become, as [-1, 1], [0, 1] or [0, 255]"),
    "mean": (lambda value: _are_numbers(value, 3), "three numbers"),
    "std": (_are_deviations, "three numbers above 0"),
    "layout": (lambda value: value in (NHWC, NCHW), f'"{NHWC}" or "{NCHW}"'),
    "channels": (lambda value: value in (RGB, BGR), f'"{RGB}" or "{BGR}"'),
    "embedding": _OUTPUT,
    "probabilities": _OUTPUT,
    "logits": _OUTPUT,
    "classes": (_are_classes, f'a file of names, one a line, a list of names, or "{IMAGENET}"'),
}
