"""Ray Data: two actors that each hold the LiteRT model, Parquet in and out."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from benchmarks.ways.common import BATCH, crop_of, options

CORES = 2


class Labeller:
    """An actor: loads the model once, labels batches."""

    def __init__(self, model: str) -> None:
        from mapsight.features.models.image_model import ImageModel

        self._model = ImageModel(model)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        found = [self._model.predict(crop_of(data)) for data in batch["image"]]
        return {
            "image_id": batch["image_id"],
            "label": np.array([row.argmax() for row, _ in found], np.int32),
            "embedding": np.stack([embedding for _, embedding in found]),
        }


def main() -> None:
    """Label every picture."""
    chosen = options("Ray Data with LiteRT")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import ray

    from benchmarks.ways.ray_data import Labeller as Actor  # its importable name, for the workers

    # one slot more than cores: the actors hold two for good, reading needs another
    ray.init(
        num_cpus=CORES + 1,
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        log_to_driver=False,
        object_store_memory=512 << 20,
    )
    table = ray.data.read_parquet(str(chosen.pictures), columns=["image_id", "image"])
    found = table.map_batches(
        Actor,
        fn_constructor_args=[str(chosen.model)],
        batch_size=BATCH,
        num_cpus=1,
        concurrency=CORES,
    )
    found.write_parquet(str(chosen.out))
    ray.shutdown()


if __name__ == "__main__":
    main()
