"""What is known of a picture beside its pixels, under the names that people give it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mapsight.redaction import without_secrets

__all__ = ["field_of", "provenance_of", "renamed"]

MAX_TEXT = 2000
NAMES = {
    "original_url": ("original_url", "originalurl", "url", "image_url", "coco_url", "flickr_url"),
    "license": ("license", "licence", "license_url", "rights"),
    "author": ("author", "creator", "photographer", "artist", "owner"),
    "title": ("title",),
    "caption": ("caption", "text", "alt_text", "alt", "description"),
    "subset": ("subset", "split"),
}
FIELDS = {name: field for field, names in NAMES.items() for name in names}


def field_of(column: str) -> str | None:
    """Return the provenance field that a column or key stands for, in any case; else None.

    >>> field_of("OriginalURL"), field_of("TEXT"), field_of("width")
    ('original_url', 'caption', None)
    """
    return FIELDS.get(column.strip().lower().replace("-", "_"))


def renamed(columns: Iterable[str]) -> dict[str, str]:
    """Return field by column, where of several columns for a field the better known name wins."""
    found: dict[str, str] = {}
    for column in columns:
        field = field_of(column)
        if field and (field not in found or _place(field, column) < _place(field, found[field])):
            found[field] = column
    return {column: field for field, column in found.items()}


def _place(field: str, column: str) -> int:
    return NAMES[field].index(column.strip().lower().replace("-", "_"))


def provenance_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the provenance in a row of any table or in the JSON beside a picture.

    Texts are cut off after MAX_TEXT characters; empty ones, lists and maps are left out.

    >>> provenance_of({"URL": "http://a/b.jpg", "TEXT": "a lion", "width": 3})
    {'original_url': 'http://a/b.jpg', 'caption': 'a lion'}
    """
    fields = renamed(key for key in row if isinstance(key, str))
    found = {field: _text(row[column]) for column, field in fields.items()}
    return {field: text for field, text in found.items() if text}


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8-sig", "replace")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return without_secrets(str(value).encode("utf-8", "replace").decode("utf-8").strip()[:MAX_TEXT])
