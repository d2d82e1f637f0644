"""Does the quality of a picture matter to whether its label is right?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mapsight.evaluation.accuracy import ALL
from mapsight.evaluation.counts import BYTES_BINS
from mapsight.evaluation.sums import ANY, Hits, Sums
from mapsight.evaluation.tables import group_row, share
from mapsight.labels.head import PHOTO

__all__ = ["SIZES", "quality_facts", "quantiles", "size_rows", "stratified_trend", "trend"]

SIZES = {"ppi": 16, "bytes": BYTES_BINS}
"""Measures of quality, with the number of their bins to a factor of two."""
GROUPS = 5


def quantiles(bins: Mapping[int, int], parts: int) -> list[tuple[int, int]]:
    """Return (first bin, last bin) of groups of about equal n: whole bins, so there may be fewer.

    A group is closed when it holds its share; a last one of less than half of it joins the
    one before.

    >>> quantiles({1: 5, 2: 5, 7: 2, 9: 8, 11: 1}, 2)
    [(1, 7), (9, 11)]
    """
    total = sum(bins.values())
    groups: list[tuple[int, int, int]] = []
    full = True
    for number, n in sorted(bins.items()):
        first, _, held = (number, 0, 0) if full else groups.pop()
        groups.append((first, number, held + n))
        full = (held + n) * parts >= total
    if len(groups) > 1 and groups[-1][2] * parts * 2 < total:
        _, last, n = groups.pop()
        first, _, held = groups.pop()
        groups.append((first, last, held + n))
    return [(first, last) for first, last, _ in groups]


def trend(bins: Mapping[int, tuple[int, int]]) -> tuple[float, float]:
    """Return (z, two-sided p) of the Cochran-Armitage test for a trend of a share over bins.

    Cochran 1954, Armitage 1955; the score of a bin is its number. z² is n r² for the
    correlation r of score and success; (0, 1) where one of them does not vary.

    Args:
        bins: (n, successes) by number.
    """
    n = sum(count for count, _ in bins.values())
    hits = sum(right for _, right in bins.values())
    first = sum(x * count for x, (count, _) in bins.items())
    spread = n * sum(x * x * count for x, (count, _) in bins.items()) - first * first
    if not spread or hits in (0, n):
        return 0.0, 1.0
    together = n * sum(x * right for x, (_, right) in bins.items()) - first * hits
    z = together / math.sqrt(spread * hits * (n - hits) / n)
    return z, _p(z)


def stratified_trend(strata: Iterable[tuple[int, int, int, int, int]]) -> tuple[float, float]:
    """Return (z, two-sided p) of Mantel's extension test (1963): a trend within strata.

    z = Σ (Σxy - Σx Σy / n) / √(Σ Σy (n - Σy) (Σx² - (Σx)² / n) / (n (n - 1))) over strata;
    (0, 1) where nothing varies within any.

    Args:
        strata: (n, Σx, Σx², Σy, Σxy), x a size and y 1 for a success, else 0.
    """
    gap = variance = 0.0
    for n, x, xx, y, xy in strata:
        if n > 1:
            gap += xy - x * y / n
            variance += y * (n - y) * (xx - x * x / n) / (n * (n - 1))
    z = gap / math.sqrt(variance) if variance > 0 else 0.0
    return z, _p(z)


def _p(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))


def _merged(bins: Mapping[int, Hits], first: int, last: int) -> Hits:
    return sum((hits for x, hits in bins.items() if first <= x <= last), Hits())


def _edges(measure: str, first: int, last: int) -> dict[str, float]:
    low, high = (2 ** (x / SIZES[measure]) for x in (first, last + 1))
    if measure == "bytes":
        return {"from": math.ceil(low), "to": math.ceil(high)}
    return {"from": round(low, 2), "to": round(high, 2)}


def size_rows(sums: Sums, split: str) -> Iterator[dict[str, Any]]:
    """Yield rows of evaluation_groups.csv by PPI and file size, of all pictures and of photos."""
    for measure in SIZES:
        for style in (ANY, PHOTO):
            bins = sums.bins(split, measure, style)
            for first, last in quantiles({x: hits.n for x, hits in bins.items()}, GROUPS):
                hits = _merged(bins, first, last)
                yield group_row(split, measure, "", style, hits) | _edges(measure, first, last)


def quality_facts(sums: Sums, *, head: bool) -> list[dict[str, Any]]:
    """Compare the thirds of smallest and largest PPI and file size; trends, also within labels.

    By the labels given, on test pictures; beside a head also by the model's own classes, on
    all that are verified, as these were fitted on none of them.
    """
    ways = [("test", "label"), *([(ALL, "model")] if head else [])]
    facts = (_fact(sums, split, who, measure) for split, who in ways for measure in SIZES)
    return [fact for fact in facts if fact]


def _fact(sums: Sums, split: str, who: str, measure: str) -> dict[str, Any] | None:
    bins = {
        x: (hits.model_n, hits.by_model) if who == "model" else (hits.n, hits.right)
        for x, hits in sums.bins(split, measure).items()
    }
    thirds = quantiles({x: n for x, (n, _) in bins.items()}, 3)
    if len(thirds) < 2:
        return None
    fact: dict[str, Any] = {"measure": measure, "split": split, "by": who}
    fact["n"] = sum(n for n, _ in bins.values())
    for name, (first, last) in (("smallest", thirds[0]), ("largest", thirds[-1])):
        n, right = (sum(bins[x][i] for x in bins if first <= x <= last) for i in (0, 1))
        fact[name] = {**_edges(measure, first, last), "n": n, **share(right, n)}
    for name, (z, p) in (
        ("trend", trend(bins)),
        ("within", stratified_trend(sums.strata(split, measure, who))),
    ):
        fact[name] = {"z": round(z, 4), "p": round(p, 6)}
    return fact
