"""Reading Open Images metadata under its published names and formats."""

from __future__ import annotations

import fnmatch
import heapq
import json
import math
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mapsight.inputs.find import Found, find_inputs
from mapsight.inputs.image_ids import HEX_ID
from mapsight.inputs.text_rows import Lines, csv_records, opened_text
from mapsight.openimages.columns import data_rows, read_header, readable
from mapsight.redaction import without_secrets
from mapsight.storage.uri import open_uri, resolve

__all__ = [
    "CsvSplit",
    "Dataset",
    "annotation_rows",
    "csv_splits",
    "find_dataset",
    "merge_annotations",
    "read_classes",
    "read_descriptions",
    "read_hierarchy",
]

CSV_SPLIT_BYTES = 128 << 20
MOST_ROWS = 10_000
MOST_CLASSES, HIERARCHY_BYTES = 1_000_000, 16 << 20  # of one file
MID = re.compile(r"/[a-z]{1,3}/\S{1,60}")
UNKNOWN = -1
BOX_SIDES = ("XMin", "XMax", "YMin", "YMax")
BOX_FLAGS = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")
METADATA = {
    "boxes": ("*annotations-bbox*.csv", "*annotations-human-bbox.csv"),
    "labels": ("*imagelabels*.csv", "*annotations-human.csv", "*annotations-machine.csv"),
    "images": ("*images*.csv", "*image_ids_and_rotation.csv"),
    "descriptions": ("class-descriptions*.csv", "*class-descriptions*.csv"),
    "hierarchy": ("bbox_labels_*hierarchy*.json",),
}
FOLDERS = ("metadata", "labels", "annotations")
"""In which metadata may lie, beside the folder itself."""
IMAGE_FIELDS = {
    "Subset": "subset",
    "OriginalURL": "original_url",
    "License": "license",
    "Author": "author",
    "Title": "title",
}


@dataclass(frozen=True)
class Dataset:
    """What an Open Images folder holds: metadata files by kind, and its pictures."""

    pictures: list[str]
    files: Mapping[str, list[Found]] = field(default_factory=dict)


@dataclass(frozen=True)
class CsvSplit:
    """A byte range of a CSV file; a task reads its records as mapsight.inputs.csv_rows says.

    `source` is the file's name to people.
    """

    uri: str
    kind: str
    start: int
    end: int
    source: str = ""


def kind_of(name: str) -> str | None:
    """Return which metadata file a name is: a key of METADATA, or None for a picture."""
    for kind, patterns in METADATA.items():
        if any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
            return kind
    return None


def find_dataset(folder: str) -> Dataset:
    """Find pictures and metadata in a folder of Open Images files, and metadata in FOLDERS.

    Pictures are `images/` where there is one, else the Parquet files, else
    every file that is no metadata.
    """
    file_system, path = resolve(folder)
    base = folder.rstrip("/")
    files: dict[str, list[Found]] = {kind: [] for kind in METADATA}
    top = [entry["name"].rstrip("/") for entry in file_system.ls(path, detail=True)]
    names = [name.rsplit("/", 1)[-1] for name in top]
    for name in [*sorted(names), *_names_below(file_system, path, names)]:
        kind = kind_of(name.rsplit("/", 1)[-1])
        if kind and not name.startswith("."):
            files[kind].extend(find_inputs(f"{base}/{name}"))
    if "images" in names:
        return Dataset([f"{base}/images"], files)
    parquet = sorted(name for name in names if name.endswith(".parquet"))
    return Dataset([f"{base}/{name}" for name in parquet] or [folder], files)


def _names_below(file_system: Any, path: str, names: Collection[str]) -> Iterator[str]:
    """Yield the names of files in those of FOLDERS that are there, with their folder's."""
    for folder in FOLDERS:
        if folder in names and file_system.isdir(f"{path}/{folder}"):
            entries = file_system.ls(f"{path}/{folder}", detail=True)
            inside = (one["name"] for one in entries if one["type"] != "directory")
            yield from sorted(f"{folder}/{name.rsplit('/', 1)[-1]}" for name in inside)


def read_descriptions(files: Sequence[Found]) -> dict[str, str]:
    """Return MID by display name; the boxable names win, for they are what people know.

    A damaged line costs its own name. Memory: MOST_CLASSES names.

    Raises:
        ValueError: there are more.
    """
    names: dict[str, str] = {}
    for file in sorted(files, key=lambda found: "boxable" in found.source):
        with opened_text(file.uri) as handle:
            for cells in csv_records(Lines(handle), ",", 2):
                if cells and len(cells) >= 2 and MID.fullmatch(cells[0]):
                    names[readable(cells[1])] = readable(cells[0])
                if len(names) > MOST_CLASSES:
                    raise ValueError(f"{file.source}: more than {MOST_CLASSES:,} classes; refused")
    return names


