"""What all rows about one picture say together: sums over pictures."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mapsight.explore.rows import ABSENT, MACHINE, PRESENT, SURE, UNCLEAR
from mapsight.explore.sums import FIRST, TOPS, Key, Sums, Top, first_of, merge_values
from mapsight.openimages.columns import FLAGS, SUBSETS
from mapsight.openimages.hierarchy import ancestors

__all__ = ["MEASURES", "PAIR_LABELS", "PictureCounter", "boxes_bin", "boxes_bin_end"]

PAIR_LABELS = 256
"""A picture with more verified labels is left out of the pairs, and counted."""
HISTOGRAM_EXACT = 64
KIND_NAMES = {PRESENT: "present", ABSENT: "absent", MACHINE: "machine"}
MEASURES = (
    *("pictures", "listed", "listed_again", "not_listed", "other_subset"),
    *("labelled", "without_label", "verified", "sure", "boxed", "without_pairs"),
    *("label_rows", "label_rows_again", "sure_rows", "unclear_rows"),
    *("present", "absent", "contradicted", "machine"),
    *("verified_labels", "verified_labels_squared", "boxes", "boxes_squared", "box_classes"),
)
"""What is summed per subset; docs/explore.md says what each is."""


def boxes_bin(boxes: int) -> int:
    """Return the lower end of the histogram's bin: exact below 64, then half octaves.

    >>> [boxes_bin(n) for n in (0, 5, 63, 64, 90, 96, 10_000)]
    [0, 5, 63, 64, 64, 96, 8192]
    """
    if boxes < HISTOGRAM_EXACT:
        return boxes
    power = 1 << (boxes.bit_length() - 1)
    return power if boxes < power * 3 // 2 else power * 3 // 2


def boxes_bin_end(low: int) -> int:
    """Return the last number of the bin that begins with `low`.

    >>> [boxes_bin_end(n) for n in (5, 63, 64, 96, 8192)]
    [5, 63, 95, 127, 12287]
    """
    if low < HISTOGRAM_EXACT:
        return low
    return (low * 4 // 3 if low & (low - 1) else low * 3 // 2) - 1


class Picture:
    """The rows of one picture, folded. Memory: its labels, not its rows."""

    def __init__(self) -> None:
        self.listed = 0
        self.subsets: set[str] = set()  # that image lists say
        self.named: set[str] = set()  # that file names say
        self.texts: list[list[str]] = []  # the smallest of licence, author and rotation
        self.labels: dict[str, int] = {}  # a bit for each kind
        self.boxes: Counter[str] = Counter()
        self.rows: Counter[str] = Counter()

    def add(self, part: Mapping[str, Any]) -> None:
        """Take a part, as `SplitReader` gives them."""
        for subset, *texts in part.get("images", ()):
            self.listed += 1
            self.subsets.add(subset)
            self.texts = [min([*self.texts, texts])]
        if "subset" in part:
            self.named.add(part["subset"])
        self.boxes.update(part.get("boxes", {}))
        for mid, code in part.get("labels", ()):
            self._add_label(mid, code)

    def _add_label(self, mid: str, code: int) -> None:
        kind, bit = code & ~SURE, 1 << (code & ~SURE)
        known = self.labels.get(mid, 0)
        self.rows["label_rows"] += 1
        self.rows["label_rows_again"] += bool(known & bit)
        self.rows["sure_rows"] += bool(code & SURE)
        self.rows["unclear_rows"] += kind == UNCLEAR
        self.labels[mid] = known | bit

    def mids(self, kind: int) -> list[str]:
        """Return the labels of a kind, sorted."""
        return sorted(mid for mid, bits in self.labels.items() if bits >> kind & 1)

    @property
    def subset(self) -> str:
        """Return the subset by the image list, else by the files' names, else `unknown`."""
        for names in (self.subsets, self.named):
            found = names & set(SUBSETS)
            if found:
                return min(found)
        return "unknown"

    def measures(self) -> dict[str, int]:
        """Return the numbers of MEASURES for this picture alone, but for zeros."""
        present, absent = self.mids(PRESENT), self.mids(ABSENT)
        verified, boxes = len({*present, *absent}), self.boxes.total()
        found = {
            "pictures": 1,
            "listed": bool(self.listed),
            "listed_again": max(self.listed - 1, 0),
            "not_listed": not self.listed,
            "other_subset": len((self.subsets | self.named) & set(SUBSETS)) > 1,
            "labelled": bool(self.labels),
            "without_label": not self.labels,
            "verified": bool(verified),
            "sure": bool(self.rows["sure_rows"]),
            "boxed": bool(boxes),
            "without_pairs": len(present) > PAIR_LABELS,
            **self.rows,
            "present": len(present),
            "absent": len(absent),
            "contradicted": len({*present} & {*absent}),
            "machine": len(self.mids(MACHINE)),
            "verified_labels": verified,
            "verified_labels_squared": verified**2,
            "boxes": boxes,
            "boxes_squared": boxes**2,
            "box_classes": len(self.boxes),
        }
        return {name: int(number) for name, number in found.items() if number}


