"""The plain job: batches of 32 through `model.predict`, TensorFlow on every core."""

from __future__ import annotations

import numpy as np

from benchmarks.ways.common import batches, crop_of, keras_model, options, write


def main() -> None:
    """Label every picture; --model is the weights file."""
    chosen = options("Keras predict")
    model = keras_model(chosen.model)
    ids, labels, embeddings = [], [], []
    for some, pictures in batches(chosen.pictures):
        crops = np.stack([crop_of(data) for data in pictures]).astype(np.float32)
        probabilities, found = model.predict(crops / 127.5 - 1, verbose=0)
        ids += some
        labels += probabilities.argmax(axis=1).tolist()
        embeddings += list(found)
    write(chosen.out, ids, labels, embeddings)


if __name__ == "__main__":
    main()
