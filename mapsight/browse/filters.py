"""Which pictures are wanted, as a query string, an option or Python says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from mapsight.browse.filter_values import FilterError, Point, checked, read, written
from mapsight.near_names import near_names

__all__ = ["NAMES", "Filters"]


@dataclass(frozen=True)
class Filters:
    """What a picture must be; nothing is asked by what is left empty.

    Of several values of a field any will do. What is not known of a picture does not fit.

    Args:
        label: predicted labels. truth: labels that people verified.
        style, subset, split, format: as in predictions.parquet.
        license: addresses or short names of licences, or parts of addresses.
        min_ppi and the like: least and most of a measure, both of which fit.
        cell: numbers of cells of the index.
        region: corners of a polygon on the map; pictures of the cells that lie in it.
        unsure: only labels with a score below UNSURE.
        flag, without_flag: names of flags of which a picture has one, or none (docs/measures.md).
        no_flags: only pictures without any flag.
        disputed: only pictures for which people verified other labels.
        duplicates: all, hide (of those of a group that fit, one alone) or only (groups alone).

    Raises:
        FilterError: a value is not allowed.
    """

    label: tuple[str, ...] = ()
    style: tuple[str, ...] = ()
    license: tuple[str, ...] = ()
    subset: tuple[str, ...] = ()
    split: tuple[str, ...] = ()
    format: tuple[str, ...] = ()
    truth: tuple[str, ...] = ()
    min_ppi: float | None = None
    max_ppi: float | None = None
    min_sharpness: float | None = None
    max_sharpness: float | None = None
    min_pixels: float | None = None
    max_pixels: float | None = None
    min_score: float | None = None
    max_score: float | None = None
    min_entropy: float | None = None
    max_entropy: float | None = None
    min_gradient: float | None = None
    max_gradient: float | None = None
    min_bytes: float | None = None
    max_bytes: float | None = None
    min_quality: float | None = None
    max_quality: float | None = None
    cell: tuple[int, ...] = ()
    region: tuple[Point, ...] = ()
    flag: tuple[str, ...] = ()
    without_flag: tuple[str, ...] = ()
    no_flags: bool = False
    unsure: bool = False
    disputed: bool = False
    duplicates: str = "all"

    def __post_init__(self) -> None:
        for name in NAMES:
            object.__setattr__(self, name, checked(name, getattr(self, name)))

    @classmethod
    def of(cls, **named: Any) -> Filters:
        """Return filters that are named; a text or a number may stand for several of them.

        Raises:
            FilterError: a name or a value is not allowed.
        """
        for name, value in named.items():
            if name not in NAMES:
                raise FilterError(name, value, _no_filter(name))
        return cls(**named)

    @classmethod
    def parse(cls, query: Mapping[str, str | Sequence[str]]) -> Filters:
        """Return the filters of a query string: each name's values, or its only one.

        Raises:
            FilterError: a name or a value is not allowed, or is there too often.
        """
        for name in query:
            if name not in NAMES:
                raise FilterError(name, _first(query[name]), _no_filter(name))
        return cls(**{name: read(name, values) for name, values in query.items()})

    def words(self) -> list[tuple[str, str]]:
        """Return the names and values that `parse` reads, sorted, without what is left empty."""
        return sorted(pair for name in NAMES for pair in written(name, getattr(self, name)))

    def bounds(self, measure: str) -> tuple[float | None, float | None]:
        """Return the (least, most) of a measure."""
        return getattr(self, f"min_{measure}"), getattr(self, f"max_{measure}")


NAMES = tuple(one.name for one in fields(Filters))


def _no_filter(name: str) -> str:
    near = near_names(name, NAMES, 1)
    return f"no filter; did you mean {near[0]}?" if near else "no filter"


def _first(values: str | Sequence[str]) -> str:
    return values if isinstance(values, str) else next(iter(values), "")
