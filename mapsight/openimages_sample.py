"""A sample of Open Images drawn from its metadata files, which are read as streams.

Memory: a block of a file, 16 MiB for the ids that have a picture, and for each label
the ids of its sample.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from mapsight.sampling import IdFilter, Smallest, numbers_in, numbers_of
from mapsight.text_rows import Lines, csv_records, opened_text

__all__ = ["Draw", "Key", "SubsetFiles", "draw", "image_rows", "restrict", "restrict_images"]

SPARE = 64
BLOCK = 4 << 20
FIRST_CELL = re.compile(rb"^([0-9a-fA-F]{16}),", re.M)
YES, NO = (pa.array([b"1", b"1.0"]), pa.array([b"0", b"0.0"]))

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
    """Ids (uint64, in the order of the sample) that each key may have, spare ones too.

    `open` says of a key whether there may be more of them.
    """

    fit: Mapping[Key, np.ndarray]
    open: Mapping[Key, bool]

    def chosen(self, count: int, gone: Collection[int] = ()) -> dict[Key, np.ndarray]:
        """The first `count` of each key that are not gone."""
        lost = np.fromiter(gone, np.uint64, len(gone))
        return {key: ids[~np.isin(ids, lost)][:count] for key, ids in self.fit.items()}

    def spent(self, count: int, gone: Collection[int] = ()) -> bool:
        """Whether a key has too few left, and there may be more."""
        chosen = self.chosen(count, gone)
        return any(len(ids) < count and self.open[key] for key, ids in chosen.items())


def draw(
    files: SubsetFiles,
    mids: Sequence[str],
    count: int,
    *,
    negatives: bool = False,
    depictions: bool = True,
    gone: Collection[int] = (),
) -> Draw:
    """The ids that come first for each label of a subset, at least `count` where there are.

    Of a label come the pictures for which people verified it (confidence 1, not by a
    machine), and with `negatives` as many where they verified its absence (0).
    All are in the image list. Twice `count` and SPARE are drawn, and again
    more if too many of those are unfit.

    Args:
        depictions: also pictures with a box of the label with IsDepiction 1.
        gone: ids that cannot be had.
    """
    listed = IdFilter()
    for ids in _listed(files.images):
        listed.add(ids)
    keys = [(mid, present) for mid in mids for present in ((True, False) if negatives else (True,))]
    unfit = {key: np.fromiter(gone, np.uint64, len(gone)) for key in keys}
    while True:
        samples = {key: Smallest(2 * count + SPARE) for key in keys}
        _add_verified(files.labels, samples, listed, unfit)
        bad = _unfit(files, samples, depictions)
        fit = {key: s.numbers[~np.isin(s.numbers, bad[key])] for key, s in samples.items()}
        found = Draw(fit, {key: sample.full for key, sample in samples.items()})
        if not found.spent(count):
            return found
        unfit = {key: np.union1d(unfit[key], bad[key]) for key in keys}


def _listed(images: Path) -> Iterator[np.ndarray]:
    """The ids of an image list, in portions; a title may hold line ends, ids begin lines."""
    with images.open("rb") as file:
        rest = b""
        while block := file.read(BLOCK):
            text, _, rest = (rest + block).rpartition(b"\n")
            yield numbers_in(b"".join(FIRST_CELL.findall(text)))
        yield numbers_in(b"".join(FIRST_CELL.findall(rest)))


def _tables(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of a CSV file without quotes, as binary columns; those with other columns go.

    Raises:
        ValueError: a column is missing; the message names those that are there.
    """
    with path.open("rb") as file:
        header = file.readline(1 << 16).decode("utf-8-sig", "replace").strip().split(",")
    if missing := [name for name in columns or ("ImageID",) if name not in header]:
        raise ValueError(f"{path}: no column {missing[0]}; it has {', '.join(header)[:200]}")
    with pyarrow.csv.open_csv(
        path,
        pyarrow.csv.ReadOptions(block_size=BLOCK),
        pyarrow.csv.ParseOptions(quote_char=False, invalid_row_handler=lambda row: "skip"),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.binary()), include_columns=columns
        ),
    ) as reader:
        yield from reader


