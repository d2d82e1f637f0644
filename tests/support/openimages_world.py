"""Made-up metadata of Open Images with its oddities, and what a sample must be by brute force."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mapsight.openimages.sample import SubsetFiles

MIDS = {"Lion": "/m/096mb", "Tiger": "/m/07dm6", "Owl": "/m/09d5_"}
PEOPLE = ["verification", "crowdsource-verification"]
IMAGES = (
    "ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,Author,Title,"
    "OriginalSize,OriginalMD5,Thumbnail300KURL,Rotation"
)
BOXES = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,"
    "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
)
TITLES = ["Lion", 'a "quoted", title', "two\nlines", "", 'stray " quote', "=cmd()", "Löwe"]


@dataclass(frozen=True)
class World:
    """The tables of a subset, all cells as text."""

    subset: str
    images: pd.DataFrame
    labels: pd.DataFrame
    boxes: pd.DataFrame

    def write(self, folder: Path) -> SubsetFiles:
        """The tables as files."""
        folder.mkdir(parents=True, exist_ok=True)
        files = SubsetFiles(*(folder / f"{self.subset}-{n}.csv" for n in ("i", "l", "b")))
        for path, body in zip(
            (files.images, files.labels, files.boxes), self.bodies(), strict=True
        ):
            path.write_bytes(body)
        return files

    def bodies(self) -> list[bytes]:
        return [csv_of(self.images), csv_of(self.labels), csv_of(self.boxes)]

    def fit(self, mid: str, present: bool, depictions: bool = True) -> set[str]:
        """The ids that a key may have, by brute force."""
        people = self.labels[self.labels.Source.isin(PEOPLE) & (self.labels.LabelName == mid)]
        said = people.groupby("ImageID").Confidence.agg(set)
        ids = {i for i, verdicts in said.items() if verdicts == {"1" if present else "0"}}
        drawn = self.boxes[(self.boxes.LabelName == mid) & (self.boxes.IsDepiction == "1")]
        bad = set(drawn.ImageID) if present and not depictions else set()
        return (ids & set(self.images.ImageID)) - bad


def csv_of(table: pd.DataFrame) -> bytes:
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    return text.getvalue().encode()


def make_world(subset: str, count: int, seed: int) -> World:
    """A subset of `count` images, of which a fifth are labelled but not in the list."""
    rng = np.random.default_rng([seed, count])
    ids = [f"{n:016x}" for n in rng.integers(0, 2**64, count, np.uint64)]
    listed = [i for n, i in enumerate(ids) if n % 5]
    images = pd.DataFrame([_image(i, subset, n) for n, i in enumerate(listed)])
    labels = pd.DataFrame([row for i in ids for row in _labels(i, rng)], columns=_names("l"))
    boxes = pd.DataFrame([row for i in ids for row in _boxes(i, rng)], columns=_names("b"))
    return World(subset, images, labels, boxes)


def _names(kind: str) -> list[str]:
    return BOXES.split(",") if kind == "b" else ["ImageID", "Source", "LabelName", "Confidence"]


def _image(image_id: str, subset: str, number: int) -> dict[str, str]:
    home = f"https://pictures.example/{image_id}"
    cells = [image_id, subset, f"{home}.jpg", home, "https://license.example/by/2.0/", "", "J. Doe"]
    cells += [TITLES[number % len(TITLES)], "123456", "", "", "0.0"]
    return dict(zip(IMAGES.split(","), cells, strict=True))


def _labels(image_id: str, rng: np.random.Generator) -> list[list[str]]:
    rows = []
    for mid in [*MIDS.values(), "/m/0other"]:
        for source in rng.choice([*PEOPLE, "machine"], rng.integers(0, 3)):
            sure = source != "machine"
            verdict = str(rng.choice(["1", "0"], p=[0.7, 0.3])) if sure else "0.9"
            rows.append([image_id, str(source), mid, verdict])
    return rows


def _boxes(image_id: str, rng: np.random.Generator) -> list[list[str]]:
    mids = rng.choice([*MIDS.values(), "/m/0other"], rng.integers(0, 3))
    flags = ["1", "0", "0", "-1"]
    drawn = [str(rng.choice(flags)) for _ in mids]
    place = ["0.1", "0.5", "0.2", "0.6", "0", "1", "0"]
    return [
        [image_id, "xclick", str(m), "1", *place, d, "-1"] for m, d in zip(mids, drawn, strict=True)
    ]


def first(ids: set[str], count: int) -> list[str]:
    """Brute force: in the order of the hash, by whole-number arithmetic."""
    return sorted(ids, key=lambda i: splitmix(int(i, 16)))[:count]


def splitmix(number: int) -> int:
    number = (number + 0x9E3779B97F4A7C15) % 2**64
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    number = (number ^ (number >> 27)) * 0x94D049BB133111EB % 2**64
    return number ^ (number >> 31)
