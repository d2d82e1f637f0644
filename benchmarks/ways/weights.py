"""How much scores should weigh in new features, and whether style is a filter or a score.

    python -m benchmarks.ways.weights --workspace W [--weights 0 .6 1] [--penalties .1 .2]

W has verified labels (annotate). Its pictures are halved by a hash of their ids. A head is fitted
on each half, and each picture of the other half is searched for in that half, exactly, by new
features of this head; so no head has seen what it is judged by. Precision@10 is the share of the
first ten answers with the query's verified label, style that of its verified style.

Weights are 1 at most, for new features are int16. Ways: `any` style, `sign` (answers of the query's
predicted style, as `--style same`), and `score P`: any, by cosine minus P times the difference of
the probabilities of a drawing.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mapsight.index.cosines import cosines
from mapsight.index.rows import order_of
from mapsight.labels.examples import Example, example_of
from mapsight.labels.fit_sums import FitSums, plan_fit, sums_of
from mapsight.labels.head import Head, with_facts
from mapsight.labels.labeler import Labeler
from mapsight.labels.made_with import settings_of
from mapsight.labels.solve import solve_head
from mapsight.records import OTHER, decode_embedding
from mapsight.results.predictions import records_of
from mapsight.workspace.workspace import Workspace

TOP = 10


@dataclass(frozen=True)
class Half:
    """Pictures: ids, (n, d) int16 embeddings, and what people verified."""

    x: np.ndarray
    examples: Sequence[Example]

    @property
    def labels(self) -> list[set[str]]:
        return [set(one.present or ()) for one in self.examples]


def halves(workspace: Workspace, labeler: Labeler) -> tuple[Half, Half]:
    """Split the pictures with a verified label by a hash of their ids."""
    sides: tuple[list[Any], list[Any]] = ([], [])
    for image_id, record in records_of(workspace.parts("annotate")):
        example = example_of(record, labeler)
        if example and example.present is not None:
            sides[order_of(image_id) & 1].append((decode_embedding(record["embedding"]), example))
    first, second = (
        Half(np.stack([x for x, _ in side]), [example for _, example in side]) for side in sides
    )
    return first, second


def fitted(half: Half, labels: Sequence[str]) -> Head:
    """Fit a head on all pictures of a half, whatever their subset."""
    counts: Counter[tuple[str, ...]] = Counter()
    for one in half.examples:
        counts["style", "train", one.style] += 1
        for label in one.present or ():
            counts["class", "train", label, one.style] += 1
    sums = FitSums(plan_fit(counts, labels), half.x.shape[1])
    for x, example in zip(half.x, half.examples, strict=True):
        sums.add(x, example)
    return solve_head(sums_of(((sums.d, row) for row in sums.rows()), sums.plan))[0]


def drawings(head: Head, x: np.ndarray) -> np.ndarray:
    """Return the probability of each picture that it is a drawing: (n,)."""
    return np.array([(head.style(row) or ("", 0.0))[1] for row in x])


def first_answers(scores: np.ndarray) -> np.ndarray:
    """Return the TOP best columns of each row, best first; a picture does not answer itself."""
    np.fill_diagonal(scores, -np.inf)
    return np.argsort(-scores, axis=1, kind="stable")[:, :TOP]


def ways(
    half: Half, head: Head, weights: Sequence[float], penalties: Sequence[float]
) -> Iterator[tuple[float, str, np.ndarray]]:
    """Yield (weight, way, answers (n, TOP)) of every picture of a half."""
    drawn = drawings(head, half.x)
    apart = (drawn > 0.5)[:, None] != (drawn > 0.5)
    for weight in weights:
        x = with_facts(head, score_weight=float(weight)).new_features(half.x)
        scores = cosines(x, x)
        yield weight, "any", first_answers(scores.copy())
        yield weight, "sign", first_answers(np.where(apart, -2, scores))
        for penalty in penalties:
            less = penalty * np.abs(drawn[:, None] - drawn)
            yield weight, f"score {penalty:g}", first_answers(scores - less)


def counted(half: Half, answers: np.ndarray) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield (style, right labels, answers, right styles, answers of known style) of queries."""
    labels, styles = half.labels, [one.style for one in half.examples]
    for number, few in enumerate(answers.tolist()):
        if not styles[number]:
            continue
        right = sum(bool(labels[number] & labels[i]) for i in few) if labels[number] else 0
        judged = len(few) if labels[number] else 0
        like = sum(styles[i] == styles[number] for i in few)
        yield styles[number], right, judged, like, sum(bool(styles[i]) for i in few)


def table(sums: Mapping[tuple[float, str, str], np.ndarray]) -> Iterator[str]:
    """Yield the lines of a table: shares by weight, way and style of the query."""
    yield "| weight | way | queries | precision@10 | style |"
    yield "|---|---|---|---|---|"
    for (weight, way, style), (right, judged, like, known) in sums.items():
        name = style if style == "all" else f"{style}s"
        yield f"| {weight:g} | {way} | {name} | {right / judged:.3f} | {like / known:.3f} |"


def main() -> int:
    """Measure both halves, and print sums over them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--weights", type=float, nargs="+", default=[0, 0.3, 0.6, 0.8, 1])
    parser.add_argument("--penalties", type=float, nargs="+", default=[0.05, 0.1, 0.2, 0.4])
    options = parser.parse_args()
    workspace = Workspace(options.workspace)
    settings, _ = settings_of(workspace.required("classify"))
    labeler = Labeler(settings["targets"], settings["parents"])
    sides = halves(workspace, labeler)
    sums: dict[tuple[float, str, str], np.ndarray] = {}
    for half, other in (sides, sides[::-1]):
        head = fitted(other, [*settings["targets"], OTHER])
        for weight, way, answers in ways(half, head, options.weights, options.penalties):
            for style, *counts in counted(half, answers):
                for of in (style, "all"):
                    key = weight, way, of
                    sums[key] = sums.get(key, np.zeros(4, int)) + counts
    sys.stdout.writelines(f"{line}\n" for line in table(sums))
    return 0


if __name__ == "__main__":
    sys.exit(main())
