"""Rows of pictures made into cards, with thumbnails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mapsight.index.pictures import PartPictures, Pictures
    from mapsight.report.cards import Card, Sheet

__all__ = ["SheetRows", "cards_of", "drawn_sheets"]

KEEPER = "keeper"
LARGE_SIDE = 480
"""Pixels of a picture in the report, which is also shown large."""


@dataclass(frozen=True)
class SheetRows:
    """Hold what a contact sheet is made of: rows of pictures that are yet to be decoded."""

    title: str
    note: str = ""
    rows: Sequence[Mapping[str, Any]] = field(default=())


def cards_of(rows: list[dict[str, Any]], pictures: Pictures | PartPictures) -> Iterator[Card]:
    """Yield contact-sheet cards of ranked or found pictures, with thumbnails."""
    from mapsight.features.thumbnails import thumbnail

    thumbnails = {number: thumbnail(data) for number, data in pictures.each(rows)}
    for number, row in enumerate(rows):
        yield _card(row, thumbnails.get(number))


def drawn_sheets(sheets: Iterable[SheetRows], pictures: Pictures) -> list[Sheet]:
    """Return sheets with their pictures, each of which is read and decoded once."""
    from mapsight.features.thumbnails import thumbnail
    from mapsight.report.cards import Sheet

    every = list(sheets)
    rows = [*{row["image_id"]: row for sheet in every for row in sheet.rows}.values()]
    thumbnails = {
        rows[number]["image_id"]: thumbnail(data, LARGE_SIDE)
        for number, data in pictures.each(rows)
    }
    return [
        Sheet(
            sheet.title,
            sheet.note,
            [_card(row, thumbnails.get(row["image_id"])) for row in sheet.rows],
        )
        for sheet in every
    ]


def _card(row: Mapping[str, Any], thumbnail: bytes | None) -> Card:
    from mapsight.report.cards import Card

    return Card(
        image_id=row["image_id"],
        source=row["source"],
        label=_named(row),
        score=row.get("score"),
        rank=row.get("rank"),
        ppi=row.get("ppi"),
        width=row.get("width"),
        height=row.get("height"),
        license=row.get("license"),
        author=row.get("author"),
        title=row.get("title"),
        original=row.get("original_url"),
        copies=row.get("copies") or 0,
        kept=row.get("kind") == KEEPER,
        thumbnail=thumbnail,
    )


def _named(row: Mapping[str, Any]) -> str:
    """Return the label, and the finest class where that says more."""
    finest = row.get("top_label")
    return row["label"] if finest in (None, row["label"]) else f"{row['label']} ({finest})"
