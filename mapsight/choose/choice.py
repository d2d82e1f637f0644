"""A subset of pictures: how it is asked for, and how it is chosen."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from mapsight.browse.columns import Columns
from mapsight.browse.selection import Selection, sorted_rows
from mapsight.choose.candidates import candidate_table, drawn
from mapsight.choose.cores import MOST_SPREAD
from mapsight.choose.groups import BALANCED, Grouped, grouped
from mapsight.errors import Failure
from mapsight.index.rows import order_of

__all__ = ["Choice", "Chosen", "Spread", "choose"]

POOL = 10
"""Least sure pictures among which those that differ most are chosen, for each that is wanted."""
CHUNK = 65_536
SHOWN = 20

Spread = Callable[[pa.Table, Sequence[int], Sequence[int]], Mapping[int, Sequence[str]]]
"""Takes candidates, quotas and sizes of groups; gives the ids that are chosen of each group."""


@dataclass(frozen=True)
class Choice:
    """What is to be chosen of pictures that fit filters.

    Args:
        count: how many.
        balance: columns whose values get equal shares.
        diverse: those that are least alike, by farthest-first.
        near_model: those whose label the model is least sure of (uncertainty sampling by least
            confidence: D. Lewis, W. Gale, SIGIR 1994); with `diverse` the least alike of POOL
            times as many (F. Zhdanov, "Diverse mini-batch active learning", 2019).
        seed: of the order in which pictures come that neither decides.

    Raises:
        ValueError: one of them is not allowed.
    """

    count: int
    balance: tuple[str, ...] = ()
    diverse: bool = False
    near_model: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count {self.count}: 1 or more")
        if not 0 <= self.seed < 1 << 64:
            raise ValueError(f"seed {self.seed}: 0 or more, below 2**64")
        for name in self.balance:
            if name not in BALANCED:
                raise ValueError(f"balance {name!r}: one of {', '.join(BALANCED)}")


@dataclass(frozen=True)
class Chosen:
    """What was chosen, and of which groups."""

    selection: Selection
    groups: Grouped
    choice: Choice

    def lines(self, labels: Collection[str] = ()) -> Iterator[str]:
        """Yield what could not be filled: groups that have fewer than an equal share.

        Args:
            labels: of which there may be none at all.
        """
        groups, share = self.groups, math.ceil(self.choice.count / max(len(self.groups.names), 1))
        short = [
            f"{', '.join(name) or 'all'}: {size:,} of {share:,}"
            for name, size in zip(groups.names, groups.sizes, strict=True)
            if size < share
        ]
        if "label" in self.choice.balance:
            place = self.choice.balance.index("label")
            there = {name[place] for name in groups.names}
            short += [f"{label}: none fits" for label in labels if label not in there]
        yield from short[:SHOWN]
        if len(short) > SHOWN:
            yield f"and {len(short) - SHOWN:,} more"


def choose(columns: Columns, rows: np.ndarray, choice: Choice, sort: str, spread: Spread) -> Chosen:
    """Choose pictures; the same ones whatever runs `spread`.

    Memory: some 60 bytes a row.

    Args:
        columns: of all pictures. rows: of those that fit, ascending.
        sort: the order in which those that are chosen come.
        spread: used for `diverse`.

    Raises:
        ValueError: more are wanted of a group than `diverse` compares.
        Failure: the index has changed meanwhile.
    """
    groups = grouped(columns, rows, choice.balance, choice.count)
    if choice.diverse and (most := max(groups.quotas, default=0)) > MOST_SPREAD:
        raise ValueError(
            f"diverse: {most:,} pictures of a group; at most {MOST_SPREAD:,}: ask for fewer, or"
            " balance by more"
        )
    orders = _orders(columns, rows)
    picked = _first(columns, groups, orders, choice)
    chosen = _spread(columns, groups, orders, picked, spread) if choice.diverse else rows[picked]
    selection = Selection(columns, sorted_rows(columns, np.sort(chosen), sort), sort)
    return Chosen(selection, groups, choice)


def _orders(columns: Columns, rows: np.ndarray) -> np.ndarray:
    """Return the `order` of some rows: (n,) uint64."""
    orders = np.empty(len(rows), np.uint64)
    for first in range(0, len(rows), CHUNK):
        some = rows[first : first + CHUNK]
        ids = columns.ids.take(pa.array(some)).to_pylist()
        orders[first : first + len(some)] = np.fromiter(map(order_of, ids), np.uint64, len(ids))
    return orders


def _first(columns: Columns, groups: Grouped, orders: np.ndarray, choice: Choice) -> np.ndarray:
    """Return which of the rows come first in their groups, or may be chosen: places, ascending."""
    limits = np.array(groups.quotas, np.int64)
    if choice.diverse:
        limits = limits * POOL if choice.near_model else np.where(limits, len(groups.rows), 0)
    keys = [drawn(orders, choice.seed)]
    if choice.near_model:
        keys.append(columns.values("score", groups.rows))  # not known, NaN, comes last
    by_place = np.lexsort((*keys, groups.group))
    starts = np.concatenate([[0], np.cumsum(groups.sizes)[:-1]]).astype(np.int64)
    rank = np.arange(len(by_place)) - starts[groups.group[by_place]]
    return np.sort(by_place[rank < limits[groups.group[by_place]]])


def _spread(
    columns: Columns, groups: Grouped, orders: np.ndarray, picked: np.ndarray, spread: Spread
) -> np.ndarray:
    """Return the rows that are chosen of those that may be: (m,) uint32."""
    rows, group = groups.rows[picked], groups.group[picked]
    table = candidate_table(columns.column("cell")[rows], orders[picked], group)
    sizes = np.bincount(group, minlength=len(groups.names)).tolist()
    found = spread(table, groups.quotas, sizes)
    ids = [image_id for one in sorted(found) for image_id in found[one]]
    places = pa.compute.index_in(
        pa.array(ids, pa.large_string()), value_set=columns.ids.take(pa.array(rows))
    )
    if len(ids) != sum(groups.quotas) or places.null_count:
        raise Failure("the index has changed while pictures were chosen; try again")
    return rows[places.to_numpy()]
