"""How many changed copies of pictures are found, what is wrongly taken for one, and what is kept.

    python -m benchmarks.copies --images DIR --model M.tflite --folder OUT [--every 4] \\
        [--other PYTHON]

Of every fourth picture of DIR all copies of benchmarks/quality/made_copies.py are made, always the
same. Of each kind the copies and all pictures of DIR are compared, each with each, as `mapsight
duplicates` does with a collection of that size. A pair is wrong if its pictures are of different
ones. DIR may have copies itself: pairs that are found are listed in OUT/copies.json, to be looked
at, and those that are true are put into OUT/same.json (pairs of names); they count neither way.
PYTHON has imagededup or fastdup installed: these are asked too, at their usual thresholds.
Pictures, copies and features stay in OUT, and are made once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.quality.made_copies import COPIES, copies_of, keeper_groups
from driver.stages.duplicates import Options
from mapsight.duplicates.bucket import LOOKED, copies, nearest
from mapsight.duplicates.keys import is_flat
from mapsight.duplicates.likeness import LEAST_LIKENESS, alike, detail_of
from mapsight.duplicates.rows import Row, fact, row_of, tile_in, vector_in
from mapsight.duplicates.tiles import BANDS, VIEWS, hashes_of, view
from mapsight.features.decode import decode
from mapsight.features.decoder_child import Decoded, answer
from mapsight.features.extract import feature_of
from mapsight.features.mobilenet import MobileNet
from mapsight.index.cosines import cosines

LIMITS = Options()
ORIGINAL = "original"
CHUNK = 64
BESIDE = Path(__file__).parent / "quality" / "other_copies.py"


@dataclass(frozen=True)
class Named:
    """A picture: of which file it is, the kind of copy, and its row."""

    name: str
    kind: str
    row: Row


def tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def written(images: Path, folder: Path, every: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield (name, kind, bytes) of pictures and their copies, and write them by kind."""
    for number, path in enumerate(sorted(images.iterdir())):
        data = path.read_bytes()
        made = [(ORIGINAL, data)]
        if number % every == 0:
            image = decode(data).image
            made += copies_of(image, number)
            made += ((f"keep {kind}", copy) for kind, copy in keeper_groups(image))
        for kind, one in made:
            target = folder / "pictures" / kind / f"{path.stem}.{path.suffix[1:]}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(one)
            yield path.stem, kind, one


def features(images: Path, folder: Path, every: int, model: Path) -> list[Named]:
    """Rows of all pictures, as extract measures them; read again where they were written."""
    cache = folder / "features.jsonl"
    if not cache.exists():
        folder.mkdir(parents=True, exist_ok=True)
        part, network = cache.with_suffix(".part"), MobileNet(model)
        with part.open("w") as file:
            for name, kind, data in written(images, folder, every):
                decoded = answer(data, network.resolution)
                if isinstance(decoded, Decoded):
                    record = feature_of(decoded, network) | {"bytes": len(data), "source": name}
                    record["sha256"] = hashlib.sha256(data).hexdigest()
                    file.write(json.dumps([name, kind, record]) + "\n")
        part.rename(cache)
    with cache.open() as file:
        lines = (json.loads(line) for line in file)
        rows = [(name, kind, row_of(f"{name} {kind}", record)) for name, kind, record in lines]
    return [Named(name, kind, row) for name, kind, row in rows if row]


@dataclass(frozen=True)
class Arrays:
    """Vectors, bits of hashes (BANDS, n, VIEWS, 16), tiles, and which are of one colour."""

    vectors: np.ndarray
    bands: np.ndarray
    tiles: np.ndarray
    flat: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Arrays:
        """Return those of rows."""
        tiles = np.stack([tile_in(row) for row in rows])
        flat = np.array([is_flat(row) for row in rows])
        hashes = [[list(bytes.fromhex(one)) for one in hashes_of(tile)] for tile in tiles]
        bits = np.unpackbits(np.array(hashes, np.uint8), axis=-1) > 0
        bands = np.stack(np.split(bits, BANDS, axis=-1))
        return cls(np.stack([vector_in(row) for row in rows]), bands, tiles, flat)


def found_pairs(one: Arrays, other: Arrays) -> np.ndarray:
    """Return (n, 2) places of pairs that are copies."""
    usable = ~one.flat[:, None] & ~other.flat
    scores = np.where(usable, cosines(one.vectors, other.vectors), -np.inf)
    near = nearest(scores, LOOKED, LIMITS.min_cosine)
    places = [_checked(one, other, np.argwhere(near), copies)]
    for number in range(VIEWS):
        few = np.argwhere(usable & _share_a_band(one.bands[:, :, number], other.bands[:, :, 0]))

        def same(x: np.ndarray, y: np.ndarray, number: int = number) -> np.ndarray:
            return alike(detail_of(view(x, number)), detail_of(y), LEAST_LIKENESS)

        places.append(_checked(one, other, few, same))
    return np.unique(np.concatenate(places), axis=0)


