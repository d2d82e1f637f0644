"""Types of options: text to values, odd numbers refused."""

from __future__ import annotations

import argparse
import re

from mapsight.labels.ranking import parse_ranks

__all__ = [
    "LARGEST",
    "WHOLE",
    "from_zero",
    "labels_in",
    "not_negative",
    "number",
    "positive",
    "positive_real",
    "ranks",
    "share",
    "whole",
]

LARGEST = 10**12
"""Of whole numbers; real ones end at 10⁹, and are 10⁻⁹ or more where they must be above 0."""
REAL_LARGEST = 1e9
WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def whole(text: str) -> int:
    """Read a whole number in plain digits.

    >>> whole("224")
    224
    """
    if not WHOLE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def from_zero(text: str) -> int:
    """Read a whole number from 0 to LARGEST."""
    if not WHOLE.fullmatch(text) or not 0 <= int(text) <= LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {LARGEST:,}")
    return int(text)


def number(text: str) -> float:
    """Read a finite number in plain digits; neither nan nor infinity, no underscores.

    >>> number("1e-3")
    0.001
    """
    if not NUMBER.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number")
    return float(text)


def positive(text: str) -> int:
    """Read a whole number from 1 to LARGEST."""
    if not WHOLE.fullmatch(text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    if int(text) > LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is more than {LARGEST:,}")
    return int(text)


def not_negative(text: str) -> float:
    """Read a number from 0 to REAL_LARGEST."""
    value = number(text)
    if not 0 <= value <= REAL_LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {REAL_LARGEST:g}")
    return value + 0.0  # -0 is 0


def positive_real(text: str) -> float:
    """Read a number from 1 / REAL_LARGEST to REAL_LARGEST."""
    value = number(text)
    if not 1 / REAL_LARGEST <= value <= REAL_LARGEST:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a positive number up to {REAL_LARGEST:g}"
        )
    return value


def share(text: str) -> float:
    """Read a number from 0 to 1."""
    value = number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")
    return value + 0.0


def ranks(text: str) -> str:
    """Check that text is as `parse_ranks` takes it."""
    try:
        parse_ranks(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def labels_in(text: str) -> list[str]:
    """Split text at commas.

    >>> labels_in("Lion, Tiger")
    ['Lion', 'Tiger']
    """
    return [part.strip() for part in text.split(",") if part.strip()]
