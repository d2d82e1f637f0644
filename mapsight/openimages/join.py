"""Meeting of pictures with what the metadata says of them, by image_id."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mapsight.labels.labeler import Labeler
from mapsight.openimages.dataset import CsvSplit, annotation_rows, merge_annotations
from mapsight.records import OTHER, PROVENANCE

__all__ = ["ANNOTATION", "FEATURES", "PICTURE", "Selection", "annotation_values", "join"]

ANNOTATION, PICTURE = 0, 1
"""Marks of values under an image_id, in the order in which they must come."""

FEATURES = "features"
"""The kind of a split that is a file of feature records."""


@dataclass(frozen=True)
class Selection:
    """Which pictures to go on with; without conditions, all.

    `labels` is MID by name: a picture needs one of them, or one below it in the
    hierarchy, with a confidence above `min_confidence`, given by people or machines.
    `subsets` and `license` (a part of its address, in any case) ask for a field.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    min_confidence: float = 0.99
    subsets: Sequence[str] = ()
    license: str = ""
    parents: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def _labeler(self) -> Labeler:
        return Labeler(self.labels, self.parents)

    @property
    def everything(self) -> bool:
        """Return whether there is no condition."""
        return not (self.labels or self.subsets or self.license)

    def admits(self, record: Mapping[str, Any]) -> bool:
        """Return whether a joined record fulfils every condition."""
        return (
            (not self.subsets or record.get("subset", "").lower() in self.subsets)
            and self.license.lower() in record.get("license", "").lower()
            and (not self.labels or self._shows(record.get("annotation") or {}))
        )

    def _shows(self, annotation: Mapping[str, Any]) -> bool:
        return any(
            confidence > self.min_confidence and self._labeler.fold(mid) != OTHER
            for mid, confidence, _ in annotation.get("labels", ())
        )


def annotation_values(
    split: CsvSplit, counts: Counter[tuple[str, str]]
) -> Iterator[tuple[str, list[Any]]]:
    """Yield (image_id, [ANNOTATION, part of an annotation]) for each row of metadata.

    Args:
        counts: gets `annotations` `rows` and `malformed`, also where they are 0; malformed
            rows are left out.
    """
    counts.update({("annotations", "rows"): 0, ("annotations", "malformed"): 0})
    for row in annotation_rows(split):
        counts["annotations", "rows"] += 1
        counts["annotations", "malformed"] += row is None
        if row:
            yield row[0], [ANNOTATION, row[1]]


def join(
    image_id: str,
    values: Iterable[tuple[int, Mapping[str, Any]]],
    selection: Selection,
    counts: Counter[tuple[str, str]],
    *,
    metadata: bool = True,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Join the records of one image_id.

    Args:
        values: (ANNOTATION, part of an annotation) and (PICTURE, feature record), those
            before these. Memory: one annotation.
        selection: pictures that it does not admit are counted and left out, rejected
            ones go through.
        counts: gets `annotations` `without_picture`, and `images` `without_annotation`
            and `not_selected`.
        metadata: there is some; else no picture misses its annotation.

    Yields:
        The feature record with `annotation` ({} where there is none) and what the
        metadata says of its origin. `{"orphan": "annotation"}` for an annotation without
        a picture; `{"orphan": "picture"}`, beside its record, for a picture that could be
        used and that the metadata does not know, selected or not.
    """
    annotation: dict[str, Any] | None = None
    found = False
    for kind, group in itertools.groupby(values, key=lambda value: value[0]):
        if kind == ANNOTATION:
            annotation = merge_annotations(part for _, part in group)
            continue
        found = True
        for _, feature in group:
            record = _joined(feature, annotation or {})
            if "error" not in record:
                if annotation is None and metadata:
                    counts["images", "without_annotation"] += 1
                    yield image_id, {"orphan": "picture"}
                if not selection.admits(record):
                    counts["images", "not_selected"] += 1
                    continue
            yield image_id, record
    if not found:
        counts["annotations", "without_picture"] += 1
        yield image_id, {"orphan": "annotation"}


def _joined(feature: Mapping[str, Any], annotation: Mapping[str, Any]) -> dict[str, Any]:
    """A feature record with its annotation; what travelled with the picture wins."""
    known = {name: annotation[name] for name in PROVENANCE if name in annotation}
    if "error" in feature:
        return {**known, **feature}
    rest = {name: annotation[name] for name in ("labels", "boxes") if annotation.get(name)}
    return {**known, **feature, "annotation": rest}
