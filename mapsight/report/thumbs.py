"""The pictures of a report: each written once, however many sheets show it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence
from pathlib import Path

from mapsight.report.cards import Card, Sheet

__all__ = ["each_once", "write_thumbnails"]


def each_once(sheets: Sequence[Sheet]) -> list[Card]:
    """Return each picture once, as it is shown large."""
    cards = {card.image_id: card for sheet in reversed(sheets) for card in reversed(sheet.cards)}
    return [*reversed(cards.values())]


def write_thumbnails(out: Path, sheets: Sequence[Sheet]) -> dict[str, str]:
    """Write every card's thumbnail once and return the addresses by image_id.

    Files are named by a hash, as an `image_id` may contain any character.
    """
    (out / "thumbs").mkdir(parents=True, exist_ok=True)
    written = {}
    for card in itertools.chain.from_iterable(sheet.cards for sheet in sheets):
        if card.thumbnail:
            name = hashlib.sha256(card.image_id.encode("utf-8", "surrogatepass")).hexdigest()
            written[card.image_id] = f"thumbs/{name[:24]}.jpg"
            (out / written[card.image_id]).write_bytes(card.thumbnail)
    return written
