"""What stages leave for later ones, by name and type; documents are checked where they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

__all__ = [
    "AnnotateCounts",
    "ClassifyNotes",
    "Document",
    "ExtractNotes",
    "ExtractOptions",
    "FetchNotes",
    "FitNotes",
    "Notes",
    "PictureCounts",
    "PlanNotes",
    "Rows",
    "ShardNotes",
    "SideFiles",
    "UploadNotes",
    "named",
]

Document = Mapping[str, Any]
"""The stage.json of a committed stage."""
Rows = list[dict[str, Any]]
AnyNotes = TypeVar("AnyNotes", bound="Notes")


def named(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are fields of a dataclass; others are nobody's."""
    names = [one.name for one in fields(kind)]
    return {name: values[name] for name in names if name in values}


@dataclass(frozen=True)
class Notes:
    """Notes of a committed stage by name; those that a stage may leave out have a default."""

    @classmethod
    def of(cls: type[AnyNotes], document: Document) -> AnyNotes:
        """Return those of a stage's document."""
        return cls(**named(cls, document["notes"]))


@dataclass(frozen=True)
class PlanNotes(Notes):
    """The input: splits by kind, as mappings of their fields; `inputs` as the user typed them."""

    digest: str
    listings: dict[str, str]
    files: Rows
    urls: Rows
    tar: Rows
    parquet: Rows
    inputs: list[str] = field(default_factory=list)

    def splits(self, kind: str) -> Rows:
        """Return the splits of a listing, `files` or `urls`."""
        return {"files": self.files, "urls": self.urls}[kind]


@dataclass(frozen=True)
class UploadNotes(Notes):
    """Of ingest, explore or annotate: copies in the workspace by the address copied."""

    uploads: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ShardNotes(Notes):
    """Of ingest or fetch: splits, with addresses below a folder of the workspace."""

    shards: Rows


@dataclass(frozen=True)
class FetchNotes(ShardNotes):
    """URLs that `failed` and may succeed another time; answers that were the `same`."""

    failed: int
    same: int = 0


@dataclass(frozen=True)
class SideFiles:
    """Files in archives that tell of no picture: how many, and the name of the first."""

    number: int
    first: str

    @classmethod
    def of(cls, ingest: Document) -> SideFiles:
        """Return those of a committed stage `ingest`."""
        number = ingest["counters"].get("archives", {}).get("side_files_without_picture", 0)
        return cls(number, ingest["notes"].get("side_file", ""))


@dataclass(frozen=True)
class PictureCounts:
    """What became of the pictures that were read: `errors` counts those rejected, by code."""

    read: int
    extracted: int
    errors: dict[str, int]

    @classmethod
    def of_counters(cls, images: Mapping[str, int]) -> PictureCounts:
        """Return the counts of the group `images` of counters.

        >>> PictureCounts.of_counters({"read": 3, "extracted": 2, "empty": 1}).rejected
        1
        """
        others = {name: n for name, n in images.items() if name not in ("read", "extracted")}
        return cls(images.get("read", 0), images.get("extracted", 0), others)

    @classmethod
    def of(cls, extract: Document) -> PictureCounts:
        """Return the counts of a committed stage `extract`."""
        return cls.of_counters(extract["counters"].get("images", {}))

    @property
    def rejected(self) -> int:
        """Return how many pictures cannot be used."""
        return sum(self.errors.values())


@dataclass(frozen=True)
class ExtractOptions:
    """The model that made the features, by its SHA-256, and the column pictures were read from.

    `alpha` is None of what is no MobileNet.
    """

    model: str
    alpha: float | None
    resolution: int
    precision: str
    engine: str
    image_column: str | None

    @classmethod
    def of(cls, extract: Document) -> ExtractOptions:
        """Return those of a committed stage `extract`."""
        return cls(**named(cls, extract["options"]))


@dataclass(frozen=True)
class ExtractNotes(Notes):
    """The model file in the workspace, its classes, and how many file names pictures share.

    `classes` are none where they are ImageNet's, or where the model `has_classes` not.
    """

    model_file: str
    classes: list[str]
    shared_names: int | None = None
    has_classes: bool = True

    @property
    def own_classes(self) -> list[str] | None:
        """Return the classes of the model; None for ImageNet's."""
        return self.classes if self.classes or not self.has_classes else None


@dataclass(frozen=True)
class AnnotateCounts:
    """Pictures that were not selected or have no metadata, and ids that have no picture."""

    not_selected: int
    without_annotation: int
    without_picture: int

    @classmethod
    def of(cls, annotate: Document) -> AnnotateCounts:
        """Return the counts of a committed stage `annotate`."""
        images = annotate["counters"].get("images", {})
        ids = annotate["counters"].get("annotations", {})
        return cls(
            images.get("not_selected", 0),
            images.get("without_annotation", 0),
            ids.get("without_picture", 0),
        )


@dataclass(frozen=True)
class FitNotes(Notes):
    """The SHA-256 of the head if it was given, and why none was fitted."""

    given: str | None = None
    why: str | None = None


@dataclass(frozen=True)
class ClassifyNotes(Notes):
    """Targets that no class of the model is below."""

    missing: list[str]
