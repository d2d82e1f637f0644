"""Made-up predictions of verified pictures."""

from __future__ import annotations

import random

from mapsight.evaluation.counts import Evaluation

LABELS = ["Lion", "Tiger", "other"]
STYLES = ["photo", "drawing", None]


def prediction(seed: int, **fields) -> dict:
    """A made-up prediction of a picture that people verified, by a head."""
    rng = random.Random(seed)
    scores = {label: round(rng.uniform(-0.4, 1.4), 6) for label in LABELS}
    truth = rng.choice(LABELS)
    scores[truth] += 0.4
    drawn = rng.choice(STYLES)
    found = {
        "label": max(scores, key=scores.__getitem__),
        "score": round(rng.random(), 6),
        "scores": scores,
        "model_label": rng.choice([truth, "other"]),
        "style": rng.choice(STYLES[:2]),
        "style_score": round(rng.random(), 6),
        "truth": [truth],
        "absent": [],
        "split": rng.choice(["test", "test", "validation", "train"]),
        "ppi": round(rng.uniform(4, 70), 6),
        "bytes": rng.randrange(100, 10**6),
    }
    return {**found, **({"style_truth": drawn} if drawn else {}), **fields}


MADE = [prediction(seed) for seed in range(600)]


def counted(predictions: list[dict]) -> Evaluation:
    found = Evaluation()
    for number, one in enumerate(predictions):
        found.add(f"{number:04d}", one)
    return found
