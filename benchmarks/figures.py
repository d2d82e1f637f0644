"""From seconds to rates, ratios and a table."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["BARE", "Row", "compared", "table"]

BARE, KERAS, SPARK, RAY = "bare", "keras", "spark", "ray"
COLUMNS = {
    "way": "way",
    "precision": "model",
    "cores": "cores",
    "seconds_median": "s, whole process (least–most)",
    "rate": "pictures/s",
    "own_rate": "pictures/s without start-up",
    "of_bare": "of bare",
    "times_keras": "× Keras",
    "times_spark": "× Spark",
    "times_ray": "× Ray",
    "memory_mb": "memory, MB",
    "agreement": "top-1 as bare float32",
    "accuracy": "accuracy",
}


@dataclass
class Row:
    """What was measured of one way, on so many pictures (0: no rate is meant).

    `seconds` are of the whole process, one for each round; `own` those that the
    way itself counts, without its start-up, as pictures/s; `memory` is the
    peak of all its processes in bytes; `agreement` the share of pictures whose
    top-1 class is that of bare float32; `accuracy` is correct and n by verified
    labels; `failure` says why there is nothing.
    """

    way: str
    precision: str
    cores: int
    pictures: int
    seconds: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    memory: Mapping[str, int] = field(default_factory=dict)
    agreement: float | None = None
    accuracy: tuple[int, int] | None = None
    failure: str = ""

    @property
    def rate(self) -> float | None:
        """Pictures/s of the whole process, by the median of the rounds."""
        if not (self.seconds and self.pictures):
            return None
        return self.pictures / statistics.median(self.seconds)

    @property
    def own_rate(self) -> float | None:
        """Pictures/s without start-up, the median of the rounds."""
        return statistics.median(self.own) if self.own else None


def compared(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Every row with its ratios, None where a side is missing.

    `of_bare`: its rate over that of bare model and decode without start-up, of
    the same precision on as many cores. `times_keras`, `times_spark`, `times_ray`:
    its rate over theirs, whichever the precision.
    """
    bare = {(row.precision, row.cores): row.own_rate for row in rows if row.way == BARE}
    whole = {row.way: row.rate for row in rows if row.way in (KERAS, SPARK, RAY)}
    return [
        {
            **vars(row),
            "seconds_median": statistics.median(row.seconds) if row.seconds else None,
            "rate": row.rate,
            "own_rate": row.own_rate,
            "of_bare": _ratio(row.rate, bare.get((row.precision, row.cores))),
            "times_keras": _ratio(row.rate, whole.get(KERAS)),
            "times_spark": _ratio(row.rate, whole.get(SPARK)),
            "times_ray": _ratio(row.rate, whole.get(RAY)),
            "memory_mb": row.memory["total"] / 1e6 if row.memory else None,
        }
        for row in rows
    ]


def _ratio(value: float | None, other: float | None) -> float | None:
    return value / other if value and other else None


def table(documents: Sequence[Mapping[str, Any]]) -> str:
    """A Markdown table of what `compared` gives; a failure instead of its figures."""
    lines = [_line(COLUMNS.values()), _line("---" for _ in COLUMNS)]
    for document in documents:
        cells = [_cell(document, name) for name in COLUMNS]
        if document["failure"]:
            cells = [*cells[:3], f"failed: {document['failure']}", *[""] * (len(cells) - 4)]
        lines.append(_line(cells))
    return "\n".join(lines) + "\n"


def _line(cells: Any) -> str:
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"


def _cell(document: Mapping[str, Any], name: str) -> str:
    value = document[name]
    if value is None:
        return ""
    if name == "seconds_median":
        return f"{value:.2f} ({min(document['seconds']):.2f}–{max(document['seconds']):.2f})"
    if name == "accuracy":
        return f"{value[0] / value[1]:.3f} [{value[1]}]"
    if name == "agreement":
        return f"{value:.4f}"
    if name in ("rate", "own_rate"):
        return f"{value:.1f}"
    if name == "memory_mb":
        return f"{value:.0f}"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