def _share_a_band(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return which of (BANDS, n, 16) and (BANDS, m, 16) bits meet in a bucket: (n, m)."""
    x, y = one.astype(np.float32), other.astype(np.float32).swapaxes(1, 2)
    apart = x @ (1 - y) + (1 - x) @ y
    return (apart.min(axis=0) == 0) & (apart.sum(axis=0) <= LIMITS.max_distance)


def _checked(one: Arrays, other: Arrays, places: np.ndarray, same: Any) -> np.ndarray:
    kept = [
        part[same(one.tiles[part[:, 0]], other.tiles[part[:, 1]])]
        for part in (places[at : at + CHUNK] for at in range(0, len(places), CHUNK))
    ]
    return np.concatenate(kept) if kept else places


def report(pictures: list[Named], folder: Path) -> None:
    """Say of each kind how many copies are found, and how many pairs are wrong."""
    originals = [one for one in pictures if one.kind == ORIGINAL]
    names = [one.name for one in originals]
    place = {name: number for number, name in enumerate(names)}
    whole = Arrays.of([one.row for one in originals])
    own = sorted({tuple(sorted(p)) for p in found_pairs(whole, whole).tolist() if p[0] != p[1]})
    listed = [[names[a], names[b]] for a, b in own]
    (folder / "copies.json").write_text(json.dumps(listed, indent=1))
    seen = folder / "same.json"
    same = (
        {tuple(sorted(pair)) for pair in json.loads(seen.read_text())} if seen.exists() else set()
    )
    wrong = [pair for pair in listed if tuple(sorted(pair)) not in same]
    tell(f"{len(names)} pictures: {len(listed)} pairs, {len(wrong)} not known to be copies")
    for kind in COPIES:
        made = [one for one in pictures if one.kind == kind]
        pairs = found_pairs(Arrays.of([one.row for one in made]), whole)
        hits = sum(place[made[a].name] == b for a, b in pairs)
        false = {
            pair
            for pair in ((made[a].name, names[b]) for a, b in pairs.tolist())
            if pair[0] != pair[1] and tuple(sorted(pair)) not in same
        }
        rate = 1000 * len(false) / (len(made) + len(names))
        tell(f"{kind:<15} {hits / len(made):.3f} of {len(made)}; wrong {len(false)} ({rate:.2f} ‰)")


def report_keepers(pictures: list[Named]) -> None:
    """Say in how many groups, each the picture and its worse copies, the picture is kept."""
    groups: dict[str, list[Named]] = {}
    for one in pictures:
        if one.kind == ORIGINAL or one.kind.startswith("keep "):
            groups.setdefault(one.name, []).append(one)
    made = [group for group in groups.values() if len(group) > 1]
    kinds = sorted({one.kind for group in made for one in group} - {ORIGINAL})
    beaten = np.array([[_beaten(group, kind) for kind in kinds] for group in made])
    whole = beaten[:, ["cropped" not in kind for kind in kinds]].all(axis=1)
    tell(f"kept is the best of {whole.sum()} of {len(made)} groups ({whole.mean():.3f}),")
    tell(f"  of {beaten.all(axis=1).sum()} ({beaten.all(axis=1).mean():.3f}) with a crop in them")
    for kind, share in zip(kinds, beaten.mean(axis=0), strict=True):
        tell(f"  {kind:<30} {share:.3f}")
    by_ppi = sum(
        max(group, key=lambda one: (fact(one.row, "ppi"), fact(one.row, "bytes"))).kind == ORIGINAL
        for group in made
    )
    tell(f"  by the highest PPI it would be the best of {by_ppi}")


def _beaten(group: Sequence[Named], kind: str) -> bool:
    (worse,) = (one for one in group if one.kind == kind)
    return group[0].row[0] < worse.row[0]


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("images", "model", "folder"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--every", type=int, default=4)
    parser.add_argument("--other", help="Python with imagededup or fastdup")
    options = parser.parse_args()
    pictures = features(options.images, options.folder, options.every, options.model)
    report(pictures, options.folder)
    report_keepers(pictures)
    if options.other:
        subprocess.run([options.other, "-I", BESIDE, options.folder / "pictures"], check=True)


if __name__ == "__main__":
    main()
