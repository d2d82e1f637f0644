"""Planning: from a stream of files to splits, the shares of the map tasks."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from mapsight.inputs.find import Found, InputError
from mapsight.inputs.listings import LISTINGS, grown, share_of, write_listing
from mapsight.inputs.parquet_layout import read_layout
from mapsight.inputs.url_lists import Licensed, chunks, read_url_list
from mapsight.records import KINDS, ORDINALS_PER_FILE, Split
from mapsight.storage.uri import open_uri

__all__ = ["Plan", "make_plan", "pieces_of"]

SPLIT_BYTES = 128 << 20
MOST_SPLITS = 50_000
"""A job of more tasks takes Hadoop more memory to keep than it is given; splits grow instead."""
PICTURES_PER_TASK, PICTURES_PER_CONTAINER = 50, 200
"""Fewer are not worth the start of a task, which takes more in a container of YARN."""
PER_PICTURE = 20_000  # what a picture costs beside its bytes, in bytes read
PER_URL = 100_000  # what is guessed to come from a URL


@dataclass(frozen=True)
class Plan:
    """What `make_plan` wrote and found.

    `splits` are by kind, as `records.KINDS` has them; `pictures` counts all but
    those in archives, of which nobody knows how many they are; `digest` changes
    with any input.
    """

    pictures: int
    bytes: int
    digest: str
    splits: dict[str, list[Split]] = field(default_factory=dict)
    other_license: int = 0


def make_plan(
    found: Iterable[Found],
    folder: Path,
    *,
    splits: int | None = None,
    tasks: int = 1,
    least: int = PICTURES_PER_TASK,
    url_column: str | None = None,
    license: str = "",
) -> Plan:
    """Divide the input among map tasks, streaming.

    What is found is spooled to disk in `folder` first, because a fair share is
    only known when all has been seen. Memory: one row group of a listing and
    one Split per SPLIT_BYTES of input, MOST_SPLITS at most.

    Args:
        found: the files, in the order that decides which of two equal ids is first.
        folder: where the LISTINGS are written.
        splits: how many splits to make; None chooses by size.
        tasks: how many tasks can run at once; a small input is spread over them.
        least: pictures that are worth the start of a task.
        url_column: of lists of URLs in CSV.
        license: a part of the address of the licence that URLs must have, where lists say it.

    Raises:
        InputError: a list of URLs holds none.
    """
    spool = {kind: folder / f"{kind}.spool" for kind in KINDS}
    licensed = Licensed(license)
    total = _spool(found, spool, url_column, licensed)
    if licensed.left_out:
        total.digest.update(f"license {license}".encode())
    share = max(total.weight / (splits or _fair_number(total, tasks, least)), 1.0)
    made: dict[str, list[Split]] = {}
    try:
        for kind, name in LISTINGS.items():
            made[kind] = write_listing(kind, _spooled(spool[kind]), folder / name, share)
        for kind in ("tar", "parquet"):
            made[kind] = list(_splits_of_files(_spooled(spool[kind]), share))
    finally:
        for path in spool.values():
            path.unlink()
    digest = total.digest.hexdigest()
    return Plan(total.pictures, total.bytes, digest, made, licensed.left_out)


def _fair_number(total: _Total, tasks: int, least: int) -> int:
    """Return how many splits to make: whole rounds of `tasks`, none of which is half idle."""
    by_size = math.ceil(total.weight / SPLIT_BYTES)
    rounds = max(math.ceil(by_size / tasks), 1) * tasks
    worthwhile = max(by_size, math.ceil(total.pictures / least))
    return max(min(rounds, worthwhile, MOST_SPLITS), 1)


@dataclass
class _Total:
    """Sums over what was found so far."""

    pictures: int = 0
    weight: int = 0
    bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


def _spool(
    found: Iterable[Found], spool: Mapping[str, Path], url_column: str | None, licensed: Licensed
) -> _Total:
    """Write one JSON line for each piece, by its kind: a file, a row group, a chunk of URLs."""
    total = _Total()
    with contextlib.ExitStack() as stack:
        out = {kind: stack.enter_context(_private(path)) for kind, path in spool.items()}
        for number, file in enumerate(found):
            total.digest.update(f"{file.source}\0{file.bytes}\0{file.stamp}\n".encode())
            ordinal = number * ORDINALS_PER_FILE
            for piece in pieces_of(file, url_column, licensed):
                piece |= {"file": number, "first": ordinal, "before": total.weight}
                out[piece["kind"]].write(json.dumps(piece) + "\n")
                ordinal += piece["rows"]
                total.pictures += piece["rows"]
                total.weight += piece["weight"]
                total.bytes += max(piece["bytes"], 0)
    return total


def _private(path: Path) -> TextIO:
    path.touch(0o600)
    return path.open("w", encoding="utf-8")


def pieces_of(
    file: Found, url_column: str | None = None, licensed: Licensed | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the parts of a file that a split cannot divide.

    A picture, an archive, a row group, or a chunk of a list of URLs.
    """
    uri = file.uri.decode("utf-8", "surrogateescape")
    base = {"kind": file.kind, "source": file.source, "uri": uri, "bytes": file.bytes}
    if file.kind == "picture":
        yield base | {"kind": "files", "rows": 1, "weight": max(file.bytes, 0) + PER_PICTURE}
    elif file.kind == "tar":
        yield base | {"rows": 0, "weight": max(file.bytes, 0) + PER_PICTURE}
    elif file.kind == "urls":
        yield from _chunks_of(file, base, url_column, licensed or Licensed())
    else:
        yield from _row_groups_of(file, base)


def _chunks_of(
    file: Found, base: dict[str, Any], url_column: str | None, licensed: Licensed
) -> Iterator[dict[str, Any]]:
    try:
        listed = read_url_list(file.uri, file.source, url_column)
        for rows in chunks(licensed.rows(listed)):
            weight = len(rows) * (PER_URL + PER_PICTURE)
            yield base | {"rows": len(rows), "bytes": -1, "weight": weight, "urls": rows}
    except (OSError, ValueError) as error:
        raise InputError(str(error)) from error


def _row_groups_of(file: Found, base: dict[str, Any]) -> Iterator[dict[str, Any]]:
    base = base | {"unreadable": "", "group": 0, "row": 0}
    try:
        with open_uri(file.uri) as handle:
            groups = read_layout(handle)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        weight = max(file.bytes, 0) + PER_PICTURE
        yield base | {"rows": 1, "weight": weight, "unreadable": reason}
        return
    row = 0
    for number, group in enumerate(groups):
        own = {"group": number, "rows": group.rows, "row": row, "bytes": group.size}
        yield base | own | {"weight": group.size + group.rows * PER_PICTURE}
        row += group.rows


def _spooled(spool: Path) -> Iterator[dict[str, Any]]:
    with spool.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _splits_of_files(pieces: Iterator[dict[str, Any]], share: float) -> Iterator[Split]:
    """Archives, and neighbouring row groups of one file that fall into one share."""
    for _, group in itertools.groupby(
        pieces, key=lambda piece: (share_of(piece, share), piece["file"])
    ):
        first, *rest = group
        split = Split(
            uri=first["uri"],
            source=first["source"],
            row_group=first.get("group", 0),
            row_groups=1,
            rows=first["rows"],
            bytes=first["bytes"],
            first=first["first"],
            row=first.get("row", 0),
            unreadable=first.get("unreadable", ""),
            kind=first["kind"],
        )
        for piece in rest:
            split = grown(split, 1, piece["rows"], piece["bytes"])
        yield split
