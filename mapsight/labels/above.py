"""What is above a class: the classes that it is one of, and those that these are."""

from __future__ import annotations

from collections.abc import Callable, Iterable

__all__ = ["with_above"]


def with_above(starts: Iterable[str], parents_of: Callable[[str], Iterable[str]]) -> list[str]:
    """Return some classes and all that are above them, each once, nearer ones first.

    Cycles do no harm.
    """
    queue = list(dict.fromkeys(starts))
    found = set(queue)
    for current in queue:
        fresh = [above for above in dict.fromkeys(parents_of(current)) if above not in found]
        found.update(fresh)
        queue += fresh
    return queue
