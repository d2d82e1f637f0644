"""Walking through a tar archive, forward only and in bounded memory.

The headers are parsed by the standard library's `TarInfo.frombuf`. The walk is
our own, because `tarfile` keeps every member it has seen, holds an extended
header whole however large it is, and takes a damaged header for the end.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mapsight.inputs.decompress import ByteStream, StreamError

__all__ = ["Member", "walk"]

BLOCK = tarfile.BLOCKSIZE
MAX_HEADER = 1 << 20  # of an extended header, which holds names and attributes
MAX_NAME = 4096
MAX_SIZE = 1 << 60
DATALESS = frozenset(b"123456")  # links, devices, folders and pipes


@dataclass(frozen=True)
class Member:
    """A regular file in an archive, whose `size` bytes the stream stands before.

    `at` is the place of its header. With `problem` it cannot be read, and
    without `name` its header cannot. `link` is the member whose data it shares.
    """

    name: str
    size: int
    at: int
    problem: str = ""
    link: str = ""


def walk(stream: ByteStream) -> Iterator[Member]:
    """Yield the regular files of an archive and hard links to them, in order.

    The data of each may be read from the stream before the next one is asked
    for. Archives written one after another are read as one. A damaged header is
    told once, then the next sound one is looked for. Symbolic links, devices and
    folders are passed over. Memory: MAX_HEADER.

    Raises:
        StreamError: the archive ends early or cannot be unpacked.
    """
    more: dict[str, Any] = {}
    lost = ended = False
    while block := stream.read(BLOCK):
        at = stream.at - len(block)
        if not block.strip(b"\0"):
            ended = True
            continue
        # within the data of a member that was lost only a strong sign is trusted
        header = _header(block) if not lost or block[257:262] == b"ustar" else None
        if header is None:
            if not lost:
                yield Member("", 0, at, f"no sound header at byte {at:,}")
            lost, ended, more = True, False, {}
            continue
        lost = ended = False
        if header.type in (b"x", b"X", b"g", b"L", b"K"):
            more = _extended(stream, header, more)
            continue
        yield from _member(stream, header, block, at, more)
        more = {}
    if stream.at and not (lost or ended):
        raise StreamError(f"the archive ends at byte {stream.at:,} without its end mark")


def _header(block: bytes) -> tarfile.TarInfo | None:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return header if 0 <= header.size < MAX_SIZE else None


def _member(
    stream: ByteStream, header: tarfile.TarInfo, block: bytes, at: int, more: dict[str, Any]
) -> Iterator[Member]:
    """The member of a header, if it is a regular file; then its data is passed over."""
    name, problem = more.get("name", header.name), more.get("problem", "")
    size = more.get("size", header.size)
    if header.type == tarfile.LNKTYPE:
        link = more.get("link", header.linkname)
        yield Member(_text(name)[:MAX_NAME], 0, at, problem, _text(link)[:MAX_NAME])
    if header.type[0] in DATALESS:
        return
    if len(name.encode("utf-8", "surrogateescape")) > MAX_NAME:
        name, problem = name[:100], f"its name is longer than {MAX_NAME} bytes"
    sparse = header.type == tarfile.GNUTYPE_SPARSE
    if sparse or more.get("sparse"):
        problem = "a sparse member; pack the archive without --sparse"
    if sparse:
        extended = block[482]
        while extended:
            extended = _exactly(stream, BLOCK, name)[504]
    end = stream.at + size + -size % BLOCK
    if header.isreg():
        yield Member(_text(name), size, at, problem)
    if not stream.skip(end - stream.at):
        raise StreamError(f"the archive ends inside {_text(name)}", _text(name))


def _exactly(stream: ByteStream, size: int, name: str) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise StreamError(f"the archive ends in the header of {_text(name)}")
    return data


def _extended(stream: ByteStream, header: tarfile.TarInfo, known: dict[str, Any]) -> dict[str, Any]:
    """Return what an extended header says of the member after it, added to what is known."""
    size, padding = header.size, -header.size % BLOCK
    if header.type == b"g" or size > MAX_HEADER:
        if not stream.skip(size + padding):
            raise StreamError("the archive ends in an extended header")
        if header.type == b"g":
            return known
        return known | {"problem": f"its header has {size:,} bytes; at most {MAX_HEADER:,}"}
    data = _exactly(stream, size + padding, header.name)[:size]
    if header.type in (b"L", b"K"):
        field = "name" if header.type == b"L" else "link"
        return known | {field: data.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")}
    try:
        return known | _pax(data)
    except ValueError as error:
        return known | {"problem": f"its extended header is damaged: {error}"}


def _pax(data: bytes) -> dict[str, Any]:
    """The name and size in the records `length key=value\\n` of POSIX.1-2001 pax.

    Raises:
        ValueError: a record is not as long as it says.
    """
    found: dict[str, Any] = {}
    at = 0
    while at < len(data) and data[at]:
        digits = data[at : at + 10].split(b" ", 1)[0]
        length = int(digits) if digits.isdigit() else 0
        record = data[at + len(digits) + 1 : at + length]
        key, equals, value = record[:-1].partition(b"=")
        if not equals or not record.endswith(b"\n") or at + length > len(data):
            raise ValueError(f"no record at byte {at}")
        if key in (b"path", b"GNU.sparse.name"):
            found["name"] = value.decode("utf-8", "surrogateescape")
        elif key == b"linkpath":
            found["link"] = value.decode("utf-8", "surrogateescape")
        elif key == b"size" and value.isdigit() and len(value) < 19:
            found["size"] = int(value)
        found["sparse"] = found.get("sparse", False) or key.startswith(b"GNU.sparse.")
        at += length
    return found


def _text(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
