"""What other programs find among the pictures and copies that benchmarks/copies.py wrote.

    PYTHON -I benchmarks/quality/other_copies.py OUT/pictures

Runs in a Python of its own, with imagededup or fastdup and without Mapsight; -I, for modules beside
this file have names of the standard library.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Pairs = set[tuple[str, str]]
ORIGINAL = "original"


def encoded(hasher: Any, folder: Path, label: str) -> dict[str, str]:
    """Return the hashes of a folder's pictures, by `LABEL--NAME`."""
    codes = hasher.encode_images(str(folder), num_enc_workers=0)
    return {f"{label}--{name}": code for name, code in codes.items()}


def by_hash(name: str, folder: Path, kinds: list[str]) -> Iterator[tuple[str, Pairs]]:
    """Yield (kind, pairs) that a hash of imagededup finds among pictures and copies of a kind."""
    from imagededup import methods

    hasher = getattr(methods, name)(verbose=False)
    originals = encoded(hasher, folder / ORIGINAL, "a")
    for kind in kinds:
        codes = {**originals, **encoded(hasher, folder / kind, "b")}
        found = hasher.find_duplicates(
            encoding_map=codes, max_distance_threshold=10, num_dist_workers=0
        )
        yield kind, {tuple(sorted((one, other))) for one, rest in found.items() for other in rest}


def by_fastdup(folder: Path, kinds: list[str]) -> Iterator[tuple[str, Pairs]]:
    """Yield (kind, pairs) that fastdup takes for duplicates: a similarity of .96 or more."""
    import fastdup

    for kind in kinds:
        with tempfile.TemporaryDirectory() as place:
            target = Path(place) / "pictures"
            target.mkdir()
            for label, one in (("a", ORIGINAL), ("b", kind)):
                for path in sorted((folder / one).iterdir()):
                    shutil.copy(path, target / f"{label}--{path.name}")
            program = fastdup.create(work_dir=f"{place}/work", input_dir=str(target))
            program.run(overwrite=True, print_summary=False, verbose=False)
            table = program.similarity()
        table = table[table["distance"] >= 0.96]
        ends = ([Path(text).name for text in table[f"filename_{end}"]] for end in ("from", "to"))
        yield kind, {tuple(sorted(pair)) for pair in zip(*ends, strict=True)}


def ways(folder: Path, kinds: list[str]) -> Iterator[tuple[str, Iterator[tuple[str, Pairs]]]]:
    """Yield (name, what it finds) of those that are installed."""
    if find_spec("imagededup"):
        for name in ("PHash", "DHash"):
            yield f"imagededup {name} 10", by_hash(name, folder, kinds)
    if find_spec("fastdup"):
        yield "fastdup .96", by_fastdup(folder, kinds)


def main() -> None:
    """Print a line for each way and kind: recall, and wrong pairs."""
    folder = Path(sys.argv[1])
    listed = folder.parent / "same.json"
    same = {tuple(sorted(p)) for p in (json.loads(listed.read_text()) if listed.exists() else [])}
    kinds = sorted(p.name for p in folder.iterdir() if not p.name.startswith(("keep ", ORIGINAL)))
    for name, results in ways(folder, kinds):
        for kind, pairs in results:
            count = len(list((folder / kind).iterdir()))
            stems = {tuple(sorted(Path(n[3:]).stem for n in p)) for p in pairs if across(p)}
            hits = sum(one == other for one, other in stems)
            wrong = len([p for p in stems if p[0] != p[1] and p not in same])
            line = f"{name:<20} {kind:<15} {hits / count:.3f} of {count}; wrong {wrong}\n"
            sys.stdout.write(line)
            sys.stdout.flush()


def across(pair: tuple[str, str]) -> bool:
    """Return whether a pair is of a picture and a copy."""
    return {name[0] for name in pair} == {"a", "b"}


if __name__ == "__main__":
    main()