class PictureCounter:
    """Adds pictures up. Memory: `Sums`, and the few largest and first ones."""

    def __init__(self, parents: Mapping[str, Sequence[str]]) -> None:
        self.sums = Sums()
        self._above = ancestors(parents)
        self._most = Top()
        self._first: dict[Key, list[str]] = {}

    def add(self, image_id: str, parts: Iterable[Mapping[str, Any]]) -> None:
        """Count a picture by all of its parts."""
        picture = Picture()
        for part in parts:
            picture.add(part)
        for key, number in self._keys(picture):
            self.sums.add(key, number)
        boxes = picture.boxes.total()
        if boxes:
            self._most.add(("most_boxes", image_id), boxes)
        if not picture.listed:
            self._note("not_listed", image_id)
        if not picture.labels:
            self._note("without_label", image_id)

    def take(self, key: Any, values: Iterable[Any]) -> Iterator[tuple[Key, Any]]:
        """Count what is under a key of `SplitReader.parts`; yield sums that are not for here.

        These are the values of other keys, as one, and all sums where they become too many.
        """
        if isinstance(key, str):
            self.add(key, values)
        elif key[0] == "flags":
            self.add_flags(key, sum(values))
        else:
            yield key, merge_values(key, values)
        if self.sums.full:
            yield from self.drain()

    def add_flags(self, key: Sequence[str], number: int) -> None:
        """Count boxes that are equal in all attributes: `["flags", mid, value, …]`."""
        _, mid, *values = key
        for name, value in zip(FLAGS, values, strict=True):
            if value != "-":
                self.sums.add(("attribute", mid, name, value), number)

    def _note(self, what: str, image_id: str) -> None:
        key = ("first", what)
        self._first[key] = first_of([self._first.get(key, []), [image_id]], FIRST["first"])

    def _keys(self, picture: Picture) -> Iterator[tuple[Key, int]]:
        subset = picture.subset
        for name, number in picture.measures().items():
            yield ("split", subset, name), number
        yield ("boxes", subset, str(boxes_bin(picture.boxes.total()))), 1
        for mid, bits in picture.labels.items():
            for kind, name in KIND_NAMES.items():
                if bits >> kind & 1:
                    yield ("label", mid, name), 1
        for mid, number in picture.boxes.items():
            yield ("label", mid, "boxed"), 1
            yield ("label", mid, "boxes"), number
        present = picture.mids(PRESENT)
        yield from self._classes({*present, *picture.boxes})
        if len(present) <= PAIR_LABELS:
            yield from ((("pair", *pair), 1) for pair in itertools.combinations(present, 2))
        for texts in picture.texts:
            for family, text in zip(("license", "author", "rotation"), texts, strict=True):
                yield (family, text), 1

    def _classes(self, shown: set[str]) -> Iterator[tuple[Key, int]]:
        """A picture counts once for every class it shows, and every class above these."""
        none: frozenset[str] = frozenset()
        for mid in frozenset().union(*(self._above.get(mid, none) for mid in shown)):
            yield ("class", mid, "below"), 1
            if mid in shown:
                yield ("class", mid, "own"), 1

    def drain(self) -> Iterator[tuple[Key, int]]:
        """Return the sums so far, and forget them."""
        return self.sums.drain()

    def results(self) -> Iterator[tuple[Key, Any]]:
        """Yield the sums that are left, then the largest and the first pictures."""
        yield from self.drain()
        yield from (entry for entry in self._most.results() if entry[0][0] in TOPS)
        yield from sorted(self._first.items())
