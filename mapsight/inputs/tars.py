"""Reading the pictures of tar archives and WebDataset shards, as a stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from mapsight.inputs.decompress import ByteStream, StreamError
from mapsight.inputs.hard_links import TOO_MANY, HardLinks, plain_name
from mapsight.inputs.image_ids import image_id_of
from mapsight.inputs.provenance import provenance_of
from mapsight.inputs.shards import MAX_BYTES
from mapsight.inputs.tar_members import Member, walk
from mapsight.records import error_record
from mapsight.storage.uri import open_uri

__all__ = ["read_tar"]

SIDE_BYTES = 1 << 20  # a larger file beside a picture is passed over
MAX_SIDES = 256  # files with provenance of one sample
ROW_BYTES = 4096  # what a row takes beside its picture
SIDES = frozenset(
    (
        *("json", "jsonl", "txt", "text", "caption", "url", "author", "license", "title"),
        *("cls", "cls2", "index", "inx", "id", "label", "lbl", "bbox", "transcript"),
        *("csv", "tsv", "md", "xml", "yaml", "yml", "html", "htm", "gz"),
        *("pyd", "pickle", "pkl", "pth", "pt", "npy", "npz", "ten", "tb"),
        *("mp", "msgpack", "msg", "cbor"),
    )
)
"""Suffixes of what WebDataset and its kin keep beside pictures."""

TEXTS = {
    "txt": "caption",
    **{name: name for name in ("text", "caption", "url", "author", "license", "title")},
}


def read_tar(
    uri: str | bytes, source: str, counts: dict[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield an Image row (without `ordinal`) of every picture in an archive, in order.

    Every regular file is taken for a picture, but hidden ones, `__MACOSX` and
    those with a suffix of SIDES. Files one after another whose names agree up to
    the first dot are a sample of WebDataset: its `.json` and `.txt` tell what is
    known of its pictures, and those of `a.b.json` of `a.b.jpg` alone.
    Nothing is written; a name such as `../x` is only a name. Hard links are pictures
    too, the last ones; symbolic links are passed over.

    What cannot be read is a row with an error: a member, a damaged place, or as
    the last row all that comes after. Memory: pictures of MAX_BYTES in all.

    Args:
        uri: of a tar file, plain or packed with gzip, bzip2, xz or zstd.
        source: what the user called it; pictures are called `source#name`.
        counts: `alone` grows with each side file that stands beside no picture; `first` is
            the first one's name.
    """
    links = HardLinks()
    sides: dict[str, Any] = {"alone": 0} if counts is None else counts
    yield from _read(uri, source, links, sides)
    yield from _linked(uri, source, links)