def _add_verified(
    labels: Path,
    samples: Mapping[Key, Smallest],
    listed: IdFilter,
    unfit: Mapping[Key, np.ndarray],
) -> None:
    """Show each sample the ids that people verified for its key."""
    mids = sorted({mid for mid, _ in samples})
    wanted = pa.array([mid.encode() for mid in mids])
    for table in _tables(labels, ("ImageID", "Source", "LabelName", "Confidence")):
        by_people = pc.invert(pc.starts_with(table["Source"], "machine"))
        table = table.filter(pc.and_(pc.is_in(table["LabelName"], wanted), by_people))
        numbers, places = numbers_of(table["ImageID"])
        of = pc.index_in(table["LabelName"], wanted).to_numpy(zero_copy_only=False)[places]
        admitted = listed.admits(numbers)
        for present, words in ((True, YES), (False, NO)):
            said = pc.is_in(table["Confidence"], words).to_numpy(zero_copy_only=False)[places]
            for at in np.unique(of[said & admitted]):
                if sample := samples.get(key := (mids[int(at)], present)):
                    ids = numbers[said & admitted & (of == at)]
                    sample.add(ids[~np.isin(ids, unfit[key])])


def _unfit(
    files: SubsetFiles, samples: Mapping[Key, Smallest], depictions: bool
) -> dict[Key, np.ndarray]:
    """The ids of each sample that are not listed after all, or show a depiction."""
    every = _all_of([sample.numbers for sample in samples.values()])
    listed = _all_of([ids[np.isin(ids, every)] for ids in _listed(files.images)])
    bad = {key: np.setdiff1d(sample.numbers, listed) for key, sample in samples.items()}
    if not depictions:
        drawn = _depicted(files.boxes, {key[0]: s.numbers for key, s in samples.items() if key[1]})
        for mid, ids in drawn.items():
            bad[mid, True] = np.union1d(bad[mid, True], ids)
    return bad


def _depicted(boxes: Path, sampled: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Of the ids of each label, those with a box of it that shows a depiction."""
    mids = sorted(sampled)
    wanted = pa.array([mid.encode() for mid in mids])
    found: dict[str, list[np.ndarray]] = {mid: [] for mid in mids}
    for table in _tables(boxes, ("ImageID", "LabelName", "IsDepiction")):
        drawn = pc.is_in(table["IsDepiction"], YES)
        table = table.filter(pc.and_(pc.is_in(table["LabelName"], wanted), drawn))
        numbers, places = numbers_of(table["ImageID"])
        of = pc.index_in(table["LabelName"], wanted).to_numpy(zero_copy_only=False)[places]
        for at in np.unique(of):
            mid = mids[int(at)]
            found[mid].append(numbers[(of == at) & np.isin(numbers, sampled[mid])])
    return {mid: _all_of(parts) for mid, parts in found.items()}


def _all_of(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.unique(np.concatenate([np.empty(0, np.uint64), *parts]))


def restrict(path: Path, out: Path, wanted: np.ndarray) -> int:
    """Copy the rows of a labels or boxes file that belong to some ids; how many.

    Raises:
        ValueError: the file has no column ImageID.
    """
    count = 0
    with path.open("rb") as file, out.open("wb") as copy:
        copy.write(file.readline().rstrip(b"\r\n") + b"\n")
        for table in _tables(path):
            numbers, places = numbers_of(table["ImageID"])
            mine = table.take(pa.array(places[np.isin(numbers, wanted)]))
            columns = (column.to_pylist() for column in mine.columns)
            copy.writelines(b",".join(cells) + b"\n" for cells in zip(*columns, strict=True))
            count += mine.num_rows
    return count


def image_rows(images: Path, wanted: np.ndarray) -> Iterator[list[str]]:
    """The header of an image list, and its rows that belong to some ids, in order."""
    ids = {int(number) for number in wanted}
    with opened_text(str(images).encode()) as handle:
        lines = Lines(handle)
        lines.begin()
        header = next(csv.reader([next(lines, "")]), [])
        if "ImageID" not in header:
            raise ValueError(f"{images}: no column ImageID; it has {', '.join(header)[:200]}")
        yield header
        at = header.index("ImageID")
        for cells in csv_records(lines, ",", len(header)):
            if cells and len(cells) == len(header) and _number(cells[at]) in ids:
                yield cells


def _number(text: str) -> int:
    try:
        return int(text, 16) if len(text) == 16 else -1
    except ValueError:
        return -1


def restrict_images(images: Path, out: Path, wanted: np.ndarray) -> int:
    """Copy the rows of an image list that belong to some ids; how many."""
    with out.open("w", encoding="utf-8", errors="surrogateescape", newline="") as copy:
        writer = csv.writer(copy, lineterminator="\n")
        rows = -1
        for rows, cells in enumerate(image_rows(images, wanted)):  # noqa: B007
            writer.writerow(cells)
    return rows
