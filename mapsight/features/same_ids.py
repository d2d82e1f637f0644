"""Which of several records keeps an image_id.

An id that the input gives is kept by the first picture that can be used. A file name is
an id only while one picture has it: of several, each gets the hash of its source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mapsight.inputs.image_ids import source_id
from mapsight.records import error_record

__all__ = ["order_of", "with_own_ids"]

DIGITS = 19  # of an int64: as text, ordinals sort as numbers only at equal length
GIVEN, NAMED, UNUSABLE = "012"

Value = tuple[str, dict[str, Any], bool]
"""(what sorts it, a feature record, whether its id is the name of its file)."""


def order_of(feature: Mapping[str, Any], ordinal: int, *, named: bool) -> str:
    """Return text that sorts the records of one id: given ids, names, then unusable ones.

    Args:
        named: the id is the name of a file, and names are no ids by themselves. Equal
            sources then sort side by side.

    >>> order_of({"source": "a"}, 7, named=False) < order_of({"error": "empty"}, 3, named=False)
    True
    """
    place = f"{ordinal:0{DIGITS}d}"
    if "error" in feature:
        return UNUSABLE + place
    return NAMED + source_id(feature["source"]) + place if named else GIVEN + place


def with_own_ids(
    image_id: str, values: Iterable[Value]
) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Give every record of one id the id that is its own.

    Args:
        values: sorted. Memory: two of them.

    Yields:
        (image_id, feature record, whether a name is shared) for each. Of given ids the first
        keeps it, and the others are errors (`duplicate_id`), as is a picture that was
        named twice. Records that cannot be used have their own error.
    """
    left = iter(values)
    value = next(left, None)
    first = ""
    while value is not None:
        order, feature, named = value
        source = feature["source"]
        if order[0] == NAMED:
            again, value = _past(left, source)
            alone = not first and (value is None or value[0][0] != NAMED)
            own_id = image_id if alone else source_id(source)
            yield own_id, feature, not alone
            yield from ((own_id, _duplicate(source, source), False) for _ in range(again))
            first = first or source
            continue
        if order[0] == GIVEN and first:
            yield image_id, _duplicate(source, first), named
        else:
            yield image_id, feature, False
            first = first or source
        value = next(left, None)


def _past(values: Iterator[Value], source: str) -> tuple[int, Value | None]:
    """How often a source comes again, and the value after that."""
    again = 0
    for value in values:
        if value[0][0] != NAMED or value[1]["source"] != source:
            return again, value
        again += 1
    return again, None


def _duplicate(source: str, first: str) -> dict[str, Any]:
    detail = f"the first picture with this id is {first}"
    return {"source": source, **error_record("duplicate_id", detail)}