def _read(
    uri: str | bytes, source: str, links: HardLinks, counts: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    try:
        handle = open_uri(uri)
    except (OSError, ValueError) as error:
        yield _lost(source, "", "unreadable", error)
        return
    with handle:
        try:
            stream = ByteStream(handle)
        except (OSError, ValueError) as error:
            yield _lost(source, "", "unreadable", error)
            return
        yield from _rows(stream, source, links, counts)


def _rows(
    stream: ByteStream, source: str, links: HardLinks, counts: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    sample, broken, came = _Sample("", counts), None, _Came()
    try:
        for member in walk(stream):
            name = plain_name(member.name)
            if member.name and _hidden(name):
                continue
            if member.link:
                if not _is_side(name) and not links.add(name, member.link):
                    yield _lost(source, name, "unreadable", TOO_MANY)
                continue
            if _key(name) != sample.key:
                yield from came.through(sample.release(over=True))
                sample = _Sample(_key(name), counts)
            yield from came.through(_taken(stream, member, name, source, sample))
    except StreamError as error:
        broken = error
    yield from came.through(sample.release(over=True))
    if broken:
        reason = f"{broken}{came.told() if stream.compressed else ''}"
        yield _lost(source, broken.name or f"@{stream.at}", "bad_shard", reason)
    elif not stream.at:
        yield _lost(source, "", "empty", "the archive has no bytes")


class _Came:
    """The pictures that have come out of a stream whose checksum is yet to be seen."""

    def __init__(self) -> None:
        self.number, self.first, self.last = 0, "", ""

    def through(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in rows:
            if "error" not in row:
                self.last = row["source"].partition("#")[2]
                self.first = self.first or self.last
                self.number += 1
            yield row

    def told(self) -> str:
        """Return which pictures may have other bytes than were packed."""
        if not self.number:
            return ""
        which = f"from {self.first[:60]} to {self.last[:60]}"
        return f"; the {self.number:,} pictures before may be damaged, {which}"


def _linked(uri: str | bytes, source: str, links: HardLinks) -> Iterator[dict[str, Any]]:
    """Rows of hard links: the archive is read once more for the data that they share."""
    if links:
        try:
            with open_uri(uri) as handle:
                stream = ByteStream(handle)
                for member in walk(stream):
                    names = links.take(plain_name(member.name)) if not member.link else ()
                    row = _row(stream, member, member.name, source) if names else {}
                    for name in names:
                        yield row | _named(source, name)
        except (OSError, ValueError):
            pass  # told when it was read first
    for name, target in links.left():
        reason = f"a hard link to {target}, whose data is not in the archive"
        yield _lost(source, name, "unreadable", reason)


def _taken(
    stream: ByteStream, member: Member, name: str, source: str, sample: _Sample
) -> Iterator[dict[str, Any]]:
    """Add a member to its sample; rows for which there is no room any more come out."""
    if not member.name:
        yield _lost(source, f"@{member.at}", "bad_shard", member.problem)
    elif _is_side(name):
        if member.size <= SIDE_BYTES and not member.problem:
            sample.describe(name, _data(stream, member))
    else:
        size = ROW_BYTES + (member.size if member.size <= MAX_BYTES else 0)
        if sample.size + size > MAX_BYTES + ROW_BYTES:
            yield from sample.release()
        sample.add(name, _row(stream, member, name, source), size)


def _row(stream: ByteStream, member: Member, name: str, source: str) -> dict[str, Any]:
    if member.problem:
        return _lost(source, name, "unreadable", member.problem)
    if member.size > MAX_BYTES:
        detail = f"{member.size} bytes; at most {MAX_BYTES}"
        return _lost(source, name, "too_many_bytes", detail)
    return _named(source, name) | {"image": _data(stream, member)}


def _data(stream: ByteStream, member: Member) -> bytes:
    data = stream.read(member.size)
    if len(data) < member.size:
        raise StreamError(f"the archive ends inside {member.name}", member.name)
    return data


class _Sample:
    """Pictures that may still be described by a file after them."""

    def __init__(self, key: str, counts: dict[str, Any]) -> None:
        self.key, self.size = key, 0
        self._counts, self._sides, self._pictures = counts, 0, 0
        self._first = ""
        self._rows: list[tuple[str, dict[str, Any]]] = []
        self._known: dict[str, dict[str, str]] = {}

    def add(self, name: str, row: dict[str, Any], size: int) -> None:
        self._rows.append((_stem(name), row))
        self.size += size
        self._pictures += 1

    def describe(self, name: str, data: bytes) -> None:
        """Keep what a side file tells; JSON is believed before a text."""
        stem, suffix = _stem(name), name.rpartition(".")[2].lower()
        self._sides += 1
        self._first = self._first or name
        known = self._known.get(stem, {})
        if suffix == "json":
            known = known | _told(data)
        elif suffix in TEXTS:
            known = provenance_of({TEXTS[suffix]: data}) | known
        if stem in self._known or len(self._known) < MAX_SIDES:
            self._known[stem] = known

    def release(self, *, over: bool = False) -> Iterator[dict[str, Any]]:
        """Yield the rows, and forget them; `over` says that no member follows."""
        if over and self._sides and not self._pictures:
            self._counts["alone"] += self._sides
            self._counts.setdefault("first", self._first)
        rows, self._rows, self.size = self._rows[::-1], [], 0
        while rows:
            stem, row = rows.pop()
            yield row | self._known.get(self.key, {}) | self._known.get(stem, {})


def _told(data: bytes) -> dict[str, str]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return provenance_of(document) if isinstance(document, dict) else {}


def _key(name: str) -> str:
    """The name up to the first dot of its last part."""
    folder, slash, base = name.rpartition("/")
    return folder + slash + base.split(".", 1)[0]


def _stem(name: str) -> str:
    """The name without its last suffix."""
    folder, slash, base = name.rpartition("/")
    return folder + slash + base.rsplit(".", 1)[0]


def _is_side(name: str) -> bool:
    _, dot, suffix = name.rpartition("/")[2].rpartition(".")
    return bool(dot) and suffix.lower() in SIDES


def _hidden(name: str) -> bool:
    parts = [part for part in name.split("/") if part not in (".", "..")]
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _named(source: str, name: str) -> dict[str, Any]:
    called = f"{source}#{name}" if name else source
    return {"image_id": image_id_of(called, name), "source": called}


def _lost(source: str, name: str, code: str, reason: object) -> dict[str, Any]:
    return _named(source, name) | error_record(code, reason)
