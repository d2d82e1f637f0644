"""What a model's last layer knows: a direction among embeddings for each of its classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mapsight.features.mobilenet import Model

__all__ = ["LastLayer", "last_layer"]

LOOKED_AT = 4
MOST_OFF = 1e-3
"""Of a probability: the layer computes what the model says, but for rounding."""


@dataclass(frozen=True)
class LastLayer:
    """The layer from an embedding to classes: the logits are weights @ embedding + bias.

    Args:
        weights: (C, d) float32.
        bias: (C,) float32.
        length: of an embedding, as it usually is.
    """

    weights: np.ndarray
    bias: np.ndarray
    length: float


def last_layer(model: Model) -> LastLayer:
    """Return the last layer of a model, compared with what the model says of made-up pictures.

    Raises:
        ValueError: its embedding and its classes are not joined by a layer that is in the file.
    """
    from mapsight.features.keras_build import made_up_crops

    weights, bias = model.last_layer()
    lengths = []
    for crop in made_up_crops(model.resolution, LOOKED_AT, seed=1):
        probabilities, embedding = model.predict(crop)
        logits = weights @ embedding + bias
        shares = np.exp(logits - logits.max())
        if not np.allclose(shares / shares.sum(), probabilities, atol=MOST_OFF):
            raise ValueError("the model's last layer is not what its classes come from")
        lengths.append(float(np.linalg.norm(embedding)))
    return LastLayer(weights, bias, round(float(np.median(lengths)), 1))
