"""What the stages that make results leave for the report, by name and type."""

from __future__ import annotations

from dataclasses import dataclass, field

from mapsight.records import COPY_KINDS
from mapsight.workspace.stage_facts import Document, Notes, Rows, named

__all__ = [
    "DuplicateCounts",
    "DuplicateNotes",
    "MergeNotes",
    "RankOptions",
]


@dataclass(frozen=True)
class DuplicateNotes(Notes):
    """Groups by size, and the largest groups (`mapsight.duplicates.sizes.GroupSizes.notes`)."""

    sizes: Rows = field(default_factory=list)
    largest: Rows = field(default_factory=list)


@dataclass(frozen=True)
class DuplicateCounts:
    """Pictures compared, groups, copies beside those to keep and their bytes, buckets cut."""

    pictures: int = 0
    groups: int = 0
    exact: int = 0
    near: int = 0
    mirrored: int = 0
    turned: int = 0
    cropped: int = 0
    bytes: int = 0
    exact_bytes: int = 0
    cut_buckets: int = 0

    @property
    def copies(self) -> int:
        """Return how many pictures of groups are not to be kept."""
        return sum(getattr(self, kind) for kind in COPY_KINDS)

    @classmethod
    def of(cls, duplicates: Document) -> DuplicateCounts:
        """Return the counts of a committed stage `duplicates`."""
        return cls(**named(cls, duplicates["counters"]["duplicates"]))


@dataclass(frozen=True)
class RankOptions:
    """What pictures were ranked by, and in which order."""

    rank_by: str
    order: str
    near_model: bool

    @classmethod
    def of(cls, merge: Document) -> RankOptions:
        """Return those of a committed stage `merge`."""
        return cls(**named(cls, merge["options"]["options"]))


@dataclass(frozen=True)
class MergeNotes(Notes):
    """Rows for contact sheets: ranked pictures by label, groups of duplicates, what was mistaken.

    `shown` has by kind (best, worst, unsure; flagged) those of each label or flag.
    """

    sheets: dict[str, Rows]
    duplicates: Rows = field(default_factory=list)
    suspects: Rows = field(default_factory=list)
    confused: Rows = field(default_factory=list)
    shown: dict[str, dict[str, Rows]] = field(default_factory=dict)
