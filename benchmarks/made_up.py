"""Made-up features and metadata, as many rows a picture as Open Images V7 has."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from benchmarks.explore import HEADER
from benchmarks.head import BEE, LABELS, write_features
from driver.pipeline.fingerprint import ROOT
from mapsight.labels.labeler import DEFAULT_TARGETS
from mapsight.openimages.columns import KINDS
from mapsight.records import MEASURES

__all__ = ["Files", "rows_of", "write_distinct", "write_rows"]

SUBSETS = ("train",) * 91 + ("validation",) * 2 + ("test",) * 7  # of pictures with boxes
CLASSES = 600
LISTED = "ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,Author,Title\n"

Files = Mapping[str, tuple[Path, int]]
"""(path, rows) by kind."""


def id_of(number: int) -> str:
    """The image_id of a picture; as far from its neighbours' as real ones."""
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}"


def boxes_of(number: int) -> int:
    """8.3 a picture in the mean: 15,851,536 boxes on 1,910,098 pictures in V7."""
    return 8 + (number % 10 < 3)


def labels_of(number: int) -> int:
    """6.7 a picture in the mean: 61,404,966 verified labels on 9,178,275 pictures in V7."""
    return 6 + (number % 10 < 7)


def write_rows(folder: Path, records: int) -> Files:
    """Files of every kind for the pictures of `write_features`; always the same."""
    rng = random.Random(1)
    files = {kind: (folder / f"{kind}.csv").open("w", encoding="utf-8") for kind in KINDS}
    files["boxes"].write(HEADER)
    files["labels"].write("ImageID,Source,LabelName,Confidence\n")
    files["images"].write(LISTED)
    rows = dict.fromkeys(KINDS, 0)
    for number in range(records):
        key, shown = id_of(number), DEFAULT_TARGETS.get(LABELS[number % len(LABELS)], BEE)
        mids = [shown, *(f"/m/{rng.randrange(CLASSES):04d}" for _ in range(8))]
        texts = {
            "labels": [f"{mid},{int(mid == shown)}" for mid in mids[: labels_of(number)]],
            "boxes": [_box(rng, mids[place % 3]) for place in range(boxes_of(number))],
            "images": [_listed(number)],
        }
        for kind, cells in texts.items():
            source = {"labels": "verification,", "boxes": "xclick,", "images": ""}[kind]
            files[kind].writelines(f"{key},{source}{text}\n" for text in cells)
            rows[kind] += len(cells)
    for file in files.values():
        file.close()
    return {kind: (folder / f"{kind}.csv", rows[kind]) for kind in KINDS}


def _box(rng: random.Random, mid: str) -> str:
    x, y = rng.randrange(500_000), rng.randrange(500_000)
    flags = ",".join(rng.choices(("0", "1", "-1"), (8, 1, 1), k=5))
    return f"{mid},1,0.{x:06d},0.{x + 400_000:06d},0.{y:06d},0.{y + 300_000:06d},{flags}"


def _listed(number: int) -> str:
    subset = SUBSETS[number // 8 % len(SUBSETS)]
    home = f"https://pictures.example/{number * 2654435761}"
    licence = "https://creativecommons.org/licenses/by/2.0/"
    return f"{subset},{home}.jpg,{home},{licence},{home[:32]},J. Doe {number % 9973},IMG {number}"


def write_distinct(path: Path, records: int, d: int) -> Path:
    """Feature records of which no two are alike in anything that is kept of them; `path`."""
    rng = random.Random(2)
    write_features(path, path.with_name("unused"), records, d, SUBSETS)
    lines = []
    for number, line in enumerate(path.read_text().splitlines()):
        record = json.loads(line.split("\t", 1)[1]) | {
            name: round(rng.uniform(0, 100), 6) for name in MEASURES
        }
        record |= {"dhash": f"{rng.getrandbits(64):016x}", "sha256": f"{rng.getrandbits(256):064x}"}
        top = sorted((round(rng.random() ** 4, 6) for _ in range(5)), reverse=True)
        record["top5"] = list(zip(rng.sample(wnids(), 5), top, strict=True))
        lines.append(f"{json.dumps(id_of(number))}\t{json.dumps(record)}\n")
    path.write_text("".join(lines))
    return path


@cache
def wnids() -> list[str]:
    """The classes of ImageNet."""
    with (ROOT / "mapsight/data/imagenet_to_openimages.csv").open(encoding="utf-8") as file:
        return sorted({row["wnid"] for row in csv.DictReader(file)})


def rows_of(files: Files) -> int:
    """Rows of all files together."""
    return sum(rows for _, rows in files.values())
