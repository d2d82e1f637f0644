"""Labels for a collection of which nobody has named any: the classes that it has most of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mapsight.labels.labeler import class_named, has_own_name, names_by_mid, parents
from mapsight.records import OTHER

__all__ = ["choose_labels", "enough"]

ONE_IN, FEW, OF_FEW = 100, 5, 10
"""A label has one in ONE_IN of all pictures, and at least FEW; of few pictures one in OF_FEW."""
TOO_WIDE = frozenset(("/m/0bl9f",))
"""Entity, which everything is."""
MOST_OF_NONE = 20
"""Where no class has enough pictures, so many are labels all the same."""

Parents = Mapping[str, Sequence[str]]


def choose_labels(
    counts: Mapping[str, int],
    above: Parents | None = None,
    descriptions: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return MID by label, that of most pictures first, ties by name; a class without has its name.

    From the finest classes up, one that has enough pictures is a label; what another has is
    given to the class above it, of several to the first one named. What comes to the top
    without being enough gets no label; where that is all, the MOST_OF_NONE finest classes with
    most pictures are the labels. A class that is called OTHER is none.

    Args:
        counts: pictures by most probable class, a wnid, a MID or a name.
        above: parents by MID of the collection's own hierarchy, beside the bundled one.
        descriptions: MID by name of the collection's own classes.
    """
    known = {**parents(), **(above or {})}
    names = {**names_by_mid(), **{mid: name for name, mid in (descriptions or {}).items()}}
    totals, upward = _classes(counts, known, names)
    names = {mid: name for mid, name in names.items() if name.casefold() != OTHER}
    finest, least = dict(totals), enough(sum(counts.values()))
    chosen: dict[str, tuple[int, str]] = {}
    for mid in sorted(_reached(totals, upward), key=lambda mid: (-_depth(mid, upward), mid)):
        n, name = totals.get(mid, 0), names.get(mid, "")
        if n >= least and mid not in TOO_WIDE and name and name not in chosen:
            chosen[name] = n, mid
        elif next_up := next(iter(upward.get(mid, ())), None):
            totals[next_up] = totals.get(next_up, 0) + n
    if not chosen:
        named = ((names[mid], (n, mid)) for mid, n in finest.items() if names.get(mid))
        chosen = dict(sorted(named, key=_most_first)[:MOST_OF_NONE])
    return {name: mid for name, (_, mid) in sorted(chosen.items(), key=_most_first)}


def _most_first(label: tuple[str, tuple[int, str]]) -> tuple[int, str]:
    name, (n, _) = label
    return -n, name


def enough(pictures: int) -> int:
    """Return how many of so many pictures a label has at least.

    >>> [enough(n) for n in (3, 20, 50, 983, 9_000_000)]
    [1, 2, 5, 10, 90000]
    """
    return max(-(-pictures // ONE_IN), min(FEW, -(-pictures // OF_FEW)))


def _classes(
    counts: Mapping[str, int], known: Parents, names: dict[str, str]
) -> tuple[dict[str, int], dict[str, Sequence[str]]]:
    """Return pictures by MID of the finest class, and what is above every class.

    A class that is in no hierarchy stands below its nearest boxable one. `names` gets its name.
    """
    totals: dict[str, int] = {}
    upward = dict(known)
    for name, n in sorted(counts.items()):
        match = class_named(name)
        mid = match.mid or match.target_mid or (name if has_own_name(name) else "")
        if mid:
            totals[mid] = totals.get(mid, 0) + n
            names.setdefault(mid, match.label or match.target_label or match.title)
            if not upward.get(mid) and match.target_mid not in ("", mid):
                upward[mid] = (match.target_mid,)
    return totals, upward


def _reached(totals: Mapping[str, int], upward: Parents) -> set[str]:
    queue = sorted(totals)
    found = set(queue)
    for mid in queue:
        fresh = [one for one in upward.get(mid, ()) if one not in found]
        found.update(fresh)
        queue.extend(fresh)
    return found


def _depth(mid: str, upward: Parents, below: frozenset[str] = frozenset()) -> int:
    """Return how far a class is from the top, by the longest way; circles are not followed."""
    ways = (one for one in upward.get(mid, ()) if one not in below)
    return 1 + max((_depth(one, upward, below | {mid}) for one in ways), default=0)
