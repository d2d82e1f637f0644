"""A made-up collection of two labels that a head tells apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.support.pictures import encoded, scribble

LION, TIGER = "/m/096mb", "/m/07dm6"
SUBSETS = ["train", "train", "train", "validation", "test"]
FLAGS = "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"


def stripes(seed: int) -> np.ndarray:
    """A picture of sharp vertical bars: nothing like a scribble."""
    rng = np.random.default_rng(seed)
    colours = rng.integers(0, 256, (2, 20, 3), dtype=np.uint8)
    return colours.repeat(20, axis=0).repeat(3, axis=1)


def make_dataset(folder: Path, first: int, count: int) -> Path:
    """Lions are scribbles and photos, tigers stripes and drawings; one picture is on two sides."""
    (folder / "images").mkdir(parents=True)
    listed, labels, boxes = [], [], []
    for number in range(first, first + count):
        name, lion = f"{number:016x}", number % 2 == 0
        picture = scribble(number) if lion else stripes(number)
        (folder / "images" / f"{name}.png").write_bytes(encoded(picture))
        mid = LION if lion else TIGER
        listed.append(f"{name},{SUBSETS[number // 2 % 5]},https://l.example/by/{number % 3}.0/")
        labels.append(f"{name},verification,{mid},1")
        labels.append(f"{name},verification,{TIGER if lion else LION},0")
        boxes.append(f"{name},xclick,{mid},1,0.1,0.9,0.1,0.9,0,0,0,{int(not lion)},0")
    twin = f"{first + count:016x}"
    (folder / "images" / f"{twin}.png").write_bytes(encoded(scribble(first)))
    listed.append(f"{twin},test,")
    labels.append(f"{twin},verification,{LION},1")
    write_csv(folder / "images.csv", "ImageID,Subset,License", listed)
    columns = "ImageID,Source,LabelName,Confidence"
    write_csv(folder / "train-annotations-human-imagelabels.csv", columns, labels)
    columns += f",XMin,XMax,YMin,YMax,{FLAGS}"
    write_csv(folder / "train-annotations-bbox.csv", columns, boxes)
    return folder


def write_csv(path: Path, header: str, rows: list[str]) -> None:
    path.write_text("\n".join([header, *rows]) + "\n")
