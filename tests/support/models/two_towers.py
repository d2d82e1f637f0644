"""A CLIP-like pair, tiny: an image tower and a text tower that share a space of 32 numbers.

    python -m tests.support.models.two_towers FOLDER CATALOGUE

They learn from the train subset of the drawn catalogue and words for its animals. FOLDER gets
`tower.tflite`, `tower.toml` beside it, and `words.npy`: what the text tower makes of QUESTIONS.
A process of its own, for TensorFlow has threads.
"""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

SIDE, D, EPOCHS, BATCH, WORDS, LONGEST = 64, 32, 16, 44, 512, 8
PHRASES = ("{}", "a {}", "the {}", "a photo of a {}", "a drawing of a {}", "picture of one {}")
QUESTION = "one {}"
TOML = "range = [0, 1]\nresize = 64\nembedding = 0\n"


def questions(labels: Sequence[str]) -> list[str]:
    return [QUESTION.format(label) for label in labels]


def tokens(texts: Sequence[str]) -> np.ndarray:
    """(n, LONGEST) int32: numbers of words, 0 for none."""
    found = np.zeros((len(texts), LONGEST), np.int32)
    for row, text in zip(found, texts, strict=True):
        words = text.lower().split()
        row[: len(words)] = [1 + zlib.crc32(word.encode()) % (WORDS - 1) for word in words]
    return found


def build_towers() -> tuple[Any, Any]:
    import keras
    from keras import layers

    pixels = keras.Input((SIDE, SIDE, 3), name="pixels")
    x = pixels - 0.5
    for channels in (24, 48, 64, 64):
        x = layers.Conv2D(channels, 3, 2, padding="same", use_bias=False)(x)
        x = layers.Activation("relu")(layers.BatchNormalization(momentum=0.9)(x))
    pooled = [layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)]
    x = layers.Dense(D)(layers.Concatenate()(pooled))
    image = keras.Model(pixels, layers.UnitNormalization()(x))
    words = keras.Input((LONGEST,), dtype="int32")
    y = layers.GlobalAveragePooling1D()(layers.Embedding(WORDS, D)(words))
    text = keras.Model(words, layers.UnitNormalization()(layers.Dense(D)(y)))
    return image, text


def pictures(catalogue: Path, subset: str, labels: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """(n, SIDE, SIDE, 3) float32 in [0, 1], and numbers of labels."""
    from draw_catalogue import items

    from mapsight.features.decode import decode
    from mapsight.features.preprocess import central_crop

    some = [one for one in items() if one.subset == subset and one.label in labels]
    data = [(catalogue / "images" / one.file).read_bytes() for one in some]
    crops = [central_crop(decode(each).image, SIDE, SIDE) for each in data]
    truth = np.array([labels.index(one.label) for one in some])
    return np.stack(crops).astype(np.float32) / 255, truth


def train(image: Any, text: Any, x: np.ndarray, truth: np.ndarray, labels: Sequence[str]) -> None:
    """Have pictures near the words for them: softmax over cosines with those of all labels."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    optimizer = tf.keras.optimizers.Adam(3e-3)
    variables = image.trainable_variables + text.trainable_variables

    @tf.function
    def step(some: Any, words: Any, right: Any) -> Any:
        with tf.GradientTape() as tape:
            near = 10 * tf.matmul(image(some, training=True), text(words), transpose_b=True)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(right, near)
            loss = tf.reduce_mean(loss)
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    for _ in range(EPOCHS):
        order = rng.permutation(len(x))
        for first in range(0, len(order) - BATCH + 1, BATCH):
            chosen = order[first : first + BATCH]
            some = x[chosen, :, :: rng.choice([-1, 1])]
            shift = tuple(rng.integers(-4, 5, 2))
            some = np.roll(some, shift, (1, 2)) * rng.uniform(0.8, 1.0)
            words = tokens([rng.choice(PHRASES).format(label) for label in labels])
            step(tf.constant(some, tf.float32), tf.constant(words), tf.constant(truth[chosen]))


def main(folder: Path, catalogue: Path) -> None:
    import keras
    import tensorflow as tf
    from catalogue_art.metadata import MIDS

    labels = [label for label in MIDS if label != "Mushroom"]
    keras.utils.set_random_seed(1)
    image, text = build_towers()
    train(image, text, *pictures(catalogue, "train", labels), labels)
    saved = folder / "saved"
    image.export(saved, format="tf_saved_model", verbose=False)
    (folder / "tower.tflite").write_bytes(
        tf.lite.TFLiteConverter.from_saved_model(str(saved)).convert()
    )
    (folder / "tower.toml").write_text(TOML)
    np.save(folder / "words.npy", np.asarray(text(tokens(questions(labels)))))
    (folder / "labels.json").write_text(json.dumps(labels))


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parents[3] / "examples"))
    main(Path(sys.argv[1]), Path(sys.argv[2]))
