"""The pictures that were chosen as a new Open Images folder, with all that people said of them."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from driver.pipeline.pipeline import Pipeline
from driver.search.by_scan import FIND_IMAGES
from driver.selection.pictures import Unread, ending_of, picture_bytes, safe_name
from mapsight.browse.selection import Selection
from mapsight.index.pictures import GONE
from mapsight.opened import OpenedWorkspace
from mapsight.openimages.columns import FLAGS, IMAGE, LABEL, SIDES
from mapsight.results.predictions import merged_records

__all__ = ["annotations_of", "write_openimages"]

IMAGES, DESCRIPTIONS = "images-with-rotation.csv", "class-descriptions.csv"
PEOPLE, MACHINE = "annotations-human-imagelabels.csv", "annotations-machine-imagelabels.csv"
BOXES = "annotations-bbox.csv"
BOX = (*LABEL, *SIDES, *FLAGS)
BOX_SOURCE, BY_MACHINE = "xclick", "machine"
"""Records do not keep who drew a box; most of the published ones were drawn by extreme clicking."""
FACTS = {
    "Subset": "subset",
    "OriginalURL": "original_url",
    "License": "license",
    "Author": "author",
    "Title": "title",
}


def annotations_of(run: Pipeline, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what is known of pictures in the published metadata, by id; found by a job."""
    addresses = run.workspace.sound_parts("annotate")
    wanted = run.side_file("ids.json", json.dumps(list(ids)))
    records = merged_records(run.collect(FIND_IMAGES, addresses, ["--ids", wanted]))
    return {image_id: record.get("annotation") or {} for image_id, record in records}


def write_openimages(
    opened: OpenedWorkspace,
    selection: Selection,
    annotations: Mapping[str, Mapping[str, Any]],
    targets: Mapping[str, str],
    folder: Path,
) -> Iterator[Unread]:
    """Write pictures and metadata under the published names; yield those that cannot be had.

    Memory: what is known of the pictures.
    """
    (folder / "images").mkdir()
    images = []
    for row, data in picture_bytes(opened, selection):
        if data is None:
            yield Unread(row["image_id"], GONE)
            continue
        name = f"{safe_name(row['image_id'])}{ending_of(data)}"
        (folder / "images" / name).write_bytes(data)
        known = annotations.get(row["image_id"], {})
        images.append({"ImageID": row["image_id"], **_facts(row, known), **_sizes(data)})
    images.sort(key=lambda one: one["ImageID"])
    _write(folder / IMAGES, (*IMAGE, "Rotation"), images)
    kept = {one["ImageID"]: annotations.get(one["ImageID"], {}) for one in images}
    labels = [row for image_id, known in kept.items() for row in _labels(image_id, known)]
    _write(folder / PEOPLE, LABEL, (row for row in labels if row["Source"] != BY_MACHINE))
    _write(folder / MACHINE, LABEL, (row for row in labels if row["Source"] == BY_MACHINE))
    _write(folder / BOXES, BOX, (row for one, known in kept.items() for row in _boxes(one, known)))
    names = [{"LabelName": mid, "DisplayName": name} for name, mid in sorted(targets.items())]
    _write(folder / DESCRIPTIONS, ("LabelName", "DisplayName"), names)


def _facts(row: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    return {theirs: known.get(ours) or row.get(ours) for theirs, ours in FACTS.items()}


def _sizes(data: bytes) -> dict[str, Any]:
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return {"OriginalSize": len(data), "OriginalMD5": digest}


def _labels(image_id: str, known: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for mid, confidence, source in known.get("labels", ()):
        yield dict(zip(LABEL, (image_id, source, mid, f"{confidence:g}"), strict=True))


def _boxes(image_id: str, known: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for mid, *rest in known.get("boxes", ()):
        yield dict(zip(BOX, (image_id, BOX_SOURCE, mid, 1, *rest), strict=True))


def _write(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
