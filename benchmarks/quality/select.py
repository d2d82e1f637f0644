"""How good a head is that was fitted on pictures that `select` chose, against as many at random.

    mapsight --no-fit --openimages FOLDER --workspace unlabelled
    python -m benchmarks.quality.select --workspace unlabelled [--count 100 300] [--seeds 10]

Nothing of what people verified is known to the choice: labels are those of the model's own classes.
For each seed a third of the pictures is set aside, `--count` of the others are chosen in each way,
a head is fitted on what people verified of these (the ridge of `fit`), and labels the third. Labels
of fewer than LEAST pictures are not tried. The cover is the least cosine of a picture that was not
chosen with the one that is most like it of those that were.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from mapsight.browse.filters import Filters
from mapsight.choose.choice import Choice, choose
from mapsight.choose.here import spread_here
from mapsight.index.cosines import cosines
from mapsight.labels.examples import Example
from mapsight.labels.fit_sums import FitSums, plan_fit
from mapsight.labels.head import UNIT
from mapsight.labels.solve import solve_head
from mapsight.opened import OpenedWorkspace
from mapsight.records import OTHER

WAYS: Mapping[str, Mapping[str, Any]] = {
    "at random": {},
    "--balance label": {"balance": ("label",)},
    "--diverse": {"diverse": True},
    "--balance label --diverse": {"balance": ("label",), "diverse": True},
    "--near-model": {"near_model": True},
    "--near-model --diverse": {"near_model": True, "diverse": True},
}
LEAST = 10
T95 = {5: 2.776, 10: 2.262, 20: 2.093}
"""97.5 % quantiles of Student's t for so many seeds."""


@dataclass(frozen=True)
class World:
    """Pictures of which people verified one label, without duplicates."""

    opened: OpenedWorkspace
    rows: np.ndarray
    x: np.ndarray
    truth: np.ndarray

    @classmethod
    def read(cls, opened: OpenedWorkspace) -> World:
        """Read them from a workspace."""
        selection = opened.browser.select(Filters.of(duplicates="hide"))
        table = [
            row for batch in selection.batches(("image_id", "truth")) for row in batch.to_pylist()
        ]
        one = [n for n, row in enumerate(table) if row["truth"] and len(row["truth"]) == 1]
        ids = [table[n]["image_id"] for n in one]
        _, vectors = opened.features(ids, kind="plain")
        truth = np.array([table[n]["truth"][0] for n in one])
        return cls(opened, selection.rows[one], np.rint(vectors * UNIT).astype(np.int16), truth)

    def chosen(
        self, pool: np.ndarray, count: int, seed: int, how: Mapping[str, object]
    ) -> np.ndarray:
        """Return which of some pictures are chosen: places."""
        spread = partial(spread_here, self.opened._index, seed=seed)
        choice = Choice(count, seed=seed, **how)
        columns = self.opened.browser.columns
        found = choose(columns, self.rows[pool], choice, "image_id", spread)
        return np.flatnonzero(np.isin(self.rows, found.selection.rows))

    def accuracies(self, fitted: np.ndarray, tried: np.ndarray) -> tuple[float, float]:
        """Return the share of pictures that a head labels right, and the mean share of labels."""
        head = self._head(fitted)
        said = np.array([head.labels[i] for i in head.scores(self.x[tried]).argmax(axis=1)])
        right = said == self.truth[tried]
        each = [right[self.truth[tried] == label].mean() for label in np.unique(self.truth[tried])]
        return float(right.mean()), float(np.mean(each))

    def _head(self, fitted: np.ndarray):
        counts = Counter(("class", "train", label, "") for label in self.truth[fitted].tolist())
        labels = sorted(set(self.truth.tolist()) - {OTHER})
        sums = FitSums(plan_fit(counts, labels), self.x.shape[1])
        for i in fitted.tolist():
            sums.add(self.x[i], Example("train", (str(self.truth[i]),), (), "", f"{i:016x}"))
        for name in sums.gram:
            sums._carry(name)
        return solve_head(sums)[0]

    def cover(self, chosen: np.ndarray, pool: np.ndarray) -> float:
        """Return the least cosine of a picture of a pool with its nearest among the chosen."""
        return float(cosines(self.x[pool], self.x[chosen]).max(axis=1).min())

    def tried(self, some: np.ndarray) -> np.ndarray:
        """Return those of some pictures whose label has LEAST pictures."""
        labels, counts = np.unique(self.truth, return_counts=True)
        return some[np.isin(self.truth[some], labels[counts >= LEAST])]


def measure(world: World, count: int, seeds: int) -> dict[str, np.ndarray]:
    """Return (seeds, 3) accuracies and cover by way."""
    found: dict[str, list[tuple[float, ...]]] = {way: [] for way in WAYS}
    for seed in range(seeds):
        mixed = np.random.default_rng(seed).permutation(len(world.rows))
        tried, pool = world.tried(mixed[: len(mixed) // 3]), np.sort(mixed[len(mixed) // 3 :])
        for way, how in WAYS.items():
            fitted = world.chosen(pool, count, seed, how)
            cover = world.cover(fitted, pool)
            found[way].append((*world.accuracies(fitted, tried), cover))
    return {way: np.array(rows) for way, rows in found.items()}


def interval(values: np.ndarray) -> str:
    """Return mean and 95 % interval of the mean over seeds."""
    half = T95[len(values)] * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.3f} ± {half:.3f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", required=True, help="of a run with --no-fit")
    parser.add_argument("--count", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--seeds", type=int, choices=sorted(T95), default=10)
    options = parser.parse_args(arguments)
    world = World.read(OpenedWorkspace(options.workspace))
    sys.stdout.write(f"{len(world.rows)} pictures, {options.seeds} seeds\n")
    for count in options.count:
        found = measure(world, count, options.seeds)
        for way, rows in found.items():
            more = rows[:, 1] - found["at random"][:, 1]
            cells = map(interval, (rows[:, 0], rows[:, 1], more, rows[:, 2]))
            sys.stdout.write(f"| {count} | {way} | {' | '.join(cells)} |\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
