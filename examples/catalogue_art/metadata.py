"""What Open Images publishes about pictures, for drawn ones: the same files and columns."""

from __future__ import annotations

import base64
import csv
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["MIDS", "SUBSETS", "write_metadata"]

MIDS = {
    "Lion": "/m/096mb",
    "Tiger": "/m/07dm6",
    "Leopard": "/m/0c29q",
    "Rhinoceros": "/m/03d443",
    "Elephant": "/m/0bwd_0j",
    "Zebra": "/m/0898b",
    "Giraffe": "/m/03bk1",
    "Cheetah": "/m/0cd4d",
    "Owl": "/m/09d5_",
    "Parrot": "/m/0gv1x",
    "Penguin": "/m/05z6w",
    "Mushroom": "/m/052sf",
}
SUBSETS = ("train", "validation", "test")
ALIKE = {"Leopard": "Cheetah", "Cheetah": "Leopard", "Lion": "Tiger", "Tiger": "Lion"}
AUTHORS = ("Ada Pencil", "Bo Brush", "Cleo Crayon", 'Dan "Dots" Inker', "Easel, Ink & Sons")

IMAGES = [
    *("ImageID", "Subset", "OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL"),
    *("Author", "Title", "OriginalSize", "OriginalMD5", "Thumbnail300KURL", "Rotation"),
]
LABELS = ["ImageID", "Source", "LabelName", "Confidence"]
BOXES = [
    *LABELS,
    *("XMin", "XMax", "YMin", "YMax"),
    *("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside"),
]

Row = Mapping[str, Any]
"""Of a picture: id, label, photo, subset, where, file, boxes as in `picture.Drawn`."""


def write_metadata(folder: Path, rows: Iterable[Row]) -> None:
    """Write the CSV files of some drawn pictures beside their folder `images`."""
    rows = sorted(rows, key=lambda row: row["id"])
    for subset in SUBSETS:
        own = [row for row in rows if row["subset"] == subset]
        labels = [line for row in own for line in _labels(row)]
        name = f"{subset}-annotations-human-and-machine-imagelabels.csv"
        _write(folder / name, LABELS, labels)
        boxes = [line for row in own for line in _boxes(row)]
        _write(folder / f"{subset}-annotations-bbox.csv", BOXES, boxes)
    _write(folder / "images-with-rotation.csv", IMAGES, [_image(folder, row) for row in rows])
    names = [[mid, label] for label, mid in sorted(MIDS.items(), key=lambda item: item[1])]
    _write(folder / "class-descriptions-boxable.csv", ["LabelName", "DisplayName"], names)


def _write(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _labels(row: Row) -> list[list[Any]]:
    """A verified label, mostly a verified absence, and a machine's guess or two."""
    import numpy as np

    rng = np.random.default_rng([int(row["id"], 16), 1])
    mid, others = MIDS[row["label"]], [label for label in MIDS if label != row["label"]]
    absent = ALIKE.get(row["label"]) or others[rng.integers(len(others))]
    found = [["verification", mid, 1]]
    if rng.random() < 0.7:
        found.append(["crowdsource-verification", MIDS[absent], 0])
    if rng.random() < 0.8:
        found.append(["machine", mid, round(rng.uniform(0.7, 0.99), 1)])
    if rng.random() < 0.15:
        found.append(["machine", MIDS[absent], round(rng.uniform(0.5, 0.7), 1)])
    return [[row["id"], *line] for line in found]


def _boxes(row: Row) -> list[list[Any]]:
    """A line for each figure; those of drawings are depictions."""
    depiction = 0 if row["photo"] else 1
    lines = []
    for number, ((x0, y0, x1, y1), cut) in enumerate(row["boxes"]):
        hidden = int(number + 1 < len(row["boxes"]))
        edges = [f"{edge:.6f}" for edge in (x0, x1, y0, y1)]
        flags = [hidden, int(cut), 0, depiction, 0]
        lines.append([row["id"], "xclick", MIDS[row["label"]], 1, *edges, *flags])
    return lines


def _image(folder: Path, row: Row) -> list[Any]:
    data = (folder / "images" / row["file"]).read_bytes()
    number = int(row["id"], 16)
    page = f"https://catalogue.example/{row['id']}"
    author = AUTHORS[number % len(AUTHORS)]
    count = "Two" if len(row["boxes"]) > 1 else "One"
    title = f"{count} {row['label'].lower()}{'s' if count == 'Two' else ''}, {row['where']}"
    digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
    url = f"https://catalogue.example/{row['file']}"
    license_ = "https://creativecommons.org/licenses/by/2.0/"
    return [
        *(row["id"], row["subset"], url, page, license_, "https://catalogue.example/authors"),
        *(author, title if row["photo"] else f"{title} (drawing)", len(data), digest, url, "0.0"),
    ]
