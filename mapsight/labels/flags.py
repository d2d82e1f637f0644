"""What may be wrong with a picture: flags, by thresholds on what was measured of it.

One table has them all; docs/measures.md says how each was chosen. Names are those of CleanVision
where it has the flag.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "DOCUMENT_CLASSES",
    "FLAGS",
    "FLAG_NAMES",
    "LOOKED",
    "NO_FLAGS",
    "ODD",
    "Flag",
    "bits_of",
    "flags_of",
    "names_of",
    "share_left",
]

DOCUMENT_CLASSES = frozenset(("n06359193", "n07565083", "n06785654", "n03291819"))
"""Web site, menu, crossword puzzle and envelope: what MobileNet takes pages of text for."""


ODD = "odd_for_label"
"""The flag that the index gives (mapsight/index/oddness.py), and not the measures."""


@dataclass(frozen=True)
class Flag:
    """Something that may be wrong.

    Args:
        name: as options and tables have it.
        title: for people.
        rule: the threshold, in words of docs/measures.md.
        holds: tells it of the measures of a picture, which may lack any.
        left: the share of its quality that such a picture keeps.
    """

    name: str
    title: str
    rule: str
    holds: Callable[[Measured], bool]
    left: float


class Measured:
    """Measures by name; a comparison with one that is not known is false.

    >>> Measured({"contrast": 12.0}).below("contrast", 20), Measured({}).below("contrast", 20)
    (True, False)
    """

    def __init__(self, record: Mapping[str, Any]) -> None:
        self._record = record

    def below(self, name: str, limit: float) -> bool:
        """Return whether a measure is no more than a limit."""
        value = self._record.get(name)
        return value is not None and value <= limit

    def above(self, name: str, limit: float) -> bool:
        """Return whether a measure is no less than a limit."""
        value = self._record.get(name)
        return value is not None and value >= limit

    @property
    def document(self) -> float:
        """Return the probability of the classes of documents, as far as the best five tell."""
        top5 = self._record.get("top5", ())
        return sum(share for name, share in top5 if name in DOCUMENT_CLASSES)


def _is_document(m: Measured) -> bool:
    """Return whether a page is seen by the model and has lines, or lines alone say it."""
    seen = m.document >= 0.25 and m.above("stripes", 0.35)
    return seen or (m.above("stripes", 0.7) and m.above("flat", 0.5))


FLAGS: tuple[Flag, ...] = (
    Flag("dark", "Too dark", "lights ≤ 100", lambda m: m.below("lights", 100), 0.5),
    Flag(
        "bright",
        "Too bright",
        "shadows ≥ 165 and plain < .6",
        lambda m: m.above("shadows", 165) and not m.above("plain", 0.6),
        0.6,
    ),
    Flag(
        "low_contrast",
        "Low contrast",
        "contrast ≤ 20 and plain < .97",
        lambda m: m.below("contrast", 20) and not m.above("plain", 0.97),
        0.7,
    ),
    Flag(
        "blurry",
        "Blurred",
        "crispness ≤ .95 and plain < .5",
        lambda m: m.below("crispness", 0.95) and not m.above("plain", 0.5),
        0.5,
    ),
    Flag(
        "low_information",
        "Nearly one colour",
        "plain ≥ .97",
        lambda m: m.above("plain", 0.97),
        0.2,
    ),
    Flag(
        "odd_aspect_ratio",
        "Odd aspect",
        "aspect ≤ 1/3 or ≥ 3",
        lambda m: m.below("aspect", 1 / 3) or m.above("aspect", 3),
        0.7,
    ),
    Flag(
        "tiny",
        "Tiny",
        "pixels ≤ 16,384 (128 × 128)",
        lambda m: m.below("pixels", 16_384),
        0.5,
    ),
    Flag("grayscale", "Grey", "chroma ≤ 5", lambda m: m.below("chroma", 5), 0.7),
    Flag(
        "document",
        "Screenshot or document",
        "documents among the classes ≥ .25 and stripes ≥ .35, or stripes ≥ .7 and flat ≥ .5",
        _is_document,
        0.2,
    ),
    Flag(
        ODD,
        "Odd for its label",
        "by the index: 1.5 times as far from the mean of its label as its pictures are on average",
        lambda m: False,
        1.0,
    ),
)
"""The table; a flag's bit is its place in it."""
FLAG_NAMES = tuple(flag.name for flag in FLAGS)
NO_FLAGS = (1 << len(FLAGS)) - 1
"""The bits of all flags, which a picture without any has none of."""
LOOKED = NO_FLAGS + 1
"""A bit beside them where one must see whether flags were looked for at all."""
_BITS = {name: 1 << place for place, name in enumerate(FLAG_NAMES)}


def flags_of(record: Mapping[str, Any]) -> list[str]:
    """Return the names of the flags of a feature record, in the order of the table.

    >>> flags_of({"lights": 40, "contrast": 15.0, "plain": 0.4, "pixels": 1_000_000})
    ['dark', 'low_contrast']
    """
    measured = Measured(record)
    return [flag.name for flag in FLAGS if flag.holds(measured)]


def bits_of(names: Iterable[str]) -> int:
    """Return flags as a number with a bit for each; unknown names have none.

    >>> bits_of(["dark", "blurry"])
    9
    """
    return sum(_BITS.get(name, 0) for name in set(names))


def names_of(bits: int) -> list[str]:
    """Return the flags of such a number, in the order of the table.

    >>> names_of(9)
    ['dark', 'blurry']
    """
    return [name for name, bit in _BITS.items() if bits & bit]


def share_left(names: Collection[str]) -> float:
    """Return the share of its quality that a picture with some flags keeps, 0 to 1."""
    share = 1.0
    for flag in FLAGS:
        share *= flag.left if flag.name in names else 1.0
    return share
