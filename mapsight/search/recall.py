"""How much of the truth a search of the index finds, and how much of the index it reads for it.

The true answers come from a probe of all cells; an answer is found with p cells if its own
cell is among the p nearest the query. So one exact search tells the recall of every p.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = [
    "COLUMNS",
    "DEPTH",
    "DEPTHS",
    "PRECISION_COLUMNS",
    "Precision",
    "Recall",
    "least_probe",
    "probes_for",
]

DEPTHS = (1, 10, 100)
DEPTH = 10
"""The depth that a target of recall means."""
COLUMNS = ("probe", "cells", "queries", *(f"recall_{n}" for n in DEPTHS), "share_read")
PRECISION_COLUMNS = ("of", "value", "queries", "answers", "precision")

Row = dict[str, Any]


def probes_for(k: int) -> list[int]:
    """Numbers of cells to tell of: 1, 2, 3, 4, 6, 8, 12, …, each about √2 more; k last.

    >>> probes_for(10)
    [1, 2, 3, 4, 6, 8, 10]
    """
    steps = (base << n for n in range(k.bit_length()) for base in (2, 3))
    return sorted({1, k, *(step for step in steps if step < k)})


def least_probe(rows: Iterable[Mapping[str, Any]], target: float) -> int | None:
    """The least probe of which recall@DEPTH reaches a target; None if none does.

    Args:
        rows: as `Recall.rows` gives them.
    """
    return next((row["probe"] for row in rows if row[f"recall_{DEPTH}"] >= target), None)


class Recall:
    """Sums over queries.

    Args:
        cell_rows: (k,) how many rows each cell has.
        probes: numbers of cells.
    """

    def __init__(self, cell_rows: np.ndarray, probes: Sequence[int]) -> None:
        self._rows, self._probes = cell_rows, np.asarray(probes)
        self._found: dict[int, list[np.ndarray]] = {depth: [] for depth in DEPTHS}
        self._read: list[np.ndarray] = []

    def add(self, ranked: np.ndarray, answer_cells: Sequence[int]) -> None:
        """Add a query; one that has no true answer says nothing.

        Args:
            ranked: (k,) all cells, the nearest to the query first.
            answer_cells: cell of each true answer, the best first.
        """
        if not len(answer_cells):
            return
        places = np.empty(len(ranked), np.int64)
        places[ranked] = np.arange(len(ranked))
        found = places[np.asarray(answer_cells)][:, None] < self._probes
        for depth, shares in self._found.items():
            shares.append(found[:depth].mean(axis=0))
        self._read.append(np.cumsum(self._rows[ranked])[self._probes - 1] / self._rows.sum())

    def rows(self) -> list[Row]:
        """A row for every probe: means over queries, of recalls and of the share of rows read."""
        if not self._read:
            return []
        means = {f"recall_{n}": np.mean(shares, axis=0) for n, shares in self._found.items()}
        means["share_read"] = np.mean(self._read, axis=0)
        facts = {"cells": len(self._rows), "queries": len(self._read)}
        return [
            {"probe": int(probe), **facts}
            | {name: round(float(values[i]), 6) for name, values in means.items()}
            for i, probe in enumerate(self._probes)
        ]


class Precision:
    """How many of the first answers to queries are of the query's own kind."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], list[int]] = {}

    def add(self, kinds: Mapping[str, str], answers: Sequence[Mapping[str, Any]]) -> None:
        """Add a query.

        Args:
            kinds: what the query is, such as label: Lion; empty values are passed over.
            answers: fields of its first answers; more than DEPTH are cut.
        """
        for name, value in kinds.items():
            if value:
                same = sum(answer.get(name) == value for answer in answers[:DEPTH])
                for key in ((name, value), (name, "")):
                    sums = self._sums.setdefault(key, [0, 0, 0])
                    sums[0] += 1
                    sums[1] += min(len(answers), DEPTH)
                    sums[2] += same

    def rows(self) -> list[Row]:
        """A row for every value, and "all" first; shares of all answers to its queries."""
        return [
            {
                "of": name,
                "value": value or "all",
                "queries": queries,
                "answers": answers,
                "precision": round(same / answers, 6) if answers else None,
            }
            for (name, value), (queries, answers, same) in sorted(self._sums.items())
        ]
