"""A folder of made-up pictures as Parquet, with metadata as Open Images publishes it.

    FOLDER/pictures/pictures-00042.parquet    SHARD_ROWS pictures each, some 128 MiB
    FOLDER/metadata/…csv                      image lists, verified labels and boxes by subset
    FOLDER/parts/00042/…csv                   the same of a shard, until all are there

A shard appears when it is whole, so that a killed run goes on where it was.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import multiprocessing
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.million.pictures import Made, Maker, id_of
from mapsight.openimages.columns import SIDES

__all__ = ["Collection", "Sources", "metadata_of", "number_of"]

SHARD_ROWS = 9_500
GROUP_ROWS = 500
SCHEMA = pa.schema([("image_id", pa.string()), ("image", pa.binary())])
UNSIGNED = 2**64
IMAGES, CLASSES = "images-with-rotation.csv", ("class-descriptions.csv",)
LEAST_LEFT = 0.25  # of a box, to be one of the crop


@dataclass(frozen=True)
class Sources:
    """Pictures with the rows that metadata has of each: `rows` by name of a file, then by id."""

    files: Sequence[Path]
    headers: Mapping[str, Sequence[str]]
    rows: Mapping[str, Mapping[str, Sequence[Mapping[str, str]]]]

    @classmethod
    def read(cls, pictures: Sequence[Path], openimages: Path) -> Sources:
        """Read the metadata of a small collection into memory."""
        headers, rows = {}, {}
        for path in sorted(openimages.glob("*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                if "ImageID" not in (reader.fieldnames or ()) or path.stem == "truth":
                    continue
                headers[path.name] = list(reader.fieldnames or ())
                found = defaultdict(list)
                for row in reader:
                    found[row["ImageID"]].append(row)
            rows[path.name] = dict(found)
        return cls(pictures, headers, rows)


@dataclass(frozen=True)
class Collection:
    """A collection of `count` pictures in a folder; another seed makes another one."""

    folder: Path
    count: int
    seed: int = 0

    def missing(self) -> list[int]:
        """Return the numbers of the shards that are still to be made."""
        shards = range(-(-self.count // SHARD_ROWS))
        return [shard for shard in shards if not self.shard(shard).exists()]

    def shard(self, number: int) -> Path:
        """Return where a shard is."""
        return self.folder / "pictures" / f"pictures-{number:05d}.parquet"

    def make(self, sources: Sources, processes: int) -> Iterator[int]:
        """Make what is missing; yield the number of each shard that is there."""
        (self.folder / "pictures").mkdir(parents=True, exist_ok=True)
        with multiprocessing.get_context("fork").Pool(
            processes, _be_ready, (sources, self.seed)
        ) as pool:
            yield from pool.imap_unordered(partial(_make_shard, self), self.missing())

    def join_metadata(self, sources: Sources, openimages: Path) -> Path:
        """Write the metadata of all shards, and the names of classes; return its folder."""
        folder = self.folder / "metadata"
        folder.mkdir(exist_ok=True)
        for name in CLASSES:
            shutil.copyfile(openimages / name, folder / name)
        for name, header in sources.headers.items():
            whole = folder / f".{name}"
            with whole.open("w", encoding="utf-8", newline="") as out:
                csv.writer(out).writerow(header)
                for part in sorted((self.folder / "parts").glob(f"*/{name}")):
                    with part.open(encoding="utf-8", newline="") as lines:
                        shutil.copyfileobj(lines, out)
            whole.rename(folder / name)
        return folder

    def numbers(self, shard: int) -> range:
        """Return the numbers of the pictures of a shard."""
        return range(shard * SHARD_ROWS, min((shard + 1) * SHARD_ROWS, self.count))


def number_of(image_id: str) -> int:
    """Return the number of a picture: `id_of` the other way round."""
    return int(image_id, 16) * pow(0x9E3779B97F4A7C15, -1, UNSIGNED) % UNSIGNED


def metadata_of(sources: Sources, number: int, made: Made) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (name of a file, row) of a picture: those of its source, boxes as the crop has them."""
    source, image_id = sources.files[made.source].stem, id_of(number)
    for name, rows in sources.rows.items():
        for row in rows.get(source, ()):
            own = {**row, "ImageID": image_id}
            if name == IMAGES:
                address = f"https://images.example/{image_id}"
                own |= {"OriginalURL": f"{address}.jpg", "OriginalLandingURL": address}
                own |= {"OriginalSize": str(len(made.data))}
            if "XMin" not in row or _cropped(own, made.crop):
                yield name, own


def _cropped(row: dict[str, str], crop: tuple[float, float, float, float]) -> bool:
    """Give a box the coordinates of a crop; return whether enough of it is left."""
    left, top, right, bottom = crop
    whole = [float(row[side]) for side in SIDES]
    ends = ((left, right), (left, right), (top, bottom), (top, bottom))
    x0, x1, y0, y1 = (
        min(max((value - low) / (high - low), 0.0), 1.0)
        for value, (low, high) in zip(whole, ends, strict=True)
    )
    area = (whole[1] - whole[0]) * (whole[3] - whole[2])
    left_of_it = (x1 - x0) * (right - left) * (y1 - y0) * (bottom - top)
    texts = [f"{value:.6f}" for value in (x0, x1, y0, y1)]
    row.update(zip(SIDES, texts, strict=True))
    return left_of_it >= LEAST_LEFT * area


_WORKER: tuple[Sources, Maker] | None = None


def _be_ready(sources: Sources, seed: int) -> None:
    global _WORKER
    _WORKER = sources, Maker(sources.files, seed)


def _make_shard(collection: Collection, shard: int) -> int:
    assert _WORKER is not None
    sources, maker = _WORKER
    target = collection.shard(shard)
    unfinished = target.with_suffix(".unfinished")
    parts = collection.folder / "parts" / f"{shard:05d}"
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    numbered = ((number, maker.make(number)) for number in collection.numbers(shard))
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(pq.ParquetWriter(unfinished, SCHEMA, compression="none"))
        tables = {
            name: csv.DictWriter(
                stack.enter_context((parts / name).open("w", encoding="utf-8", newline="")), header
            )
            for name, header in sources.headers.items()
        }
        while group := list(itertools.islice(numbered, GROUP_ROWS)):
            columns = [[id_of(number) for number, _ in group], [made.data for _, made in group]]
            out.write_table(pa.table(columns, schema=SCHEMA))
            for number, made in group:
                for name, row in metadata_of(sources, number, made):
                    tables[name].writerow(row)
    unfinished.replace(target)
    return shard