def read_hierarchy(files: Sequence[Found]) -> dict[str, tuple[str, ...]]:
    """Return parents by MID, by "is a" (Subcategory) only; the root is nobody's parent.

    Raises:
        ValueError: a file is not the published JSON.
    """
    return {mid: parents for mid, parents in read_classes(files).items() if parents}


def read_classes(files: Sequence[Found]) -> dict[str, tuple[str, ...]]:
    """Read the hierarchy as `read_hierarchy` does, with the classes that have no parent, too."""
    above: dict[str, set[str]] = {}

    def visit(node: Mapping[str, Any], parent: str | None) -> None:
        parents = above.setdefault(node["LabelName"], set())
        if parent is not None:
            parents.add(parent)
        for child in node.get("Subcategory", ()):
            visit(child, node["LabelName"])

    for file in files:
        try:
            with open_uri(file.uri) as handle:
                text = handle.read(HIERARCHY_BYTES + 1)
            if len(text) > HIERARCHY_BYTES:
                raise ValueError(f"more than {HIERARCHY_BYTES:,} bytes")
            root = json.loads(text)
            for child in root.get("Subcategory", ()):
                visit(child, None)
        except RecursionError:
            raise ValueError(f"{file.source}: not a class hierarchy (nested too deeply)") from None
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ValueError(f"{file.source}: not a class hierarchy ({error})") from None
    return {mid: tuple(sorted(parents)) for mid, parents in above.items()}


def csv_splits(file: Found, kind: str) -> Iterator[CsvSplit]:
    """Yield byte ranges of a CSV file for the map tasks."""
    uri = file.uri.decode("utf-8", "surrogateescape")
    if file.bytes < 0:  # of unknown size
        yield CsvSplit(uri, kind, 0, sys.maxsize, file.source)
    for start in range(0, file.bytes, CSV_SPLIT_BYTES):
        yield CsvSplit(uri, kind, start, start + CSV_SPLIT_BYTES, file.source)


def annotation_rows(split: CsvSplit) -> Iterator[tuple[str, dict[str, Any]] | None]:
    """Yield (image_id, part of an annotation) of each row; None for one that is malformed.

    Raises:
        ValueError: the file's columns are not those of its kind.
    """
    header = read_header(split.uri, split.kind, split.source)
    if header is None:
        return
    for row in data_rows(split.uri, header, split.start, split.end):
        record = dict(zip(header.columns, map(readable, row.cells), strict=False))
        if row.problem:
            yield None
        else:
            yield PARTS[split.kind](record)


def _id(row: Mapping[str, str]) -> str:
    """The image_id, as pictures of that name get it."""
    text = row["ImageID"]
    return text.lower() if HEX_ID.fullmatch(text) else text


def _label_part(row: Mapping[str, str]) -> tuple[str, dict[str, Any]] | None:
    try:
        confidence = float(row["Confidence"])
        if not (row["ImageID"] and math.isfinite(confidence)):
            return None
        return _id(row), {"labels": [[row["LabelName"], confidence, row["Source"]]]}
    except (KeyError, ValueError):
        return None


def _box_part(row: Mapping[str, str]) -> tuple[str, dict[str, Any]] | None:
    try:
        sides = [float(row[name]) for name in BOX_SIDES]
        flags = [int(row.get(name) or UNKNOWN) for name in BOX_FLAGS]
        if not (row["ImageID"] and row["LabelName"] and all(map(math.isfinite, sides))):
            return None
        return _id(row), {"boxes": [[row["LabelName"], *sides, *flags]]}
    except (KeyError, ValueError):
        return None


def _image_part(row: Mapping[str, str]) -> tuple[str, dict[str, Any]] | None:
    if not row.get("ImageID"):
        return None
    known = {ours: row[theirs] for theirs, ours in IMAGE_FIELDS.items() if row.get(theirs)}
    part = {name: without_secrets(text) for name, text in known.items()}
    return _id(row), part


PARTS = {"labels": _label_part, "boxes": _box_part, "images": _image_part}


def merge_annotations(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge the parts of an annotation, the same whatever their order.

    What is said twice is kept once. Memory: MOST_ROWS labels and as many boxes; of more,
    the first in their order are kept.
    """
    rows: dict[str, set[tuple[Any, ...]]] = {"labels": set(), "boxes": set()}
    merged: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if name not in rows:
                merged[name] = min(value, merged.get(name, value))
                continue
            rows[name].update(map(tuple, value))
            if len(rows[name]) > 2 * MOST_ROWS:
                rows[name] = set(heapq.nsmallest(MOST_ROWS, rows[name]))
    return merged | {
        name: [list(row) for row in heapq.nsmallest(MOST_ROWS, found)]
        for name, found in rows.items()
    }
