"""The hierarchy of classes: what is above and below a class, by "is a".

It is given as the classes directly above each class, by MID; a class may have several.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from mapsight.labels.above import with_above

__all__ = ["ancestors", "children_of", "levels"]

Parents = Mapping[str, Sequence[str]]


def ancestors(parents: Parents) -> dict[str, frozenset[str]]:
    """Return every class with all that are above it, itself included; cycles do no harm."""
    every = {*parents, *itertools.chain.from_iterable(parents.values())}
    return {
        mid: frozenset(with_above([mid], lambda current: parents.get(current, ()))) for mid in every
    }


def levels(parents: Parents) -> dict[str, int]:
    """Return how far every class is below the root, by the shortest way; 1 has none above."""
    found = {mid: 1 for mid in ancestors(parents) if not parents.get(mid)}
    queue = sorted(found)
    children = children_of(parents)
    for mid in queue:
        for child in children.get(mid, ()):
            if child not in found:
                found[child] = found[mid] + 1
                queue.append(child)
    return found


def children_of(parents: Parents) -> dict[str, list[str]]:
    """Return the classes directly below each class, sorted."""
    below: dict[str, list[str]] = {}
    for mid, above in sorted(parents.items()):
        for parent in above:
            below.setdefault(parent, []).append(mid)
    return below
