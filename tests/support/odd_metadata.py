"""Metadata files with every oddity, published or torn, and how pandas reads them."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import numpy as np
import pandas as pd

from mapsight.openimages.columns import CLICKS, FLAGS, IMAGE, LABEL, SIDES
from mapsight.openimages.dataset import find_dataset

LION, TIGER, CARNIVORE, ANIMAL, MANE = "/m/096mb", "/m/07dm6", "/m/01lrl", "/m/0jbk", "/m/0mane"
MIDS = (LION, TIGER, CARNIVORE, "/m/0tree")
SUBSETS = ("train", "validation", "test")
BUSY, BOXES = f"{7:016x}", 10_000
HIERARCHY = {
    "LabelName": "/m/0bl9f",
    "Subcategory": [
        {
            "LabelName": ANIMAL,
            "Part": [{"LabelName": MANE}],
            "Subcategory": [
                {
                    "LabelName": CARNIVORE,
                    "Subcategory": [{"LabelName": LION}, {"LabelName": TIGER}],
                }
            ],
        }
    ],
}
COLUMNS = {
    "images": {"train": (*IMAGE, "Rotation"), "validation": (*IMAGE, "Rotation"), "test": IMAGE},
    "labels": {"train": LABEL, "validation": LABEL, "test": (*LABEL, "Worker")},
    "boxes": {
        "train": (*LABEL, *SIDES, *FLAGS, *CLICKS),
        "validation": (*LABEL, *SIDES, *FLAGS),
        "test": (*LABEL, *SIDES),
    },
}
"""V6, V4 without a header, and V3 with a column more."""
NAMES = {
    "images": "{}-images-with-rotation.csv",
    "labels": "{}-annotations-human-imagelabels.csv",
    "boxes": "{}-annotations-bbox.csv",
}
TORN = [b"torn\n", b",,,\n", b'0123456789abcdef,"open\n', b"0123456789abcdef,a\xff\n", b"\n"]
TITLES = ["Löwe", 'a "lion"', "one, two", "two\nlines", "=1+1", "", "NA"]


def _image(rng: random.Random, number: int, subset: str) -> dict[str, object]:
    return {
        "ImageID": f"{number:016x}",
        "Subset": "" if number % 17 == 0 else subset,
        "OriginalURL": f"https://images.example/{number}.jpg",
        "OriginalLandingURL": "" if number % 5 else "no address",
        "License": f"https://creativecommons.org/licenses/by/{number % 3}.0/",
        "AuthorProfileURL": "",
        "Author": rng.choice(["J. Doe", "Doe, J.", "N/A", ""]),
        "Title": rng.choice(TITLES),
        "OriginalSize": rng.choice([1000, "", "big"]),
        "OriginalMD5": rng.choice(["", "x"]),
        "Thumbnail300KURL": "",
        "Rotation": rng.choice(["", "0.0", "90.0", "45.0"]),
    }


def _label(rng: random.Random, number: int) -> dict[str, object]:
    source, confidences = rng.choice(
        [
            ("verification", ["1", "0", "1.0", "0.5"]),
            ("crowdsource-verification", ["1", "0"]),
            ("machine", ["0.7", "0.995", "1", "nan", "inf", "", "high", "2"]),
            ("guess", ["1"]),
        ]
    )
    return {
        "ImageID": rng.choice([f"{number:016x}", f"{number:016X}"]),
        "Source": source,
        "LabelName": rng.choice([*MIDS, MANE, "Lion", ""]) if number % 3 == 0 else rng.choice(MIDS),
        "Confidence": rng.choice(confidences),
        "Worker": number,
    }


def _box(rng: random.Random, number: int) -> dict[str, object]:
    left, right, top, bottom = (round(rng.random(), 6) for _ in "1234")
    if rng.random() < 0.9:
        left, right = sorted((left, right))
        top, bottom = sorted((top, bottom))
    row: dict[str, object] = {
        "ImageID": f"{number:016x}",
        "Source": "xclick",
        "LabelName": rng.choice(MIDS),
        "Confidence": 1,
        "XMin": left,
        "XMax": right,
        "YMin": top,
        "YMax": bottom,
        **{flag: rng.choice(["1", "0", "-1", "-1", "", "yes"]) for flag in FLAGS},
        **dict.fromkeys(CLICKS, "0.5"),
    }
    if rng.random() < 0.05:
        row |= {rng.choice(SIDES): rng.choice(["nan", "1.5", "-0.1", "", "wide"])}
    return row


def rows_of(kind: str, subset: str) -> list[dict[str, object]]:
    """The rows of a file; some pictures are in no list or have no label, some rows come twice."""
    rng = random.Random(f"{kind} {subset}")
    first = 300 * SUBSETS.index(subset)
    numbers = range(first, first + 100)
    if kind == "images":
        rows = [_image(rng, number, subset) for number in numbers if number % 13]
    else:
        make = {"labels": _label, "boxes": _box}[kind]
        some = [number for number in numbers if number % 7 or number == 7]
        rows = [make(rng, number) for number in some for _ in range(rng.choice([1, 2, 5]))]
        rows += rng.sample(rows, 10)
    if (kind, subset) == ("boxes", "train"):
        rows += [{**_box(rng, 7), "XMin": 0.25, "XMax": 0.5} for _ in range(BOXES)]
    return rows


def write_odd(folder: Path) -> None:
    """All files, each with another line end, header or mark, and with torn lines in between."""
    for kind, subsets in COLUMNS.items():
        for subset, columns in subsets.items():
            end = "\r\n" if subset == "train" else "\n"
            text = io.StringIO(newline="")
            style = csv.QUOTE_ALL if subset == "test" else csv.QUOTE_MINIMAL
            writer = csv.DictWriter(
                text, columns, extrasaction="ignore", lineterminator=end, quoting=style
            )
            if subset != "validation":
                writer.writeheader()
            writer.writerows(rows_of(kind, subset))
            data = text.getvalue().encode("utf-8-sig" if kind == "labels" else "utf-8")
            data = data.replace("Löwe".encode(), b"L\xf6we") if subset == "test" else data
            (folder / NAMES[kind].format(subset)).write_bytes(data + b"".join(TORN))
    (folder / "class-descriptions-boxable.csv").write_text(f"{LION},Lion\n{TIGER},Tiger\n")
    (folder / "bbox_labels_600_hierarchy.json").write_text(json.dumps(HIERARCHY))


def is_odd(folder: Path) -> bool:
    """Whether a folder is one of `write_odd`, whose validation files have no header."""
    return b"".join(TORN) in (folder / NAMES["boxes"].format("test")).read_bytes()


def read_with_pandas(folder: Path, kind: str) -> pd.DataFrame:
    """All files of a kind as pandas reads them: text, with the file's subset, without torn rows."""
    frames = []
    for file in find_dataset(str(folder)).files[kind]:
        path = Path(file.source)
        subset = next((name for name in SUBSETS if name in path.name), "")
        bare = (folder / NAMES[kind].format("validation")) == path and is_odd(folder)
        # pandas, too, would take the open quote for a text up to the end
        data = b"".join(path.read_bytes().split(b"".join(TORN)))
        frame = pd.read_csv(
            io.BytesIO(data),
            names=list(COLUMNS[kind][subset]) if bare else None,
            dtype=str,
            keep_default_na=False,
            encoding_errors="replace",
        )
        frames.append(frame.assign(file=path.name, subset=subset or frame.get("Subset")))
    table = pd.concat(frames, ignore_index=True)
    return table.assign(image_id=table["ImageID"].str.lower())


def usable_labels(labels: pd.DataFrame) -> pd.DataFrame:
    """Rows that say something of a picture, with `kind`: present, absent, machine or unclear."""
    value = pd.to_numeric(labels["Confidence"], errors="coerce")
    labels = labels[value.between(0, 1) & labels["LabelName"].str.startswith("/")]
    value = value[labels.index]
    people = labels["Source"].isin(["verification", "crowdsource-verification"])
    kind = np.select(
        [people & (value == 1), people & (value == 0), labels["Source"] == "machine"],
        ["present", "absent", "machine"],
        "unclear",
    )
    return labels.assign(kind=kind, confidence=value)


def sides(boxes: pd.DataFrame) -> pd.DataFrame:
    """Sides as numbers, NaN where they are none; boxes that have four right ones in order."""
    numbers = boxes[list(SIDES)].apply(pd.to_numeric, errors="coerce")
    numbers = numbers.where((numbers >= 0) & (numbers <= 1))
    whole = (numbers["XMin"] <= numbers["XMax"]) & (numbers["YMin"] <= numbers["YMax"])
    return numbers.assign(whole=whole)
