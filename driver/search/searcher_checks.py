"""What may be asked of a Searcher: each option, and what is told of one that is wrong."""

from __future__ import annotations

import operator
from argparse import Namespace
from collections.abc import Collection
from typing import Any

from mapsight.labels.labeler import near_labels
from mapsight.records import OTHER
from mapsight.search.choices import FEATURES, MAX_TOP_K, RANKS, STYLES

__all__ = ["check_options", "known_label"]

TOLD = 20


def check_options(asked: Namespace) -> None:
    """Raises ValueError with the option and what is allowed, for the first one that is wrong."""
    _one_of("features", asked.features, (None, *FEATURES))
    _one_of("style", asked.style, STYLES)
    _one_of("rank_by", asked.rank_by, RANKS)
    asked.top_k = _whole_number("top_k", asked.top_k, MAX_TOP_K)
    if asked.probe is not None:
        asked.probe = _whole_number("probe", asked.probe)
    if asked.recall is not None and not (_is_number(asked.recall) and 0 <= asked.recall <= 1):
        raise ValueError(f"recall {asked.recall!r}: a share, 0 to 1, or None")
    if not (_is_number(asked.min_ppi) and 0 <= asked.min_ppi < float("inf")):
        raise ValueError(f"min_ppi {asked.min_ppi!r}: a number, 0 or more")
    for name in ("license", "subset"):
        if not isinstance(value := getattr(asked, name), str | None):
            raise ValueError(f"{name} {value!r}: text, or None for any")


def known_label(label: str | None, known: Collection[str]) -> str | None:
    """A label as the workspace writes it, which may be given in any case.

    Raises:
        ValueError: there is none of that name; near ones are told, or else some.
    """
    if label is None:
        return None
    names = {name.casefold(): name for name in sorted({*known, OTHER})}
    if not isinstance(label, str):
        raise ValueError(f"label {label!r}: the name of a label, or None for any")
    if label.casefold() in names:
        return names[label.casefold()]
    near = near_labels(label, names.values())
    if near:
        told = f"did you mean {', '.join(near)}?"
    else:
        told = f"one of {', '.join(list(names.values())[:TOLD])}"
        told += ", …" if len(names) > TOLD else ""
    raise ValueError(f"label {label!r}: the workspace has no such label; {told}")


def _one_of(name: str, value: Any, allowed: tuple[str | None, ...]) -> None:
    if not isinstance(value, str | None) or value not in allowed:
        raise ValueError(f"{name} {value!r}: one of {', '.join(map(str, allowed))}")


def _whole_number(name: str, value: Any, most: int | None = None) -> int:
    upto = f"1 to {most:,}" if most else "1 or more"
    try:
        number = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} {value!r}: a whole number, {upto}") from None
    if number < 1 or (most and number > most):
        raise ValueError(f"{name} {value!r}: {upto}")
    return number


def _is_number(value: Any) -> bool:
    try:
        return float(value) == value
    except (TypeError, ValueError):
        return False
