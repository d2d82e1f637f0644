"""A sample of Open Images, drawn from its metadata files, which are read as streams.

Memory: a few blocks of a file, 16 MiB for the ids that have a picture, and for each
label the ids of its sample.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mapsight.labels.labeler import VERIFIED
from mapsight.openimages.sampling import IdFilter, Smallest, numbers_of
from mapsight.openimages.tables import listed_ids, tables

__all__ = ["Draw", "Key", "SubsetFiles", "draw"]

SPARE = 64
LABELS = ("ImageID", "Source", "LabelName", "Confidence")
BOXES = ("ImageID", "LabelName", "IsDepiction")
VERDICTS = {True: pa.array([b"1", b"1.0"]), False: pa.array([b"0", b"0.0"])}
PEOPLE = pa.array(sorted(source.encode() for source in VERIFIED))

Key = tuple[str, bool]
"""A label (MID), and whether people verified that it is there or that it is not."""


@dataclass(frozen=True)
class SubsetFiles:
    """The metadata files of a subset."""

    images: Path
    labels: Path
    boxes: Path


@dataclass(frozen=True)
class Draw:
    """The images that each key may have: (n,) uint64 in the order of the sample, spare ones too.

    `open` says of a key whether there may be more.
    """

    fit: Mapping[Key, np.ndarray]
    open: Mapping[Key, bool]

    def chosen(self, count: int, gone: Collection[int] = ()) -> dict[Key, np.ndarray]:
        """Return the first `count` of each key that are not gone."""
        lost = _array(gone)
        return {key: ids[~np.isin(ids, lost)][:count] for key, ids in self.fit.items()}

    def spent(self, count: int, gone: Collection[int] = ()) -> bool:
        """Return whether a key has fewer left than `count`, though there may be more."""
        chosen = self.chosen(count, gone)
        return any(len(ids) < count and self.open[key] for key, ids in chosen.items())


@dataclass(frozen=True)
class _Rows:
    """Rows of some labels: `labels[of[i]]` is that of the image `numbers[i]`."""

    labels: Sequence[str]
    table: pa.RecordBatch
    numbers: np.ndarray
    places: np.ndarray
    of: np.ndarray

    def where(self, column: str, words: pa.Array) -> np.ndarray:
        """Return (n,) bool: for which images the column holds one of the words."""
        return pc.is_in(self.table[column], words).to_numpy(zero_copy_only=False)[self.places]

    def by_label(self, mask: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
        """Yield (label, images) of the rows that a mask admits."""
        for at in np.unique(self.of[mask]):
            yield self.labels[int(at)], self.numbers[mask & (self.of == at)]


def draw(
    files: SubsetFiles,
    mids: Sequence[str],
    count: int,
    *,
    negatives: bool = False,
    depictions: bool = True,
    gone: Collection[int] = (),
) -> Draw:
    """Draw the images that come first for each label of a subset, at least `count` where there are.

    To a label belong the images for which people verified it (confidence 1), and with
    `negatives` those for which they verified that it is absent (0), as many. One that
    is verified both ways is neither. All are in the image list. Twice `count` and SPARE
    are drawn, and more if too many of those are unfit.

    Args:
        depictions: also images with a box of the label with IsDepiction 1.
        gone: images that cannot be had.
    """
    listed = IdFilter()
    for ids in listed_ids(files.images):
        listed.add(ids)
    keys = [(mid, present) for mid in mids for present in (True, False)[: 1 + negatives]]
    unfit = {key: _array(gone) for key in keys}
    while True:
        samples = {key: Smallest(2 * count + SPARE) for key in keys}
        _add_verified(files.labels, samples, listed, unfit)
        bad = _unfit(files, samples, depictions)
        fit = {key: s.numbers[~np.isin(s.numbers, bad[key])] for key, s in samples.items()}
        found = Draw(fit, {key: sample.full for key, sample in samples.items()})
        if not found.spent(count):
            return found
        unfit = {key: np.union1d(unfit[key], bad[key]) for key in keys}


def _rows(path: Path, columns: Sequence[str], mids: Collection[str]) -> Iterator[_Rows]:
    """The rows of some labels in a file of labels or boxes."""
    labels = sorted(mids)
    wanted = pa.array([mid.encode() for mid in labels])
    for batch in tables(path, columns):
        table = batch.filter(pc.is_in(batch["LabelName"], wanted))
        numbers, places = numbers_of(table["ImageID"])
        of = pc.index_in(table["LabelName"], wanted).to_numpy(zero_copy_only=False)
        yield _Rows(labels, table, numbers, places, of[places])


def _verified(
    path: Path, samples: Mapping[Key, Smallest], listed: IdFilter | None = None
) -> Iterator[tuple[Key, np.ndarray]]:
    """(key, images) of what people said of the labels of some samples."""
    for rows in _rows(path, LABELS, {mid for mid, _ in samples}):
        by_people = rows.where("Source", PEOPLE)
        admitted = by_people if listed is None else by_people & listed.admits(rows.numbers)
        for present, words in VERDICTS.items():
            for mid, ids in rows.by_label(admitted & rows.where("Confidence", words)):
                yield (mid, present), ids


def _add_verified(
    path: Path,
    samples: Mapping[Key, Smallest],
    listed: IdFilter,
    unfit: Mapping[Key, np.ndarray],
) -> None:
    """Show each sample the images that people verified for its key."""
    for key, ids in _verified(path, samples, listed):
        if key in samples:
            samples[key].add(ids[~np.isin(ids, unfit[key])])


def _unfit(
    files: SubsetFiles, samples: Mapping[Key, Smallest], depictions: bool
) -> dict[Key, np.ndarray]:
    """Return what a sample has though it is not listed, verified both ways or a depiction."""
    every = _union([sample.numbers for sample in samples.values()])
    listed = _union([ids[np.isin(ids, every)] for ids in listed_ids(files.images)])
    bad = {key: [np.setdiff1d(sample.numbers, listed)] for key, sample in samples.items()}
    for (mid, present), ids in _verified(files.labels, samples):
        if (other := (mid, not present)) in samples:
            bad[other].append(_common(ids, samples[other]))
    if not depictions:
        for rows in _rows(files.boxes, BOXES, {mid for mid, _ in samples}):
            for mid, ids in rows.by_label(rows.where("IsDepiction", VERDICTS[True])):
                bad[mid, True].append(_common(ids, samples[mid, True]))
    return {key: _union(parts) for key, parts in bad.items()}


def _common(ids: np.ndarray, sample: Smallest) -> np.ndarray:
    return ids[np.isin(ids, sample.numbers)]


def _union(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.unique(np.concatenate([np.empty(0, np.uint64), *parts]))


def _array(numbers: Collection[int]) -> np.ndarray:
    return np.fromiter(numbers, np.uint64, len(numbers))
