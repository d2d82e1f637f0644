"""Connected components by stars, a step of which sees one node and its neighbours.

Kiveris, Lattanzi, Mirrokni, Rastogi and Vassilvitskii, "Connected Components in MapReduce
and Beyond", SoCC 2014: large-star and small-star by turns make of every component a star
whose centre is its least node. Neighbours come sorted, and a step holds two of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

__all__ = ["large_star", "small_star"]

Star = Iterator[tuple[str, str, bool]]
"""(node, the lesser node it is tied to, whether that is new) for each edge."""


def large_star(node: str, neighbours: Iterable[str]) -> Star:
    """Tie every larger neighbour to the least of node and neighbours.

    Args:
        neighbours: on both sides, sorted; may repeat.
    """
    least = node
    for number, neighbour in enumerate(_distinct(neighbours)):
        if number == 0:
            least = min(node, neighbour)
        if neighbour > node:
            yield neighbour, least, least != node


def small_star(node: str, neighbours: Iterable[str]) -> Star:
    """Tie node and its lesser neighbours to the least of them.

    Args:
        neighbours: those less than node, sorted; may repeat.
    """
    least = ""
    for number, neighbour in enumerate(_distinct(neighbours)):
        if number == 0:
            least = neighbour
            yield node, least, False
        else:
            yield neighbour, least, True


def _distinct(values: Iterable[str]) -> Iterator[str]:
    return (value for value, _ in itertools.groupby(values))
