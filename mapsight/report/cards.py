"""What the report and the page of search results show of pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mapsight.report.overview import Overview

__all__ = ["ARROW", "Answer", "Card", "Extras", "Sheet"]

ARROW = " → "
"""Between the verified and the predicted label of a picture that was mistaken."""


@dataclass(frozen=True)
class Card:
    """Hold a picture as it is shown: width and height in pixels, thumbnail a JPEG.

    `original` is the address that it came from, where the metadata has one. `kept` marks the
    picture of a group of duplicates that is to stay. `copies` counts the near-duplicates that
    this picture stands for.
    """

    image_id: str
    source: str
    label: str | None = None
    score: float | None = None
    rank: int | None = None
    ppi: float | None = None
    width: int | None = None
    height: int | None = None
    license: str | None = None
    author: str | None = None
    title: str | None = None
    original: str | None = None
    thumbnail: bytes | None = None
    kept: bool = False
    copies: int = 0


@dataclass(frozen=True)
class Sheet:
    """Hold a contact sheet: a title, a note (may be empty) and pictures, best first."""

    title: str
    note: str
    cards: Sequence[Card]


@dataclass(frozen=True)
class Extras:
    """Hold what a report shows of pictures beside the ranked ones; all of it may be missing.

    `chosen` are sheets by label (best, most typical, surest, least sure, worst), `outliers` those
    of quality, `places` where cells lie on a map, `flagged` a sample of each flag.
    """

    chosen: Mapping[str, Sequence[Sheet]] = field(default_factory=dict)
    outliers: Sequence[Sheet] = ()
    overview: Overview = field(default_factory=Overview)
    places: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    flagged: Sequence[Sheet] = ()


@dataclass(frozen=True)
class Answer:
    """Hold a query and its results, or the `error` that kept it from being answered.

    `by` says in words what was compared. `label` is the label that results had to have,
    `limits` describes the other filters, `predicted` is the label of the query itself.
    """

    query: str
    thumbnail: bytes | None
    by: str
    label: str | None
    cards: Sequence[Card]
    error: str | None = None
    predicted: str | None = None
    limits: Sequence[str] = ()
