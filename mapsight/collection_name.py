"""What a collection of pictures is called, in its report and on its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mapsight.text import amount

__all__ = ["collection_name"]

USUAL_NAMES = ("data", "images", "openimages", "photos", "pictures", "train", "test")
"""Names of folders that say less than what they are in."""


def collection_name(run: Mapping[str, Any]) -> str:
    """Return what a collection is called: the last names of the inputs that it was made of.

    >>> collection_name({"inputs": ["/data/zoo/images/", "s3://b/cats-*.tar"], "run_id": "8d02"})
    'zoo/images, cats-*.tar'
    """
    names = [_input_name(address) for address in run["inputs"]]
    rest = len(names) - 3
    named = ", ".join(dict.fromkeys(names[:3])) + (f" and {amount(rest)} more" if rest > 0 else "")
    return named or f"Run {run['run_id']}"


def _input_name(address: str) -> str:
    parts = [part for part in address.split("://")[-1].split("/") if part not in ("", ".", "..")]
    usual = parts[-1:] and parts[-1].lower() in USUAL_NAMES
    return "/".join(parts[-2 if usual else -1 :]) or address
