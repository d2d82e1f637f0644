"""Decode, crop and LiteRT model in one process and thread: what cannot be left out.

`own-PART.json` tells its seconds without start-up, reading and writing.
"""

from __future__ import annotations

import json
import time

import pyarrow.parquet as pq

from benchmarks.ways.common import batches, crop_of, options, write
from mapsight.features.models.image_model import ImageModel


def main() -> None:
    """Every `of`-th row group from the `part`-th one on."""
    chosen = options("Decode + crop + LiteRT on one core", "part", "of")
    model = ImageModel(chosen.model)
    groups = range(pq.read_metadata(chosen.pictures).num_row_groups)
    ids, labels, embeddings, seconds = [], [], [], 0.0
    for some, pictures in batches(
        chosen.pictures, groups=groups[int(chosen.part) :: int(chosen.of)]
    ):
        started = time.perf_counter()
        for data in pictures:
            probabilities, embedding = model.predict(crop_of(data, model.resolution))
            labels.append(int(probabilities.argmax()))
            embeddings.append(embedding)
        seconds += time.perf_counter() - started
        ids += some
    write(chosen.out, ids, labels, embeddings)
    own = {"pictures": len(ids), "seconds": seconds}
    (chosen.out / f"own-{chosen.part}.json").write_text(json.dumps(own))


if __name__ == "__main__":
    main()
