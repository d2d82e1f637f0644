"""A server that plays the places where Open Images is published, and a folder to fetch into."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pyarrow.parquet as pq

from mapsight.openimages.published_files import METADATA_BASE, SUBSETS, published_files
from tests.support.loopback import Answer, Visits, reply, serving, stored
from tests.support.openimages_world import MIDS, World, make_world
from tests.support.openimages_world import first as in_order
from tests.support.pictures import encoded, scribble
from tests.support.program import Program

NAMES = {**MIDS, "Animal": "/m/0jbk"}
HIERARCHY = {"LabelName": "/m/0bl9f", "Subcategory": [{"LabelName": mid} for mid in MIDS.values()]}
TABLES = ("images", "labels", "boxes")


class Place:
    """Three subsets and their pictures; `missing` ids have none, `broken` ones fail for now."""

    def __init__(self) -> None:
        sizes = {"train": 400, "validation": 150, "test": 40}
        self.worlds = {name: make_world(name, sizes[name], 7) for name in SUBSETS}
        self.missing: set[str] = set()
        self.broken: set[str] = set()
        self.files = {file.url.removeprefix(f"{METADATA_BASE}/"): file for file in _every_file()}
        self.answers: dict[str, Answer] = {path: stored(self.body(path)) for path in self.files}
        self._pictures = [encoded(scribble(seed), "JPEG") for seed in range(5)]

    def body(self, path: str) -> bytes:
        """A metadata file."""
        file = self.files[path]
        if file.kind == "descriptions":
            rows = "".join(f"{mid},{name}\r\n" for name, mid in NAMES.items())
            return f"LabelName,DisplayName\r\n{rows}".encode()
        if file.kind == "hierarchy":
            return json.dumps(HIERARCHY).encode()
        return self.worlds[file.subset].bodies()[TABLES.index(file.kind)]

    def picture(self, request: BaseHTTPRequestHandler) -> None:
        """A picture of the bucket; they differ by the last bytes, which no decoder reads."""
        image_id = request.path.rsplit("/", 1)[-1].removesuffix(".jpg")
        listed = any((w.images.ImageID == image_id).any() for w in self.worlds.values())
        if image_id in self.broken:
            return reply(status=503)(request)
        if image_id in self.missing or not listed:
            return reply(status=404)(request)
        return stored(self.bytes_of(image_id))(request)

    def bytes_of(self, image_id: str) -> bytes:
        return self._pictures[int(image_id, 16) % 5] + image_id.encode()

    @contextmanager
    def serving(self) -> Iterator[tuple[str, Visits]]:
        visits = Visits()
        with serving(self.picture, visits=visits, **self.answers) as url:
            yield url, visits


def _every_file():
    return published_files(SUBSETS)


class Fetcher:
    """Runs the command against a server."""

    def __init__(self, program: Program, url: str, visits: Visits) -> None:
        self.program, self.url, self.visits = program, url, visits

    @property
    def to(self) -> Path:
        return self.program.folder / "sample"

    def arguments(self, *more: str, subset: str = "validation", to: str = "sample") -> list[str]:
        places = ["--metadata-from", self.url, "--pictures-from", self.url, "--allow-private"]
        places += ["--cache", str(self.program.folder / "cache"), "--to", to]
        return ["fetch", *places, "--subset", *subset.split(), *more]

    def __call__(self, *more: str, status: int = 0, **options: str) -> str:
        """What it says, on stdout and then on stderr."""
        self.visits.paths.clear()
        done = self.program(*self.arguments(*more, **options))
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    def asked(self) -> Counter[str]:
        """How often each picture was asked for by the last run."""
        found = {path: n for path, n in self.visits.paths.items() if path.endswith(".jpg")}
        return Counter({path.rsplit("/", 1)[-1][:-4]: n for path, n in found.items()})

    def pictures(self) -> dict[str, bytes]:
        """The stored pictures by id; each is there once."""
        tables = [pq.read_table(path) for path in sorted((self.to / "images").iterdir())]
        rows = [row for table in tables for row in table.to_pylist()]
        assert len({row["image_id"] for row in rows}) == len(rows)
        assert all(row["error"] is None for row in rows)
        return {row["image_id"]: row["image"] for row in rows}

    def table(self, name: str) -> list[dict[str, str]]:
        text = (self.to / name).read_text(encoding="utf-8")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def sample(self, subset: str = "validation") -> dict[tuple[str, bool], list[str]]:
        """The ids of `sample.csv` by key, in order."""
        found: dict[tuple[str, bool], list[str]] = {}
        for row in self.table("sample.csv"):
            if row["Subset"] == subset:
                key = row["LabelName"], row["Confidence"] == "1"
                found.setdefault(key, []).append(row["ImageID"])
        return found


def first(world: World, mid: str, count: int, present: bool = True, *, gone=()) -> list[str]:
    """A label's sample by brute force."""
    return [i for i in in_order(world.fit(mid, present), 10_000) if i not in gone][:count]


def files_of(folder: Path) -> dict[str, bytes]:
    """The bytes of each file by name, but for hidden ones and those in hidden folders."""
    every = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    shown = {name: path for name, path in every.items() if not any(p[0] == "." for p in name.parts)}
    return {str(name): path.read_bytes() for name, path in shown.items()}
