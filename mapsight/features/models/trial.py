"""What a model makes of a few made-up pictures: whether that is what it was taken for."""

from __future__ import annotations

import statistics
import time

import numpy as np

from mapsight.features.keras_build import made_up_crops
from mapsight.features.last_layer import last_layer
from mapsight.features.models.image_model import ImageModel

__all__ = ["try_out", "why_no_words"]

LOOKED_AT = 3
OFF = 0.01
"""Of a probability: quantised ones are that coarse."""


def try_out(model: ImageModel) -> float:
    """Run a model on made-up pictures; return its seconds of processor for one.

    Raises:
        ValueError: its embedding is no direction, or its scores are no probabilities.
    """
    seconds, embeddings, number = [], [], model.form.embedding
    for crop in made_up_crops(model.resolution, LOOKED_AT, seed=1):
        started = time.thread_time()
        probabilities, embedding = model.predict(crop)
        seconds.append(time.thread_time() - started)
        embeddings.append(embedding)
        if not (np.isfinite(embedding).all() and embedding.any()):
            raise ValueError(f"output {number}: an embedding of zeros, or of what is not finite")
        _check_probabilities(model, probabilities)
    if all(np.array_equal(embeddings[0], other) for other in embeddings[1:]):
        raise ValueError(f"output {number}: the same embedding of every picture")
    return statistics.median(seconds)


def _check_probabilities(model: ImageModel, probabilities: np.ndarray) -> None:
    if not probabilities.size:
        return
    low, high = float(probabilities.min()), float(probabilities.max())
    if not (low >= -OFF and high <= 1 + OFF):
        number = model.form.scores
        raise ValueError(
            f"output {number}: numbers from {low:.3g} to {high:.3g} are no probabilities;"
            f" say logits = {number} if a softmax makes them some"
        )


def why_no_words(model: ImageModel) -> str:
    """Return why its last layer does not rank pictures for words; "" where it does."""
    try:
        last_layer(model)
    except ValueError as error:
        return str(error)
    return ""
