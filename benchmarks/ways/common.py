"""What the ways share: pictures in, crops as the model wants them, labels out.

Every way gets the decoder and the crop of `mapsight`, so that they differ in
how they run the model and move the data, and in nothing else.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.features.decode import decode
from mapsight.features.preprocess import central_crop

__all__ = ["ALPHA", "BATCH", "RESOLUTION", "batches", "crop_of", "keras_model", "options", "write"]

ALPHA, RESOLUTION = 1.0, 224
BATCH = 32


def options(description: str, *more: str) -> argparse.Namespace:
    """The command line of a way: --pictures, --model, --out, each a path, and `more`."""
    parser = argparse.ArgumentParser(description=description)
    for name in ("pictures", "model", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in more:
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args()


def crop_of(data: bytes, side: int = RESOLUTION) -> np.ndarray:
    """(side, side, 3) uint8 of an encoded picture."""
    return central_crop(decode(data).image, side)


def batches(
    path: Path, size: int = BATCH, groups: Sequence[int] | None = None
) -> Iterator[tuple[list[str], list[bytes]]]:
    """Ids and encoded pictures of a Parquet file, `size` at a time."""
    file = pq.ParquetFile(path)
    for batch in file.iter_batches(size, row_groups=groups, columns=["image_id", "image"]):
        yield batch.column("image_id").to_pylist(), batch.column("image").to_pylist()


def keras_model(weights: str | Path, threads: int | None = None) -> Any:
    """MobileNet in Keras: (n, 224, 224, 3) floats in [-1, 1] to probabilities and embeddings.

    Args:
        threads: of TensorFlow, within and between operations; None leaves its default.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow

    from mapsight.features.keras_build import build_keras

    if threads:
        tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
        tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    return build_keras(ALPHA, RESOLUTION, Path(weights))


def write(out: Path, ids: list[str], labels: list[int], embeddings: list[np.ndarray]) -> None:
    """Ids, top-1 classes and embeddings as one Parquet file below the folder `out`."""
    out.mkdir(parents=True, exist_ok=True)
    columns = {
        "image_id": pa.array(ids),
        "label": pa.array(labels, pa.int32()),
        "embedding": pa.array([row.astype("float32") for row in embeddings]),
    }
    pq.write_table(pa.table(columns), out / f"part-{os.getpid()}.parquet")
