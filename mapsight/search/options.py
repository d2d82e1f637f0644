"""The options of a search by the index, and what is told of one that is wrong."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mapsight.labels.flags import FLAG_NAMES, NO_FLAGS, bits_of
from mapsight.labels.labeler import near_labels, resolve_targets
from mapsight.records import OTHER
from mapsight.search.choices import FEATURES, MAX_TOP_K, NEAR_COPIES, RANKS, STYLES

__all__ = ["SearchOptions", "known_label"]

SHOWN = 20


@dataclass(frozen=True)
class SearchOptions:
    """What is asked of a search beside its queries, as the command `search` has it."""

    top_k: int = 10
    label: str | None = None
    style: str | None = None
    min_ppi: float = 0.0
    license: str | None = None
    subset: str | None = None
    features: str | None = None
    probe: int | None = None
    recall: float | None = None
    rank_by: str | None = None
    exclude_self: bool = False
    mean: bool = False
    allow_private: bool = False
    min_score: float | None = None
    near_copies: str | None = None
    flag: str | Sequence[str] = ()
    without_flag: str | Sequence[str] = ()
    no_flags: bool = False

    @property
    def is_folded(self) -> bool:
        """Return whether near-duplicates are one answer."""
        return self.near_copies == "fold" or self.rank_by == "diverse"

    @property
    def is_arranged(self) -> bool:
        """Return whether more pictures than are asked for are put in another order, or folded."""
        return self.is_folded or self.rank_by == "ppi"

    @property
    def cuts_early(self) -> bool:
        """Return whether answers below `min_score` go before others are put in order."""
        return self.min_score is not None and self.rank_by in ("ppi", "diverse")

    @property
    def flag_bits(self) -> dict[str, int]:
        """Return which flags answers have one of, and which they have none of, as bits."""
        without = NO_FLAGS if self.no_flags else bits_of(self.without_flag)
        return {"flag": bits_of(self.flag), "without_flag": without}

    def checked(self, labels: Collection[str]) -> SearchOptions:
        """Return these options with the label as the workspace writes it.

        Raises:
            ValueError: one is wrong; names it, its value and what is allowed.
        """
        _one_of("features", self.features, (None, *FEATURES))
        allowed_of = (("style", STYLES), ("rank_by", RANKS), ("near_copies", NEAR_COPIES))
        for name, allowed in allowed_of:
            if getattr(self, name) is not None:
                _one_of(name, getattr(self, name), allowed)
        for name in ("recall", "min_score"):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and 0 <= value <= 1):
                raise ValueError(f"{name} {value!r}: a share, 0 to 1, or None")
        if not (_is_number(self.min_ppi) and 0 <= self.min_ppi < float("inf")):
            raise ValueError(f"min_ppi {self.min_ppi!r}: a number, 0 or more")
        for name in ("license", "subset"):
            if not isinstance(value := getattr(self, name), str | None):
                raise ValueError(f"{name} {value!r}: text, or None for any")
        return replace(
            self,
            flag=_flags("flag", self.flag),
            without_flag=_flags("without_flag", self.without_flag),
            top_k=_whole_number("top_k", self.top_k, MAX_TOP_K),
            probe=None if self.probe is None else _whole_number("probe", self.probe),
            label=known_label(self.label, labels),
        )


def _flags(name: str, given: Any) -> tuple[str, ...]:
    """Return the names of flags, of which a text is one."""
    names = (given,) if isinstance(given, str) else tuple(given)
    for one in names:
        if one not in FLAG_NAMES:
            raise ValueError(f"{name} {one!r}: one of {', '.join(FLAG_NAMES)}")
    return names


def known_label(label: str | None, labels: Collection[str]) -> str | None:
    """Return a label as the workspace writes it, which may be given in any case, or as its MID.

    Args:
        labels: names, which may lead to their MIDs.

    Raises:
        ValueError: there is none of that name; near ones are told, or else the first ones.
    """
    if label is None:
        return None
    names = {name.casefold(): name for name in sorted({*labels, OTHER})}
    if not isinstance(label, str):
        raise ValueError(f"label {label!r}: the name of a label, or None for any")
    if label.casefold() in names:
        return names[label.casefold()]
    if name := _of_mid(label, labels):
        return name
    near = near_labels(label, names.values())
    if near:
        advice = f"did you mean {', '.join(near)}?"
    else:
        advice = f"one of {', '.join(list(names.values())[:SHOWN])}"
        advice += ", …" if len(names) > SHOWN else ""
    raise ValueError(f"label {label!r}: the workspace has no such label; {advice}")


def _of_mid(text: str, labels: Collection[str]) -> str:
    """Return the label that has a MID; "" if none has."""
    known = {name: mid for name, mid in labels.items() if mid} if isinstance(labels, dict) else {}
    with contextlib.suppress(ValueError):
        (name,) = resolve_targets([text], known)
        return name if name in labels else ""
    return ""


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
