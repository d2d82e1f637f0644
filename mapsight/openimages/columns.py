"""The columns of the published files of Open Images, V1 to V7, and what their cells may be.

Sources: the headers of the published files and the descriptions on the download page.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from mapsight.inputs.csv_rows import Row, read_rows
from mapsight.inputs.image_ids import HEX_ID, safe_id

__all__ = [
    "CLICKS",
    "FLAGS",
    "IMAGE",
    "KINDS",
    "LABEL",
    "NAMES",
    "NOT_UTF8",
    "SIDES",
    "SUBSETS",
    "Header",
    "checker",
    "data_rows",
    "read_header",
    "readable",
    "subset_of",
]

SUBSETS = ("train", "validation", "test")
FLAGS = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")
SIDES = ("XMin", "XMax", "YMin", "YMax")
CLICKS = tuple(f"XClick{n}{axis}" for axis in "XY" for n in (1, 2, 3, 4))
LABEL = ("ImageID", "Source", "LabelName", "Confidence")
IMAGE = (
    *("ImageID", "Subset", "OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL"),
    *("Author", "Title", "OriginalSize", "OriginalMD5", "Thumbnail300KURL"),
)
KINDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "images": (IMAGE, (*IMAGE, "Rotation")),
    "labels": (LABEL,),
    "boxes": (
        (*LABEL, *SIDES),
        (*LABEL, *SIDES, *FLAGS),
        (*LABEL, *SIDES, *FLAGS, *CLICKS),
    ),
}
"""The published columns of a kind of file, a tuple for each generation."""

NEEDED = {"images": ("ImageID",), "labels": LABEL, "boxes": ("ImageID", "LabelName", *SIDES)}
FIRST_ROWS = 100
UTF_16 = ("\udcff\udcfe", "\udcfe\udcff")
"""Byte order marks as `surrogateescape` shows them."""


def _documented(name: str) -> str:
    """`XClick1X` → `x_click_1_x`, `OriginalMD5` → `original_md5`."""
    fixed = {"LabelName": "mid", "ImageID": "image_id", "OriginalMD5": "original_md5"}
    fixed |= {"Thumbnail300KURL": "thumbnail_url"}
    words = re.findall(r"URL|[A-Z][a-z]+|[A-Z]|\d", name)
    return fixed.get(name, "_".join(words).lower())


NAMES = {name: _documented(name) for kinds in KINDS.values() for name in kinds[-1]}
"""Documented name by published name."""


@dataclass(frozen=True)
class Header:
    """What the columns of a file are called, and whether its first row says so."""

    columns: tuple[str, ...]
    is_row: bool

    def place(self, name: str) -> int | None:
        """Return where a column stands, from 0; None if the file has none of this name."""
        return self.columns.index(name) if name in self.columns else None


def read_header(uri: str, kind: str, name: str | None = None) -> Header | None:
    """Return the columns of a file by its first row, or by their number where that is data.

    Args:
        uri: the file.
        kind: a key of KINDS.
        name: what to call the file in messages.

    Returns:
        The header; None for a file without rows.

    Raises:
        ValueError: the columns are not those of the kind; the message names the
            file, the columns found and those that are missing.
    """
    rows = itertools.islice(read_rows(uri), FIRST_ROWS)
    first = next(rows, None)
    if first is None:
        return None
    cells = [cell.strip() for cell in first.cells]
    if cells and HEX_ID.fullmatch(cells[0]):
        return _by_number(itertools.chain([first], rows), kind, name or uri)
    missing = [column for column in NEEDED[kind] if column not in cells]
    twice = sorted({cell for cell in cells if cell in NAMES and cells.count(cell) > 1})
    if missing or twice:
        if first.cells and first.cells[0].startswith(UTF_16):
            raise ValueError(f"{name or uri}: is UTF-16 text; save it as UTF-8")
        wrong = f"missing {', '.join(missing)}" if missing else f"twice {', '.join(twice)}"
        raise ValueError(
            f"{name or uri}: not a file of {kind}: found the columns"
            f" {_shown(cells, first.problem)}; {wrong}"
        )
    return Header(tuple(cells), is_row=True)


def _by_number(rows: Iterable[Row], kind: str, name: str) -> Header:
    known = {len(columns): columns for columns in KINDS[kind]}
    numbers = [len(row.cells) for row in rows]
    number = next((n for n in numbers if n in known), None)
    if number is None:
        ways = "; ".join(f"{n}: {','.join(columns)}" for n, columns in known.items())
        raise ValueError(
            f"{name}: not a file of {kind}: it has no header and rows of {numbers[0]} columns;"
            f" without a header these are known: {ways}"
        )
    return Header(known[number], is_row=False)


def data_rows(uri: str, header: Header, start: int = 0, end: int | None = None) -> Iterator[Row]:
    """Yield the rows of a range but for the header; one of another length has a `problem`."""
    number = len(header.columns)
    rows = read_rows(uri, start, end)
    if header.is_row and not start:
        next(rows, None)
    for row in rows:
        if len(row.cells) == number or row.problem:
            yield row
        else:
            more = "more" if len(row.cells) > number else "fewer"
            yield row._replace(problem=f"{more} than {number} columns")


def readable(cell: str) -> str:
    """Return a cell as UTF-8 text: bytes that are none become U+FFFD."""
    if cell.isascii():
        return cell
    return cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _shown(cells: Sequence[str], problem: str) -> str:
    names = ", ".join(cell[:40] for cell in cells[:30]) or f"none ({problem or 'empty'})"
    return names.encode("utf-8", "backslashreplace").decode("utf-8")


def subset_of(name: str) -> str:
    """Return the subset that a file's name tells, or the empty text.

    >>> subset_of("a/oidv7-val-annotations-human-imagelabels.csv"), subset_of("images.csv")
    ('validation', '')
    """
    words = re.split(r"[^a-z]+", PurePosixPath(name).name.lower())
    found = {"validation" if word == "val" else word for word in words} & set(SUBSETS) or {""}
    return found.pop() if len(found) == 1 else ""


def _real(low: float, high: float) -> Callable[[str], str]:
    def check(cell: str) -> str:
        try:
            value = float(cell)
        except ValueError:
            return "not a number"
        if not math.isfinite(value):
            return "not a finite number"
        return "" if low <= value <= high else f"not between {low:g} and {high:g}"

    return check


def _pattern(regex: str, problem: str) -> Callable[[str], str]:
    compiled = re.compile(regex)
    return lambda cell: "" if compiled.fullmatch(cell) else problem


def _turn(cell: str) -> str:
    try:
        return "" if float(cell) in (0, 90, 180, 270) else "not 0, 90, 180 or 270"
    except ValueError:
        return "not a number"


NOT_UTF8 = "not UTF-8"
_SURROGATE = re.compile("[\ud800-\udfff]")
_URL = _pattern(r"(?i:https?)://[^\s\ud800-\udfff]+", "not a web address")
_FLAG = _pattern(r"-?1|0", "not 1, 0 or -1")
_SHARE, _CLICK = _real(0, 1), _real(-1, 1)
_CHECKS: dict[str, Callable[[str], str]] = {
    "ImageID": lambda cell: "" if safe_id(cell) else "not an id",
    "LabelName": _pattern(r"/[a-z]{1,3}/[A-Za-z0-9_]{1,60}", "not a MID"),
    "Subset": lambda cell: "" if cell in SUBSETS else f"not {', '.join(SUBSETS)}",
    "OriginalSize": _pattern(r"[0-9]{1,12}(\.0)?", "not a whole number"),
    "OriginalMD5": _pattern(r"[A-Za-z0-9+/]{22}==", "not an MD5 in base64"),
    "Rotation": _turn,
    "Confidence": _SHARE,
    **dict.fromkeys((n for n in NAMES if n.endswith("URL")), _URL),
    **dict.fromkeys(SIDES, _SHARE),
    **dict.fromkeys(FLAGS, _FLAG),
    **dict.fromkeys(CLICKS, _CLICK),
}


def checker(column: str) -> Callable[[str], str]:
    """Return a function that says why a cell of a column is malformed: the empty text if it is not.

    Empty cells are not to be asked about. Columns that are not documented may hold
    any text.
    """
    return _CHECKS.get(column, _text)


def _text(cell: str) -> str:
    return "" if cell.isascii() or not _SURROGATE.search(cell) else NOT_UTF8
