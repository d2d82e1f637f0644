"""Which pictures serve for what: to fit, to tune, to test; and those on two sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mapsight.labels.head import DRAWING, PHOTO
from mapsight.labels.labeler import Labeler
from mapsight.npz import read_npz
from mapsight.records import is_picture

__all__ = [
    "SPLITS",
    "Example",
    "Leaks",
    "count_examples",
    "example_in",
    "example_of",
    "split_of",
    "style_of",
]

SPLITS = ("test", "validation", "train")
"""In the order in which a picture that is on several sides stays on one."""
PUBLISHED = {"test": "test", "validation": "validation", "val": "validation", "train": "train"}
MOST_LEAKS = 4_000_000
MOST_LEAK_BYTES = 9 * MOST_LEAKS + 8192
DEPICTION = 8
"""Where IsDepiction stands in a box of an annotation."""


@dataclass(frozen=True)
class Example:
    """What is known of a picture: `present` labels (None: unknown), `absent` ones, its style."""

    split: str
    present: tuple[str, ...] | None
    absent: tuple[str, ...]
    style: str
    dhash: str

    @property
    def useful(self) -> bool:
        """Return whether anything can be learned from it."""
        return self.present is not None or bool(self.absent or self.style)


def split_of(record: Mapping[str, Any]) -> str:
    """Return its published subset; else 70, 15 and 15 % of all by the SHA-256 of their bytes."""
    published = PUBLISHED.get(record.get("subset", "").lower())
    if published:
        return published
    share = int(record["sha256"][:8], 16) / (1 << 32)
    return "train" if share < 0.7 else "validation" if share < 0.85 else "test"


def style_of(boxes: Iterable[list[Any]]) -> str:
    """Return photo or drawing, as most boxes of known depiction say.

    "" if that is nothing or a tie.
    """
    flags = Counter(box[DEPICTION] for box in boxes)
    if flags[1] == flags[0]:
        return ""
    return DRAWING if flags[1] > flags[0] else PHOTO


def example_of(record: Mapping[str, Any], labeler: Labeler) -> Example | None:
    """Return what a joined record can teach; None if it is no picture."""
    if not is_picture(record):
        return None
    annotation = record.get("annotation") or {}
    present, absent = labeler.truth(annotation.get("labels", ()))
    known = None if present is None else tuple(present)
    style = style_of(annotation.get("boxes", ()))
    return Example(split_of(record), known, tuple(absent), style, record["dhash"])


def example_in(split: str, record: Mapping[str, Any], labeler: Labeler) -> Example | None:
    """Return what a joined record can teach if it lies in a split; None if it teaches nothing."""
    example = example_of(record, labeler)
    return example if example and example.useful and example.split == split else None


def count_examples(
    rows: Iterable[tuple[int, str, list[str], str]], counts: Counter[tuple[str, ...]]
) -> Iterator[tuple[str, int, int]]:
    """Count the examples of one dHash; those on another side than the first are left out.

    Args:
        rows: (number of the split, image_id, present labels, style), sorted.
        counts: gets `class`, split, label, style ("" unknown) and `left_out`, split.

    Yields:
        (image_id, its split, the split on which its twin stays), by number.
    """
    kept = None
    for split, image_id, labels, style in rows:
        kept = split if kept is None else kept
        if split != kept:
            counts["left_out", SPLITS[split]] += 1
            yield image_id, split, kept
            continue
        counts["style", SPLITS[split], style] += 1
        for label in labels:
            counts["class", SPLITS[split], label, style] += 1


class Leaks:
    """Pictures that lie on two sides, by dHash. Memory: 9 bytes each, MOST_LEAKS at most."""

    def __init__(self, kept: Mapping[int, int] | None = None) -> None:
        """`kept` is the number of the split that keeps a dHash."""
        pairs = sorted((kept or {}).items())
        if len(pairs) > MOST_LEAKS:
            raise ValueError(f"{len(pairs)} pictures are in several splits; at most {MOST_LEAKS}")
        self.hashes = np.array([pair[0] for pair in pairs], np.uint64)
        self.splits = np.array([pair[1] for pair in pairs], np.uint8)

    def leave_out(self, example: Example) -> bool:
        """Return whether a twin of the picture stays on another side."""
        if not self.hashes.size:
            return False
        key = np.uint64(int(example.dhash, 16))
        place = int(np.searchsorted(self.hashes, key))
        found = place < len(self.hashes) and self.hashes[place] == key
        return bool(found) and SPLITS[self.splits[place]] != example.split

    def save(self, path: Any) -> None:
        """Write them as .npz."""
        np.savez(path, hashes=self.hashes, splits=self.splits)

    @classmethod
    def load(cls, path: str) -> Leaks:
        """Read what `save` wrote."""
        leaks = cls()
        file = read_npz(path, ("hashes", "splits"), MOST_LEAK_BYTES)
        leaks.hashes, leaks.splits = file["hashes"], file["splits"]
        return leaks
