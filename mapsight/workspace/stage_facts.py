"""What stages leave for later ones, by name and type; documents are checked where they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PictureCounts", "PlanNotes"]

Document = Mapping[str, Any]


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
class PlanNotes:
    """The input of a committed stage `plan`: splits by kind, as mappings of their fields."""

    digest: str
    listings: dict[str, str]
    files: list[dict[str, Any]]
    urls: list[dict[str, Any]]
    tar: list[dict[str, Any]]
    parquet: list[dict[str, Any]]

    @classmethod
    def of(cls, plan: Document) -> PlanNotes:
        """Return the notes of a committed stage `plan`."""
        names = ("digest", "listings", "files", "urls", "tar", "parquet")
        return cls(**{name: plan["notes"][name] for name in names})

    def splits(self, kind: str) -> list[dict[str, Any]]:
        """Return the splits of a listing, `files` or `urls`."""
        return {"files": self.files, "urls": self.urls}[kind]
