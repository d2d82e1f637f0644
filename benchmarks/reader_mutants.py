"""What the readers of Parquet, archives, metadata and lists make of damaged files.

    python benchmarks/reader_mutants.py [--files 300] [--seed 0]

No pipeline runs: the library's readers are called as tasks and the planner call them, in one
process. Printed as JSON, for `files` files of each kind: their pictures or rows by outcome
(`right`; `told`, an error that names it; `other`, with other bytes than were written and
without a word; `missing`, without a word and without an error in its file), the files that
raised what no caller expects (`crashed`), and the peak of the process's memory in bytes.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import io
import json
import lzma
import random
import resource
import sys
import tarfile
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.mutants import COMPRESSIONS, WRITERS, _some_rows, mutate  # noqa: E402
from mapsight.explore.rows import SplitReader  # noqa: E402
from mapsight.inputs.find import Found  # noqa: E402
from mapsight.inputs.shards import read_images  # noqa: E402
from mapsight.inputs.splits import make_plan  # noqa: E402
from mapsight.inputs.tars import read_tar  # noqa: E402
from mapsight.inputs.url_lists import read_url_list  # noqa: E402
from mapsight.openimages.dataset import (  # noqa: E402
    CsvSplit,
    annotation_rows,
    read_classes,
    read_descriptions,
)

__all__ = ["CHECKED", "KINDS", "METADATA", "PACKERS", "read_mutants"]

Counts = dict[str, Counter[str]]
MEMBERS, LINES = 8, 40
EXPECTED = (OSError, ValueError)  # what callers name the file and go on or end with


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": partial(gzip.compress, mtime=0),
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
    "tar.zst": lambda data: pa.compress(data, "zstd", asbytes=True),
}
"""The compressions of archives; zstd here without a checksum, which pyarrow does not write."""

CHECKED = ("ours", "sums", "tar.gz", "tar.bz2", "tar.xz")
"""Formats that have checksums."""


def _pictures(rng: random.Random) -> list[bytes]:
    """Bytes as of pictures: readers do not look into them."""
    return [rng.randbytes(rng.choice([40, 900, 3000, 20_000])) for _ in range(MEMBERS)]


def _archive(pictures: Sequence[bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for number, data in enumerate(pictures):
            header = tarfile.TarInfo(f"{number:04d}.jpg")
            header.size = len(data)
            tar.addfile(header, io.BytesIO(data))
    return buffer.getvalue()


def _tars(folder: Path, files: int, rng: random.Random) -> Iterator[tuple[str, Counter[str]]]:
    for number in range(files):
        kind = list(PACKERS)[number % len(PACKERS)]
        pictures = _pictures(rng)
        packed = PACKERS[kind](_archive(pictures))
        path = folder / f"{number}.{kind}"
        path.write_bytes(mutate(packed, rng, packed))
        yield kind, _outcomes(partial(_read_tar, path, pictures))


def _read_tar(path: Path, pictures: Sequence[bytes]) -> Counter[str]:
    rows = list(read_tar(str(path), path.name))
    got = {row["source"].partition("#")[2]: row for row in rows}
    names = {f"{number:04d}.jpg": data for number, data in enumerate(pictures)}
    told = [row for row in rows if "error" in row]
    became = Counter(_picture(got.get(name), data, bool(told)) for name, data in names.items())
    became["rows with an error"] += len(told)
    became["other"] += sum(name not in names for name in got if "error" not in got[name])
    # a checksum that does not fit names the pictures that came before
    if became["other"] and any("may be damaged" in row["detail"] for row in told):
        became["told, after it came"] += became.pop("other")
    return became


def _picture(row: dict[str, Any] | None, data: bytes, any_told: bool) -> str:
    if row is None:
        return "told" if any_told else "missing"
    if "error" in row:
        return "told"
    return "right" if row["image"] == data else "other"


def _parquet(folder: Path, files: int, rng: random.Random) -> Iterator[tuple[str, Counter[str]]]:
    for number in range(files):
        kind = list(WRITERS)[number % len(WRITERS)]
        path = folder / f"{kind}-{number}.parquet"
        rows = _some_rows(path.name, rng, _pictures(rng))
        WRITERS[kind](rows, path, rng.choice(COMPRESSIONS))
        content = path.read_bytes()
        path.write_bytes(mutate(content, rng, content))
        yield kind, _outcomes(partial(_read_parquet, path, rows))


def _read_parquet(path: Path, rows: Sequence[dict[str, Any]]) -> Counter[str]:
    plan = make_plan([_found(path, "parquet")], path.parent)
    became: Counter[str] = Counter()
    images = [image for split in plan.splits["parquet"] for image in read_images(split)]
    for image in images:
        place = image.source.partition("#")[2]
        written = rows[int(place)]["image"] if place and int(place) < len(rows) else None
        told = image.error is not None
        became["told" if told else "right" if image.data == written else "other"] += 1
    whole_file = len(images) == 1 and images[0].error is not None  # its footer is lost
    became["missing" if not whole_file else "told"] += max(len(rows) - len(images), 0)
    became["unaccounted"] += abs(plan.pictures - len(images))
    return became


def _found(path: Path, kind: str) -> Found:
    return Found(path.name, str(path).encode(), path.stat().st_size, "", kind)


def _labels(rng: random.Random) -> Iterator[str]:
    yield "ImageID,Source,LabelName,Confidence"
    for _ in range(LINES):
        label = f"/m/0{rng.randrange(10**4)},{rng.randrange(2)}"
        yield f"{rng.getrandbits(64):016x},verification,{label}"


def _boxes(rng: random.Random) -> Iterator[str]:
    yield (
        "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,"
        "IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
    )
    for _ in range(LINES):
        low, high = sorted(round(rng.random(), 6) for _ in range(2))
        sides = f"{low},{high},{low},{high}"
        yield f"{rng.getrandbits(64):016x},xclick,/m/0{rng.randrange(10**4)},1,{sides},0,1,0,0,-1"


def _images(rng: random.Random) -> Iterator[str]:
    yield (
        "ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,"
        "Author,Title,OriginalSize,OriginalMD5,Thumbnail300KURL"
    )
    for number in range(LINES):
        url = f"https://pictures.example/{rng.getrandbits(40):x}.jpg"
        title = rng.choice(['"Tiger, ""two"" of them"', "Tiger", "Löwe", ""])
        yield f"{rng.getrandbits(64):016x},train,{url},{url},{url},{url},A. {number},{title},,,"


def _descriptions(rng: random.Random) -> Iterator[str]:
    for number in range(LINES):
        yield f'/m/0{number:04x},"Class {number}, of {rng.randrange(99)}"'


def _hierarchy(rng: random.Random) -> Iterator[str]:
    children = [
        {"LabelName": f"/m/0{n}", "Subcategory": [{"LabelName": f"/m/1{n}"}]} for n in range(9)
    ]
    yield json.dumps({"LabelName": "/m/0bl9f", "Subcategory": children})


METADATA: dict[str, Callable[[random.Random], Iterator[str]]] = {
    "labels": _labels,
    "boxes": _boxes,
    "images": _images,
    "descriptions": _descriptions,
    "hierarchy": _hierarchy,
    "urls": _images,
}


def _metadata(folder: Path, files: int, rng: random.Random) -> Iterator[tuple[str, Counter[str]]]:
    for number in range(files):
        kind = list(METADATA)[number % len(METADATA)]
        whole = ("\n".join(METADATA[kind](rng)) + "\n").encode()
        path, sound = folder / f"{kind}-{number}.csv", folder / "sound.csv"
        sound.write_bytes(whole)
        packed = gzip.compress(whole, mtime=0) if kind == "urls" and rng.random() < 0.5 else whole
        damaged = mutate(packed, rng, packed)
        path.write_bytes(damaged)
        left = Counter(damaged.split(b"\n")) & Counter(whole.split(b"\n"))
        if packed is not whole:
            left.clear()  # no line can be told from another
        yield kind, _outcomes(partial(_read_metadata, kind, path, sound, left, whole))


def _read_metadata(
    kind: str, path: Path, sound: Path, left: Counter[bytes], whole: bytes
) -> Counter[str]:
    """Rows whose line was not touched must be read as they were; the others may be told."""
    first = whole.partition(b"\n")[0]
    written = _rows_of(kind, sound)
    try:
        rows = _rows_of(kind, path)
    except EXPECTED:
        return Counter({"told": sum(written.values())})
    became = Counter({"right": (rows & written).total(), "other": (rows - written).total()})
    became["told"] = rows.pop("malformed", 0)
    became["other"] -= became["told"]
    lines = whole.split(b"\n")[:-1]
    if kind != "hierarchy" and left[first]:
        here = sound.with_name("untouched.csv")
        untouched = [first, *(line for line in lines[1:] if left[line])]
        here.write_bytes(b"\n".join(untouched) + b"\n")
        became["missing"] = (_rows_of(kind, here) - rows).total()
    return became


def _rows_of(kind: str, path: Path) -> Counter[str]:
    found = _found(path, "picture")
    if kind == "descriptions":
        return Counter(map(repr, read_descriptions([found]).items()))
    if kind == "hierarchy":
        return Counter(map(repr, read_classes([found]).items()))
    if kind == "urls":
        return Counter(map(repr, read_url_list(found.uri, "list.csv")))
    return _annotations(kind, path)


def _annotations(kind: str, path: Path) -> Counter[str]:
    """Rows of both readers, whole and in two pieces, which must agree."""
    size = path.stat().st_size
    split = CsvSplit(str(path), kind, 0, size, path.name)
    rows = [repr(row) if row else "malformed" for row in annotation_rows(split)]
    middle = size // 2
    halves = [CsvSplit(str(path), kind, *part, path.name) for part in ((0, middle), (middle, size))]
    pieces = [repr(row) if row else "malformed" for half in halves for row in annotation_rows(half)]
    assert sorted(pieces) == sorted(rows), "in pieces other rows"
    reader = SplitReader(split)
    for _ in reader.parts():
        pass
    assert reader.counters["rows"] == len(rows), "exploring counts other rows"
    return Counter(rows)


def _outcomes(read: Callable[[], Counter[str]]) -> Counter[str]:
    try:
        return read()
    except Exception:  # the trial is whether there is one
        traceback.print_exc()
        return Counter({"crashed": 1})


KINDS = {"parquet": _parquet, "tar": _tars, "metadata": _metadata}


def read_mutants(folder: Path, files: int, seed: int) -> dict[str, dict[str, dict[str, int]]]:
    """Damage and read files of each of KINDS.

    Returns:
        outcomes by kind and format, and how many files there were.
    """
    became: dict[str, Counts] = {}
    for name, kind in KINDS.items():
        counts = became.setdefault(name, {})
        for number, (form, outcomes) in enumerate(kind(folder, files, random.Random(seed))):
            counts.setdefault(form, Counter()).update(outcomes, files=1)
            if outcomes["missing"] or outcomes["crashed"] or outcomes["unaccounted"]:
                sys.stderr.write(f"{name} {number} {form}: {dict(outcomes)}\n")
    return {
        name: {
            form: {key: n for key, n in sorted(counts.items()) if n}
            for form, counts in forms.items()
        }
        for name, forms in became.items()
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run it as the module's docstring says; 1 if something crashed or is missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="an empty folder for the files")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        found = read_mutants(options.keep or Path(temporary), options.files, options.seed)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(json.dumps({**found, "peak": peak}, indent=1) + "\n")
    wrong = ("crashed", "missing", "unaccounted")
    return int(
        any(
            counts.get(key)
            for forms in found.values()
            for counts in forms.values()
            for key in wrong
        )
    )


if __name__ == "__main__":
    sys.exit(main())
