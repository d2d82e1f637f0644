"""Made-up collections for a cluster: of every form of input, and one that takes a while."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.pictures import encoded, scribble

LIONS, TREES = "/m/096mb", "/m/07j7r"
SUBSETS = ("train", "validation", "train", "test")
GROUPS, ROWS = 8, 50
MANY = GROUPS * ROWS
SIZES = (60, 60, 60, 120, 180)
"""Of each of four pictures two copies, one with other bytes, and two enlarged."""
COPIES = 3
"""Of a fifth, byte for byte, and one with less bytes."""
DUPLICATES = 4 * len(SIZES) + COPIES + 1


def jpeg(seed: int, width: int = 60, height: int = 40) -> bytes:
    return encoded(scribble(seed, width, height), "JPEG", quality=80)


def make_collection(folder: Path) -> bytes:
    """Pictures and labels in `openimages`, `more.tar`, and the bytes of a Parquet file.

    55 pictures, of which 48 can be used: 7 are broken, empty, no pictures or doubles. In the
    Parquet file are five groups of duplicates besides.
    """
    images = folder / "openimages" / "images"
    images.mkdir(parents=True)
    for seed in range(20):
        (images / f"{seed:016x}.jpg").write_bytes(jpeg(seed, 60 + seed))
    (images / "löwe zwölf.png").write_bytes(encoded(scribble(20)))
    (images / "broken.jpg").write_bytes(jpeg(21)[:400])
    (images / "empty.jpg").write_bytes(b"")
    (images / "page.html").write_bytes(b"<!doctype html><title>no picture</title>")
    rows = [(f"{seed:016x}", LIONS if seed % 2 else TREES) for seed in range(60)]
    labels = "".join(f"{name},verification,{mid},1\n" for name, mid in rows)
    header = "ImageID,Source,LabelName,Confidence\n"
    labels_file = folder / "openimages" / "test-annotations-human-imagelabels.csv"
    labels_file.write_text(header + labels)
    boxes = "".join(
        f"{name},xclick,{mid},1,0.1,0.9,0.1,0.9,0,0,0,{number % 2},0\n"
        for number, (name, mid) in enumerate(rows[::3])
    )
    flags = "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
    header = f"ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,{flags}\n"
    (folder / "openimages" / "train-annotations-bbox.csv").write_text(header + boxes)
    _make_metadata(folder / "openimages")
    names = f"{TREES},Tree\n{LIONS},Lion\n"
    (folder / "openimages" / "class-descriptions-boxable.csv").write_text(names)
    _make_tar(folder / "more.tar")
    pictures = [jpeg(seed) for seed in range(40, 54)] + [b"GIF89a", None]
    ids = [f"{seed:016x}" for seed in (0, *range(41, 56))]  # the first is a double
    ids += [f"{number:016x}" for number in range(200, 200 + DUPLICATES)]
    return parquet([*pictures, *_duplicates(100)], ids, 4)


def _duplicates(first: int) -> list[bytes]:
    """Five groups of pictures that are there more than once, of seeds from the first on."""
    pictures = [jpeg(first + seed, side, side) for seed in range(4) for side in SIZES]
    pictures[2 :: len(SIZES)] = [data + b"\0" for data in pictures[2 :: len(SIZES)]]
    fifth = jpeg(first + 4, 90, 90)
    return [*pictures, *[fifth + b"\0"] * COPIES, fifth]


def _make_metadata(folder: Path) -> None:
    """An image list whose titles have two lines, and boxes with a row that is torn."""
    images = "ImageID,Subset,License,Author,Title\n" + "".join(
        f'{seed:016x},{SUBSETS[seed % 4]},by,"Doe, {seed % 3}","one\ntwo"\n'
        for seed in range(1, 20)
    )
    (folder / "test-images-with-rotation.csv").write_text(images)
    header = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsDepiction\n"
    rows = ((seed, n, seed / 20) for seed in range(20) for n in range(seed % 4))
    boxes = "".join(f"{seed:016x},xclick,{LIONS},1,0,{x},0.{n},1,-1\n" for seed, n, x in rows)
    (folder / "test-annotations-bbox.csv").write_text(f"{header}torn\n{boxes}")


def _make_tar(path: Path) -> None:
    with tarfile.open(path, "w") as tar:
        for seed in (3, *range(25, 39)):  # the first is a double
            data = jpeg(seed)
            member = tarfile.TarInfo(f"down/{seed:016x}.jpg")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def parquet(pictures: list[bytes | None], ids: list[str], rows: int) -> bytes:
    """A Parquet file with row groups of so many rows, as anybody makes them."""
    table = pa.table({"image_id": ids, "image": pa.array(pictures, pa.binary())})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, row_group_size=rows, write_page_checksum=True)
    return buffer.getvalue()


def many_pictures() -> bytes:
    """A Parquet file of 400 pictures: long enough for a task to be caught at work."""
    some = [jpeg(seed, 1600, 1200) for seed in range(ROWS)]
    ids = [f"{number:016x}" for number in range(MANY)]
    return parquet([some[number % ROWS] for number in range(MANY)], ids, ROWS)
