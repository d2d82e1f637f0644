"""Text from outside made safe to show, and numbers written for people."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mapsight.records import COPY_KINDS

__all__ = [
    "amount",
    "copies_in_words",
    "counted",
    "csv_safe",
    "duration",
    "file_size",
    "percent",
    "plain",
    "shorten",
]

_BREAKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
# C0 and C1 controls, bidirectional overrides and isolates, byte order mark, non-characters
_INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]"
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_NBSP = "\u00a0"


def plain(text: str) -> str:
    r"""One line of printable text that UTF-8 can hold.

    Line breaks and tabs become a space, control characters and what changes the
    direction of writing are removed, lone surrogates become U+FFFD.

    >>> plain("a\tb\x00c\u202ed")
    'a bcd'
    """
    return _SURROGATES.sub("\ufffd", _INVISIBLE.sub("", _BREAKS.sub(" ", text)))


def csv_safe(text: str) -> str:
    r"""`plain` text that no spreadsheet takes for a formula.

    What begins with `=`, `+`, `-` or `@` (after blanks, which some programs drop;
    also in their full-width forms) gets an apostrophe in front, as OWASP's "CSV
    injection" page advises.

    >>> csv_safe('\t=HYPERLINK("x")')
    '\' =HYPERLINK("x")'
    """
    safe = plain(text)
    return f"'{safe}" if safe.lstrip().startswith(_FORMULA) else safe


def shorten(text: str, width: int) -> str:
    """`plain` text of at most `width` characters, cut at the end with an ellipsis.

    >>> shorten("Rhinoceros", 6)
    'Rhino…'
    """
    whole = plain(text)
    return whole if len(whole) <= width else whole[: width - 1].rstrip() + "…"


def amount(number: float | None, digits: int = 0) -> str:
    """A number with thousands separated; a dash where there is none.

    >>> amount(9000000), amount(12.345, 1), amount(None)
    ('9,000,000', '12.3', '–')
    """
    return "–" if number is None else f"{number:,.{digits}f}"


def counted(count: int, one: str, many: str = "") -> str:
    """A number of things, in the singular or the plural, which else ends in s.

    >>> counted(1, "picture"), counted(1200, "picture"), counted(2, "copy", "copies")
    ('1 picture', '1,200 pictures', '2 copies')
    """
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def copies_in_words(counts: Mapping[str, int]) -> str:
    """Return how many copies of each kind there are; without those that are rarely made if none.

    >>> copies_in_words({"exact": 1, "near": 2, "turned": 1})
    '1 exact copy, 2 near-duplicates and 1 turned copy'
    """
    exact, near, *others = (counts.get(kind, 0) for kind in COPY_KINDS)
    words = [counted(exact, "exact copy", "exact copies"), counted(near, "near-duplicate")]
    for kind, count in zip(COPY_KINDS[2:], others, strict=True):
        words += [counted(count, f"{kind} copy", f"{kind} copies")] if count else []
    return f"{', '.join(words[:-1])} and {words[-1]}"


def percent(share: float | None) -> str:
    """A share (0 to 1) as a percentage; only none and all are said to be 0 and 100.

    >>> [percent(share).replace(chr(160), " ") for share in (0.923, 1, 0.99999, 0.00001)]
    ['92.3 %', '100 %', '> 99.9 %', '< 0.1 %']
    """
    if share is None:
        return "–"
    if share in (0, 1):
        return f"{share * 100:.0f}{_NBSP}%"
    if share < 0.0005:
        return f"<{_NBSP}0.1{_NBSP}%"
    if 0.9995 <= share < 1:
        return f">{_NBSP}99.9{_NBSP}%"
    return f"{share * 100:.1f}{_NBSP}%"


def file_size(size: int) -> str:
    """Bytes in the unit (of 1,000) that leaves at most four digits.

    >>> [file_size(n).replace(chr(160), " ") for n in (999, 1000, 34567, 2500000, 10**15)]
    ['999 bytes', '1.0 kB', '35 kB', '2.5 MB', '1,000 TB']
    """
    if size < 1000:
        return f"{size}{_NBSP}bytes"
    value, unit = size / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if round(value) >= 1000:
            value, unit = value / 1000, larger
    return f"{value:,.{1 if value < 9.95 else 0}f}{_NBSP}{unit}"


def duration(seconds: float | None) -> str:
    """A time in the two units that matter.

    >>> [duration(s).replace(chr(160), " ") for s in (0.42, 9.96, 125, 7260, 180000)]
    ['0.4 s', '10 s', '2 min 5 s', '2 h 1 min', '2 d 2 h']
    """
    if seconds is None:
        return "–"
    if seconds < 9.95:
        return f"{seconds:.1f}{_NBSP}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_NBSP}s"
    for small, large, unit, part in ((60, 60, "min", "s"), (3600, 24, "h", "min")):
        if whole < small * large:
            return _two_units(whole, small, unit, part)
    return _two_units(whole, 86400, "d", "h")


def _two_units(seconds: int, size: int, unit: str, part: str) -> str:
    """Seconds in units of `size` seconds and in the next smaller unit."""
    smaller = {"s": 1, "min": 60, "h": 3600}[part]
    rest = seconds % size // smaller
    first = f"{seconds // size}{_NBSP}{unit}"
    return f"{first} {rest}{_NBSP}{part}" if rest else first
