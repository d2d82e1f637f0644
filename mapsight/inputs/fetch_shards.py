"""Shards of fetched pictures that outlive the run, so that a rerun asks for what is missing.

The shards of a chunk are in a folder of the store that is named after the chunk's
first URL. Beside each shard lies a document that tells its content; it is written
last and is one JSON object, so that a shard without a whole document does not
exist. Nothing is overwritten or renamed, which works the same on local disks,
HDFS and S3.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.inputs.image_ids import image_id_of
from mapsight.inputs.pack import write_shard
from mapsight.inputs.shards import Image, read_images
from mapsight.records import PROVENANCE, Split, error_record
from mapsight.redaction import public_address
from mapsight.storage.uri import open_uri, resolve
from mapsight.web.fetch_many import Fetched, Limits, fetch_many
from mapsight.web.manners import Manners

__all__ = ["Chunk", "document_of", "fetch_chunk"]

Row = dict[str, Any]
Told = Callable[[str, int], None]


@dataclass(frozen=True)
class Chunk:
    """The shard of a chunk of URLs.

    `split` reads it, `sha256` is its own, `failed` counts the URLs that may
    succeed next time, and `same` those that gave the bytes that another URL gave too.
    """

    split: Split
    sha256: str
    failed: int
    same: int = 0

    def record(self) -> dict[str, Any]:
        """Return the chunk as fetch_images writes it."""
        counts = {"failed": self.failed, "same": self.same}
        return {"split": json.loads(self.split.to_json()), "sha256": self.sha256, **counts}


@dataclass(frozen=True)
class _Document:
    """What lies beside a shard; `content` tells the rows it was made from.

    `failed`, `refused` and `disallowed` count the rows with those errors of URLs.
    """

    content: str
    sha256: str
    row_groups: int
    rows: int
    bytes: int
    failed: int
    refused: int
    same: int = 0
    disallowed: int = 0

    def complete(self, limits: Limits) -> bool:
        """Return whether no row is to be asked for again."""
        refused = limits.allow_private and self.refused
        return not (self.failed or refused or (limits.ignore_robots and self.disallowed))

    def chunk(self, shard: str, first: int) -> Chunk:
        split = Split(shard, "", 0, self.row_groups, self.rows, self.bytes, first)
        return Chunk(split, self.sha256, self.failed, self.same)


def document_of(shard: str) -> str:
    """Return the address of the document that lies beside a shard."""
    return f"{shard.removesuffix('.parquet')}.json"


def fetch_chunk(
    rows: Sequence[Row],
    store: str,
    first: int,
    limits: Limits,
    *,
    again: bool = False,
    told: Told = lambda name, count: None,
    manners: Manners | None = None,
) -> Chunk:
    """Fetch the shard of some URLs: their pictures or errors, in the same order.

    What an earlier shard of the chunk holds is kept, also when rows were added,
    removed or described anew since; `url_failed` is asked for again. Rows of the shard
    have no ordinals of their own: they follow from the split, so that a shard
    serves wherever its chunk lies in the input.

    Memory: the rows, what `fetch_many` holds, and a row group.

    Args:
        rows: a chunk of `url_lists.chunks`.
        store: a folder or URI.
        first: the ordinal of the first row.
        again: also ask for what failed for good.
        told: called with `kept`, `fetched` or `failed` and how many more there
            are; with 0 while nothing arrives.
        manners: what is known of hosts, for more than this chunk.
    """
    packed = [_packed(row) for row in rows]
    content = _content(rows, packed)
    folder = f"{store.rstrip('/')}/{_digest(packed[0]['source'])[:24]}"
    shard, document = _best(folder, content)
    same = document is not None and document.content == content
    if document and same and document.complete(limits) and not again:
        told("kept", len(rows))
        return document.chunk(shard, first)
    kept = _kept(shard, packed, limits, again) if document else {}
    wanted = [row for place, row in enumerate(rows) if place not in kept]
    waiting = lambda: told("fetched", 0)  # noqa: E731
    got = fetch_many([row["url"] for row in wanted], limits, waiting, manners)
    got = map(_as_listed, wanted, got)
    told("kept", len(kept))
    lost, got = _failures_before_the_first(got, told)
    if document and same and len(lost) == len(wanted):
        return document.chunk(shard, first)  # nothing is better than it was
    old = document.chunk(shard, first).split if document else None
    results = _results(rows, kept, old, itertools.chain(lost, got))
    return _write(map(_joined, packed, results), folder, content, first)


def _packed(row: Row) -> Row:
    """The Image row of a URL, but for the picture."""
    known = {name: row[name] for name in PROVENANCE if row.get(name)}
    url = public_address(row["url"])
    image_id = row.get("image_id") or image_id_of(url)
    return {"image_id": image_id, "source": url, "original_url": url, **known}


def _content(rows: Sequence[Row], packed: Sequence[Row]) -> str:
    """A digest of all that decides a shard."""
    listed = [[row.get("original_bytes"), row.get("original_md5")] for row in rows]
    return _digest([packed, listed] if any(any(pair) for pair in listed) else packed)


def _as_listed(row: Row, result: Fetched) -> Fetched:
    """A picture, unless the list says that it is another: what a host sends for lost ones."""
    size, md5 = row.get("original_bytes"), row.get("original_md5")
    if result.data is None or not (size or md5):
        return result
    if size and size != len(result.data):
        reason = f"another picture: {len(result.data):,} bytes, the list says {size:,}"
    elif md5 and md5 != (real := hashlib.md5(result.data, usedforsecurity=False).hexdigest()):
        reason = f"another picture: its MD5 is {real}, the list says {md5}"
    else:
        return result
    return Fetched(error=error_record("url_gone", reason))


def _joined(row: Row, result: Fetched) -> Row:
    return {**row, "image": result.data} if result.error is None else {**row, **result.error}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _best(folder: str, content: str) -> tuple[str, _Document | None]:
    """The shard of a folder that has most of this content; ("", None) if there is none."""
    file_system, path = resolve(folder)
    try:
        names = sorted(file_system.ls(path, detail=False))
    except FileNotFoundError:
        return "", None
    best: tuple[str, _Document | None] = ("", None)
    value = (False, 0)
    for name in (name.rsplit("/", 1)[-1] for name in names if name.endswith(".json")):
        shard = f"{folder}/{name.removesuffix('.json')}.parquet"
        document = _document(shard)
        if document:
            worth = (document.content == content, document.rows - document.failed)
            if best[1] is None or worth > value:
                best, value = (shard, document), worth
    return best


def _document(shard: str) -> _Document | None:
    """Return what is written beside a shard; None if that or the shard is not whole."""
    file_system, path = resolve(shard)
    try:
        document = _Document(**json.loads(file_system.cat_file(document_of(path))))
        return document if file_system.size(path) == document.bytes else None
    except (OSError, ValueError, TypeError):
        return None


def _kept(shard: str, rows: Sequence[Row], limits: Limits, again: bool) -> dict[int, int]:
    """Which row of an earlier shard stands for which row, by their places."""
    try:
        with open_uri(shard) as handle:
            table = pq.ParquetFile(handle).read(columns=["source", "error"])
    except (OSError, pa.ArrowException):
        return {}
    sources, errors = table["source"].to_pylist(), table["error"].to_pylist()
    # a refused address may be allowed now, and that costs nobody anything
    tried = {"url_failed", "bad_shard"} | ({"url_refused"} if limits.allow_private else set())
    tried |= {"url_disallowed"} if limits.ignore_robots else set()
    matcher = SequenceMatcher(None, sources, [row["source"] for row in rows], autojunk=False)
    return {
        new + offset: old + offset
        for old, new, size in matcher.get_matching_blocks()
        for offset in range(size)
        if not (code := errors[old + offset]) or not (again or code in tried)
    }


def _failures_before_the_first(
    got: Iterator[Fetched], told: Told
) -> tuple[list[Fetched], Iterator[Fetched]]:
    """Return what failed before the first picture came, which holds no bytes, and the rest."""
    counted = _counted(got, told)
    lost: list[Fetched] = []
    for result in counted:
        if result.error is None:
            return lost, itertools.chain([result], counted)
        lost.append(result)
    return lost, counted


def _counted(got: Iterator[Fetched], told: Told) -> Iterator[Fetched]:
    for result in got:
        told("failed" if result.error else "fetched", 1)
        yield result


def _results(
    rows: Sequence[Row], kept: Mapping[int, int], old: Split | None, got: Iterator[Fetched]
) -> Iterator[Fetched]:
    """Yield what belongs to each row, kept or fetched, in order."""
    images = read_images(old) if old else iter(())
    position = 0
    for place, row in enumerate(rows):
        if place not in kept:
            yield next(got)
            continue
        skipped = kept[place] - position
        yield _as_listed(row, _as_fetched(next(itertools.islice(images, skipped, None))))
        position = kept[place] + 1


def _as_fetched(image: Image) -> Fetched:
    if image.error and image.error["error"] == "bad_shard":
        reason = f"the copy that was kept is damaged: {image.error['detail']}"
        return Fetched(error=error_record("url_failed", reason))
    return Fetched(image.data, image.error)


def _write(rows: Iterable[Row], folder: str, content: str, first: int) -> Chunk:
    """A new shard, and then its document."""
    codes: Counter[str | None] = Counter()
    sources: dict[bytes, set[str]] = defaultdict(set)  # by what came from them

    def counted() -> Iterator[Row]:
        for row in rows:
            codes[row.get("error")] += 1
            if row.get("image"):
                sources[hashlib.sha256(row["image"]).digest()].add(row["source"])
            yield row

    shard = f"{folder}/{os.urandom(8).hex()}.parquet"
    split, sha256 = write_shard(counted(), shard, first)
    sizes = (split.row_groups, split.rows, split.bytes)
    same = sum(len(group) for group in sources.values() if len(group) > 1)
    counts = (codes["url_failed"], codes["url_refused"], same, codes["url_disallowed"])
    document = _Document(content, sha256, *sizes, *counts)
    file_system, path = resolve(shard)
    file_system.pipe_file(document_of(path), json.dumps(asdict(document)).encode())
    return document.chunk(shard, first)
