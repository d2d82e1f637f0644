"""How good a picture is as an example of its label: one number, by which the best are shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mapsight.labels.flags import share_left

__all__ = ["CRISP", "RICH", "WIDE", "quality_of"]

RICH, CRISP = 7.0, 1.5
"""Bits of entropy, and crispness, from which detail is whole."""
WIDE = 500 * 375
"""Pixels from which size is whole: those of the usual picture of ImageNet."""


def quality_of(record: Mapping[str, Any]) -> float:
    """Return score × detail × size × what its flags leave: 0 to 1, rounded to 6 decimals.

    detail, of pictures of one size, is entropy / RICH times crispness / CRISP, and size the
    fourth root of pixels / WIDE; each of the three is at most 1. docs/measures.md says how well
    that orders pictures.

    Args:
        record: a prediction; a measure that is not known takes nothing away.
    """
    detail = _part(record, "entropy", RICH) * _part(record, "crispness", CRISP)
    size = math.sqrt(math.sqrt(_part(record, "pixels", WIDE)))  # every machine rounds these alike
    return round(record["score"] * detail * size * share_left(record.get("flags", ())), 6)


def _part(record: Mapping[str, Any], name: str, whole: float) -> float:
    return min(record.get(name, whole) / whole, 1.0)
