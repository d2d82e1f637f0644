"""Draws the catalogue that Mapsight comes with: eleven animals in two styles.

    python examples/draw_catalogue.py FOLDER

FOLDER becomes a folder of Open Images files: `images/` and the metadata under the
published names. The pictures are drawn by this program, the same on every run; names,
authors and titles are made up. Nothing is done when FOLDER is up to date.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalogue_art.metadata import MIDS, write_metadata

__all__ = ["Item", "draw_catalogue", "draw_in_processes", "draw_items", "items", "program_digest"]

HERE = Path(__file__).resolve().parent
SEED = "mapsight catalogue 1"
STAMP = "catalogue.json"
EACH = 40
"""Pictures of an animal, half of them in each style; of what is no animal there are fewer."""
FEWER = {"Mushroom": 20}
TENTHS = ("train",) * 6 + ("validation",) * 2 + ("test",) * 2


@dataclass(frozen=True)
class Item:
    """A picture to be drawn."""

    label: str
    number: int
    photo: bool
    subset: str
    seed: str = SEED

    @property
    def id(self) -> str:
        """Its ImageID, 16 hex digits, which is the seed of its drawing too."""
        text = f"{self.seed}/{self.label}/{self.number}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def file(self) -> str:
        """The name of its file: some drawings are PNG, all others JPEG."""
        return f"{self.id}.{'png' if not self.photo and self.number % 8 == 1 else 'jpg'}"


def items() -> Iterator[Item]:
    """All pictures of the catalogue."""
    for label in MIDS:
        for number in range(FEWER.get(label, EACH)):
            yield Item(label, number, number % 2 == 0, TENTHS[number // 2 % 10])


def draw_items(some: list[Item], folder: Path) -> list[dict[str, Any]]:
    """Draw pictures into a folder; what the metadata needs to know of each."""
    from catalogue_art.picture import draw

    rows = []
    for item in some:
        drawn = draw(item.label, item.photo, int(item.id, 16))
        path = folder / item.file
        drawn.picture.save(path, quality=84 + int(item.id[0], 16) // 2)  # PNG ignores it
        row = {"id": item.id, "label": item.label, "photo": item.photo, "subset": item.subset}
        rows.append(row | {"file": item.file, "where": drawn.where, "boxes": drawn.boxes})
    return rows


def draw_catalogue(folder: Path, todo: Sequence[Item] = ()) -> bool:
    """Draw the catalogue into a folder unless it is there already.

    Processes that do so at once wait for each other. The folder appears as a whole.

    Args:
        todo: its pictures; all if none are named.

    Returns:
        whether anything was drawn.

    Raises:
        ValueError: the folder holds something else.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_current(folder):
            return False
        if folder.exists() and any(folder.iterdir()) and not (folder / STAMP).is_file():
            raise ValueError(f"{folder} holds something else; name a new folder")
        part = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        _draw_all(part, list(todo or items()))
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    return True


def _draw_all(folder: Path, todo: list[Item]) -> None:
    images = folder / "images"
    images.mkdir(parents=True)
    write_metadata(folder, draw_in_processes(todo, images))
    stamp = {"program": program_digest(), "files": _sizes(folder)}
    (folder / STAMP).write_text(json.dumps(stamp, indent=1), encoding="utf-8")


def draw_in_processes(todo: list[Item], folder: Path) -> list[dict[str, Any]]:
    """`draw_items` on all cores. Each process ends by itself, should this one be killed."""
    import multiprocessing

    count = min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2, 8)
    context = multiprocessing.get_context("spawn")
    ends, workers = [], []
    for first in range(count):
        end, other = context.Pipe(duplex=False)
        worker = context.Process(target=_work, args=(todo[first::count], folder, other))
        worker.start()
        other.close()
        ends.append(end)
        workers.append(worker)
    try:
        return [row for end in ends for row in end.recv()]
    except EOFError:
        raise RuntimeError("a process that draws has died") from None
    finally:
        for worker in workers:
            worker.join()


def _work(some: list[Item], folder: Path, end: Any) -> None:
    end.send(draw_items(some, folder))


def program_digest() -> str:
    """A digest of what decides how the pictures look: this program."""
    digest = hashlib.sha256()
    for path in [Path(__file__), *sorted((HERE / "catalogue_art").glob("*.py"))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _sizes(folder: Path) -> dict[str, int]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != STAMP)
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in sorted(files)}


def _is_current(folder: Path) -> bool:
    """Whether a folder holds all that was drawn there, and by this program."""
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        return stamp["program"] == program_digest() and stamp["files"] == _sizes(folder)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", metavar="FOLDER", type=Path)
    folder = parser.parse_args().folder.absolute()
    try:
        done = draw_catalogue(folder)
    except (OSError, ValueError, RuntimeError) as error:
        sys.stderr.write(f"draw_catalogue: {error}\n")
        return 1
    sys.stderr.write(f"{'drawn' if done else 'there already'}: {folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
