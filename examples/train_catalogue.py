"""Trains the model of the bundled catalogue: MobileNet v1 0.25 on its drawn pictures.

    python examples/train_catalogue.py

It learns from the pictures of the train subset alone, from scratch; those of the validation
subset choose among its states; those of the test subset, and fresh ones drawn with another
seed, are measured on once. It writes `catalogue/model.tflite`, a LiteRT file with its classes
inside, and `catalogue/model.json`, which tells how it came about. Needs TensorFlow
(`mapsight[model]`) and about ten minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from catalogue_art.metadata import MIDS
from catalogue_variants import small, varied
from draw_catalogue import SEED, Item, draw_catalogue, draw_in_processes, items
from PIL import Image

from mapsight.features.keras_build import digest_of, flatbuffer
from mapsight.features.models.image_model import ImageModel
from mapsight.features.models.inside import LABELS
from mapsight.features.preprocess import central_crop, to_model_input, to_rgb

HERE = Path(__file__).resolve().parent
ALPHA, SIDE, BATCH, LEARNING_RATE = 0.25, 128, 32, 0.004
FRESH_SEED, FRESH_EACH = "fresh drawings", 50
CLASSES = list(MIDS)


@dataclass(frozen=True)
class Example:
    """A picture to learn from or to be measured on."""

    picture: Image.Image
    label: str
    photo: bool


def examples(folder: Path, some: Iterable[Item]) -> list[Example]:
    """Pictures of a drawn catalogue."""
    found = []
    for item in some:
        with Image.open(folder / item.file) as image:
            picture = to_rgb(image)
            picture.load()
        found.append(Example(picture, item.label, item.photo))
    return found


def build() -> tuple[Any, Any]:
    """(classifier, the same with its pooled embedding as a second output), untrained."""
    import keras

    net = keras.applications.MobileNet(
        input_shape=(SIDE, SIDE, 3), alpha=ALPHA, weights=None, include_top=False
    )
    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.95  # few steps an epoch
    pooled = keras.layers.GlobalAveragePooling2D()(net.output)
    dropped = keras.layers.Dropout(0.2)(pooled)
    classes = keras.layers.Dense(len(CLASSES), activation="softmax")(dropped)
    return keras.Model(net.input, classes), keras.Model(net.input, [classes, pooled])


def batches(
    train: Sequence[Example], epochs: int, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Random variants of the pictures, each of them once an epoch."""
    rng = np.random.default_rng(seed)
    pictures = [small(example.picture) for example in train]
    truth = np.eye(len(CLASSES), dtype=np.float32)[
        [CLASSES.index(example.label) for example in train]
    ]
    for _ in range(epochs):
        order = rng.permutation(len(train))
        for some in np.array_split(order, max(1, len(order) // BATCH)):
            x = np.concatenate([to_model_input(varied(pictures[i], SIDE, rng)) for i in some])
            yield x, truth[some] * 0.92 + 0.08 / len(CLASSES)


def crops(some: Sequence[Example]) -> np.ndarray:
    """What the model gets of pictures, (n, SIDE, SIDE, 3) float32."""
    found = [to_model_input(central_crop(example.picture, SIDE)) for example in some]
    return np.concatenate(found)


def truth_of(some: Sequence[Example]) -> np.ndarray:
    """The class numbers of pictures, (n,) int."""
    return np.array([CLASSES.index(example.label) for example in some])


def train(
    learn: Sequence[Example], choose: Sequence[Example], epochs: int, seed: int
) -> tuple[Any, int]:
    """(model with both outputs, the epoch it is of) as `choose` likes it best."""
    import keras

    keras.utils.set_random_seed(seed)
    classifier, model = build()
    each = max(1, len(learn) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, epochs * each, 0.01, warmup_target=LEARNING_RATE, warmup_steps=epochs * each // 20
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-3)
    classifier.compile(optimizer, "categorical_crossentropy")
    x, truth = crops(choose), truth_of(choose)
    best: tuple[tuple[float, float], int, Any] = ((-1.0, 0.0), 0, None)
    for step, (pictures, labels) in enumerate(batches(learn, epochs, seed), 1):
        loss = classifier.train_on_batch(pictures, labels)
        epoch, rest = divmod(step, each)
        if rest or (epoch % 10 and epoch != epochs):
            continue
        p = classifier.predict(x, verbose=0)
        right = float((p.argmax(1) == truth).mean())
        surety = float(np.log(p[np.arange(len(truth)), truth] + 1e-9).mean())
        sys.stderr.write(f"epoch {epoch}: loss {float(loss):.3f}, validation {right:.3f}\n")
        if (right, surety) > best[0]:
            best = (right, surety), epoch, classifier.get_weights()
    classifier.set_weights(best[2])
    return model, best[1]


def with_classes(content: bytes) -> bytes:
    """A flatbuffer with the list of its classes in a zip archive at its end."""
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        text = "".join(f"{MIDS[label]}\n" for label in CLASSES)
        archive.writestr(zipfile.ZipInfo(LABELS), text)
    return file.getvalue()


def measure(model: ImageModel, some: Sequence[Example]) -> tuple[dict[str, Any], np.ndarray]:
    """What a model file makes of pictures: counts of right ones, and embeddings (n, d)."""
    outputs = [model.predict(central_crop(example.picture, SIDE)) for example in some]
    right = np.array([p.argmax() for p, _ in outputs]) == truth_of(some)

    def share(kept: list[bool]) -> dict[str, Any]:
        n, correct = sum(kept), int(right[kept].sum())
        return {"n": n, "correct": correct, "accuracy": round(correct / n, 4)}

    def where(label: str, *photo: bool) -> list[bool]:
        return [e.label in (label or e.label) and e.photo in photo for e in some]

    found = share([True] * len(some))
    found["by_style"] = {"photo": share(where("", True)), "drawing": share(where("", False))}
    found["by_label"] = {label: share(where(label, True, False)) for label in CLASSES}
    return found, np.stack([embedding for _, embedding in outputs])


def neighbours(embeddings: np.ndarray, some: Sequence[Example], queries: slice) -> float:
    """The share of queries whose nearest other picture by cosine shows the same animal."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -2)
    truth = truth_of(some)
    return round(float((truth[cosine.argmax(1)] == truth)[queries].mean()), 4)


def report(path: Path, subsets: dict[str, list[Example]]) -> dict[str, Any]:
    """The figures of a model file: on validation, test and fresh pictures."""
    model = ImageModel(path)
    order = [*subsets["test"], *subsets["validation"], *subsets["train"]]
    embeddings = measure(model, order)[1]
    found = {name: measure(model, subsets[name])[0] for name in ("validation", "test", "fresh")}
    of_test = neighbours(embeddings, order, slice(len(subsets["test"])))
    return {**found, "test_nearest_neighbour_has_same_label": of_test}


def fresh_examples(folder: Path) -> list[Example]:
    """Pictures that are in no catalogue, drawn with a seed of their own."""
    todo = [
        Item(label, number, number % 2 == 0, "fresh", FRESH_SEED)
        for label in CLASSES
        for number in range(FRESH_EACH)
    ]
    draw_in_processes(todo, folder)
    return examples(folder, todo)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=HERE / "catalogue")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mapsight-") as scratch:
        drawn = Path(scratch) / "catalogue"
        draw_catalogue(drawn)
        subsets: dict[str, list[Example]] = {}
        for subset in ("train", "validation", "test"):
            own = [item for item in items() if item.subset == subset]
            subsets[subset] = examples(drawn / "images", own)
        learned = [drawn / "images" / item.file for item in items() if item.subset == "train"]
        model, epoch = train(subsets["train"], subsets["validation"], options.epochs, options.seed)
        content = with_classes(flatbuffer(model))
        options.out.mkdir(exist_ok=True)
        path = options.out / "model.tflite"
        path.write_bytes(content)
        (Path(scratch) / "fresh").mkdir()
        subsets["fresh"] = fresh_examples(Path(scratch) / "fresh")
        document = {
            "what": "MobileNet v1, trained from scratch on the drawn catalogue's train subset",
            "alpha": ALPHA,
            "resolution": SIDE,
            "classes": MIDS,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "training": {
                "pictures": len(subsets["train"]),
                "seed": options.seed,
                "epochs": options.epochs,
                "chosen_epoch": epoch,
            },
            "drawing": {"seed": SEED, "train_pictures_sha256": digest_of(sorted(learned))},
            "versions": {n: version(n) for n in ("tensorflow", "keras", "numpy", "pillow")},
            **report(path, subsets),
        }
    text = json.dumps(document, indent=1) + "\n"
    path.with_suffix(".json").write_text(text, encoding="utf-8")
    sys.stderr.write(text)


if __name__ == "__main__":
    main()
