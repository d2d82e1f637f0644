"""A row for each label: how many pictures it has, how right it is, and which ones show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from mapsight.records import OTHER
from mapsight.report.charts.plots import Interval
from mapsight.report.links import anchor

if TYPE_CHECKING:
    from mapsight.report.cards import Card, Sheet

__all__ = ["LabelRow", "label_rows"]

STRIP = 6
"""Pictures of a row that is not opened."""


@dataclass(frozen=True)
class LabelRow:
    """Hold a label; `right` is its accuracy where it was measured, `sheets` are of four kinds."""

    label: str
    id: str
    pictures: int
    share: float
    right: Interval | None
    strip: Sequence[Card]
    sheets: Sequence[Sheet]


def label_rows(
    labels: Sequence[Mapping[str, Any]],
    accuracy: Sequence[Mapping[str, Any]],
    ranked: Mapping[str, Sheet],
    chosen: Mapping[str, Sequence[Sheet]],
) -> list[LabelRow]:
    """Return the labels that pictures have, most frequent first and `other` last.

    Args:
        labels: of labels.csv.
        accuracy: as `read_accuracy` returns it.
        ranked: the highest ranked pictures by label.
        chosen: other sheets by label.
    """
    right = {row["label"]: row["top1"] for row in accuracy}
    rows = []
    for row in sorted(labels, key=lambda row: (row["label"] == OTHER, -row["pictures"])):
        label = row["label"]
        own = [ranked[label]] if label in ranked else []
        sheets = [sheet for sheet in (*chosen.get(label, ()), *own) if sheet.cards]
        if row["pictures"] or sheets:
            fields = (row["pictures"], row["share"], right.get(label), _strip(sheets), sheets)
            rows.append(LabelRow(label, anchor("label", label), *fields))
    return rows


def _strip(sheets: Sequence[Sheet]) -> list[Card]:
    """Return the first pictures of each sheet in turn, each once."""
    longest = max((len(sheet.cards) for sheet in sheets), default=0)
    turns = ([sheet.cards[n] for sheet in sheets if n < len(sheet.cards)] for n in range(longest))
    cards = {card.image_id: card for card in reversed([*chain.from_iterable(turns)])}
    return [*reversed(cards.values())][:STRIP]
