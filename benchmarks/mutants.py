"""What becomes of damaged pictures and damaged Parquet files, in one run of the program.

    python benchmarks/mutants.py [--pictures 2000] [--parquet 300] [--seed 0]
        [--openimages FOLDER] [--keep FOLDER]
    python benchmarks/mutants.py --decoder --pictures 3000

With `--decoder` the pictures are those of `benchmarks.viewer` too, every format in every mode,
and go through the decoding process alone: counts by outcome, and the peak of its memory.

Pictures of every format and Parquet files of several writers are damaged by a
seeded generator and read by `driver/run.py run`. Printed as JSON: how many of
each became features or which error, and whether the laws hold: every row is
accounted for, and no row of a file with page checksums is accepted with other
bytes than were written. (A damaged picture that can still be decoded is accepted:
its pixels are what they are. So is a damaged row of a file without checksums, for
nobody can tell, and a row whose id or author is lost because the footer, which no
checksum covers, names its columns otherwise. All of those are counted.)
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from driver.workspace.workspace import Workspace  # noqa: E402
from mapsight.inputs.pack import ShardWriter  # noqa: E402
from mapsight.results.predictions import records_of  # noqa: E402

__all__ = ["Row", "decode_mutants", "judge", "mutate", "pictures_of", "write_mutants"]

FORMATS: dict[str, dict[str, Any]] = {
    "jpeg": {"quality": 85},
    "progressive": {"format": "jpeg", "progressive": True},
    "png": {},
    "gif": {},
    "webp": {"quality": 80},
    "lossless": {"format": "webp", "lossless": True},
    "tiff": {"compression": "tiff_lzw"},
    "bmp": {},
    "jpeg2000": {},
    "ppm": {},
    "avif": {"quality": 60},
}
ROWS, GROUP = 6, 2


@dataclass(frozen=True)
class Row:
    """What stands in a row of a Parquet file before it is damaged."""

    image_id: str
    sha256: str
    author: str


def pictures_of(folder: Path, count: int) -> list[Path]:
    """Some JPEG files of a folder and those in it."""
    return sorted(folder.rglob("*.jpg"))[:count]


def base_pictures(seed: int, others: Sequence[Path] = ()) -> list[bytes]:
    """Three generated pictures of each format, and those of some files."""
    rng = np.random.default_rng(seed)
    made = [_encoded(rng, **options) for options in _options() for _ in range(3)]
    return made + [path.read_bytes() for path in others]


def _options() -> Iterator[dict[str, Any]]:
    for name, options in FORMATS.items():
        yield {"format": name, **options}


def _encoded(rng: np.random.Generator, **options: Any) -> bytes:
    coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    size = tuple(int(n) for n in rng.integers(60, 320, 2))
    buffer = io.BytesIO()
    Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(buffer, **options)
    return buffer.getvalue()


def _flip(data: bytearray, rng: random.Random, other: bytes) -> None:
    for _ in range(rng.choice([1, 1, 3, 10, 100])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _flip_at_an_end(data: bytearray, rng: random.Random, other: bytes) -> None:
    reach = min(len(data), 600)
    at = rng.randrange(reach)
    data[rng.choice([at, -1 - at])] ^= 1 << rng.randrange(8)


def _cut(data: bytearray, rng: random.Random, other: bytes) -> None:
    del data[rng.randrange(len(data)) :]


def _blank(data: bytearray, rng: random.Random, other: bytes) -> None:
    at, size = rng.randrange(len(data)), rng.choice([1, 16, 512, 4096])
    data[at : at + size] = bytes(len(data[at : at + size]))


def _splice(data: bytearray, rng: random.Random, other: bytes) -> None:
    start, size = rng.randrange(len(other)), rng.choice([8, 64, 1024, 8192])
    at = rng.randrange(len(data))
    data[at : at + rng.choice([0, size])] = other[start : start + size]


KINDS: tuple[Callable[[bytearray, random.Random, bytes], None], ...] = (
    *(_flip, _flip_at_an_end, _cut, _blank, _splice),
)


def mutate(data: bytes, rng: random.Random, other: bytes) -> bytes:
    """Damaged bytes: bits flipped, cut off, blanked, or with a piece of `other`."""
    damaged = bytearray(data)
    while bytes(damaged) == data:
        rng.choice(KINDS)(damaged, rng, other)
    return bytes(damaged)


def _ours(rows: list[dict[str, Any]], path: Path, compression: str) -> None:
    with path.open("wb") as file:
        writer = ShardWriter(file)
        for number, row in enumerate(rows):
            writer.add({**row, "source": "", "ordinal": number})
            if number % GROUP == GROUP - 1:
                writer._flush()
        writer.close()


def _columns(rows: list[dict[str, Any]], path: Path, compression: str, **more: Any) -> None:
    pq.write_table(
        pa.Table.from_pylist(rows), path, compression=compression, row_group_size=GROUP, **more
    )


def _summed(rows: list[dict[str, Any]], path: Path, compression: str) -> None:
    _columns(rows, path, compression, write_page_checksum=True)


def _hugging_face(rows: list[dict[str, Any]], path: Path, compression: str) -> None:
    cells = [
        {
            "image": {"bytes": row["image"], "path": f"{row['image_id']}.jpg"},
            "author": row["author"],
        }
        for row in rows
    ]
    _columns(cells, path, compression)


WRITERS = {"ours": _ours, "sums": _summed, "plain": _columns, "hugging": _hugging_face}
CHECKED = frozenset(("ours", "sums"))
OTHER_BYTES = ", with other bytes"
COMPRESSIONS = ("none", "snappy", "zstd", "gzip", "brotli", "lz4")


def write_mutants(
    folder: Path, pictures: int, parquet: int, seed: int = 0, others: Sequence[Path] = ()
) -> dict[str, Row]:
    """Fill a folder with damaged files; what the rows of its Parquet files held, by source.

    Args:
        others: picture files to damage beside the generated ones.
    """
    rng = random.Random(seed)
    whole = base_pictures(seed, others)
    for number in range(pictures):
        damaged = mutate(whole[number % len(whole)], rng, rng.choice(whole))
        (folder / f"picture-{number:05d}").write_bytes(damaged)
    rows: dict[str, Row] = {}
    for number in range(parquet):
        writer = list(WRITERS)[number % len(WRITERS)]
        name = f"{writer}-{number:05d}.parquet"
        written = _some_rows(name, rng, whole)
        WRITERS[writer](written, folder / name, rng.choice(COMPRESSIONS))
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(mutate(content, rng, content))
        for place, row in enumerate(written):
            sha256 = hashlib.sha256(row["image"]).hexdigest()
            known = Row(row["image_id"], sha256, row["author"])
            rows[f"{folder.name}/{name}#{place}"] = known
    return rows


def _some_rows(name: str, rng: random.Random, whole: Sequence[bytes]) -> list[dict[str, Any]]:
    return [
        {
            "image_id": hashlib.sha256(f"{name}#{place}".encode()).hexdigest()[:16],
            "image": rng.choice(whole),
            "author": f"author {place} of {name}",
        }
        for place in range(ROWS)
    ]


def judge(workspace: Workspace, rows: dict[str, Row]) -> dict[str, Any]:
    """What became of everything: counts by kind of file, and the rows that were falsified."""
    plan = workspace.committed("plan")
    assert plan is not None
    became: dict[str, Counter[str]] = {}
    falsified: list[str] = []
    for image_id, feature in records_of(workspace.parts("extract")):
        source = feature["source"]
        kind = Path(source).name.partition("-")[0]
        code = feature.get("error", "accepted")
        if code == "accepted" and kind in WRITERS:
            code += _difference(rows.get(source), image_id, feature)
            if code.endswith(OTHER_BYTES) and kind in CHECKED:
                falsified.append(source)
        became.setdefault(kind, Counter())[code] += 1
    return {
        "planned": plan["notes"]["pictures"],
        "told": sum(counts.total() for counts in became.values()),
        "became": {kind: dict(sorted(counts.items())) for kind, counts in sorted(became.items())},
        "falsified": falsified,
    }


def _difference(row: Row | None, image_id: str, feature: dict[str, Any]) -> str:
    """How an accepted row differs from what was written."""
    if row is None or feature["sha256"] != row.sha256:
        return OTHER_BYTES
    same = (image_id, feature.get("author")) == (row.image_id, row.author)
    return "" if same else ", with another id or author"


def decode_mutants(count: int, seed: int, others: Sequence[Path] = ()) -> dict[str, Any]:
    """Damage pictures of every mode and decode them in the child process of a task.

    Returns:
        how many there were, how many of each outcome, how many children were needed, and
        the largest peak of one in bytes.
    """
    from benchmarks.viewer import MAKERS
    from mapsight.features.decoder_child import Decoded
    from mapsight.features.decoder_process import Decoder

    rng = random.Random(seed)
    cells = [(cell.format, cell.data) for maker in MAKERS for cell in maker()]
    whole = cells + [("sample", data) for data in base_pictures(seed, others)]
    rng.shuffle(whole)
    became: dict[str, Counter[str]] = {}
    peak = 0
    with Decoder(seconds=20) as decoder:
        for number in range(count):
            kind, data = whole[number % len(whole)]
            result = decoder.decode(mutate(data, rng, rng.choice(whole)[1]))
            code = "classified" if isinstance(result, Decoded) else result.code
            became.setdefault(kind, Counter())[code] += 1
            peak = max(peak, _peak(decoder))
        starts = decoder.starts
    total = sum(became.values(), Counter())
    kinds = {kind: dict(sorted(counts.items())) for kind, counts in sorted(became.items())}
    return {"read": count, "total": dict(total), "became": kinds, "children": starts, "peak": peak}


def _peak(decoder: Any) -> int:
    """The peak of the child's memory so far, in bytes; 0 where there is none now."""
    if decoder._child is None:
        return 0
    status = Path(f"/proc/{decoder._child.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def main(argv: Sequence[str] | None = None) -> int:
    """Run it as the module's docstring says; 1 if a law does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--parquet", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--openimages", default=os.environ.get("MAPSIGHT_OPENIMAGES"))
    parser.add_argument("--keep", type=Path, help="a new folder for the files and the workspace")
    parser.add_argument("--decoder", action="store_true", help="the decoding process alone")
    options = parser.parse_args(argv)
    others = pictures_of(Path(options.openimages), 60) if options.openimages else []
    if options.decoder:
        found = decode_mutants(options.pictures, options.seed, others)
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
        return int(found["read"] != sum(found["total"].values()))
    with tempfile.TemporaryDirectory() as temporary:
        base = options.keep or Path(temporary)
        (base / "mutants").mkdir(parents=True)
        made = write_mutants(
            base / "mutants", options.pictures, options.parquet, options.seed, others
        )
        words = [str(ROOT / "driver" / "run.py"), "-r", "local", "--images", "mutants"]
        words += ["--max-rejected", "1", "--until", "extract"]
        words += ["--alpha", "0.25", "--resolution", "128"]
        subprocess.run([sys.executable, *words], cwd=base, check=True)
        found = judge(Workspace(str(base / "workspace")), made)
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return int(found["planned"] != found["told"] or bool(found["falsified"]))


if __name__ == "__main__":
    sys.exit(main())
