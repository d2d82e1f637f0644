"""What jobs took of the machines: tasks' processor time, memory and shuffle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Cost", "cost_on_hadoop"]

_FRAMEWORK = "Map-Reduce Framework"
_PEAKS = tuple(f"Peak {kind} Physical memory (bytes)" for kind in ("Map", "Reduce"))


@dataclass(frozen=True)
class Cost:
    """Seconds of all processors together, the most bytes that a task had in memory, and bytes
    that went from map to reduce tasks. On this machine memory counts what tasks share, too.
    """

    processor_seconds: float = 0.0
    largest_task_bytes: int = 0
    shuffled_bytes: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            round(self.processor_seconds + other.processor_seconds, 3),
            max(self.largest_task_bytes, other.largest_task_bytes),
            self.shuffled_bytes + other.shuffled_bytes,
        )


def cost_on_hadoop(counters: Mapping[str, Mapping[str, int]]) -> Cost | None:
    """Return what Hadoop counted of a job by group and name; None if it is not there."""
    counted = counters.get(_FRAMEWORK, {})
    if "CPU time spent (ms)" not in counted:
        return None
    return Cost(
        counted["CPU time spent (ms)"] / 1000,
        max(counted.get(name, 0) for name in _PEAKS),
        counted.get("Reduce shuffle bytes", 0),
    )
