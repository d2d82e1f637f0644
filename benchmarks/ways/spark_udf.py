"""PySpark on two local cores: a pandas UDF with Keras `predict`, Parquet in and out.

The model is built once for each Python worker, which Spark keeps. TensorFlow
has one thread in each, because there are as many workers as cores.
"""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from typing import Any

from benchmarks.ways.common import BATCH, crop_of, keras_model, options

CORES = 2


@lru_cache(maxsize=1)
def _model(weights: str) -> Any:
    return keras_model(weights, threads=1)


def _label(images: Any, weights: str) -> Any:
    """A batch of encoded pictures (a pandas Series) as a DataFrame of labels and embeddings."""
    import numpy as np
    import pandas as pd

    crops = np.stack([crop_of(bytes(data)) for data in images]).astype(np.float32)
    probabilities, found = _model(weights).predict(crops / 127.5 - 1, batch_size=BATCH, verbose=0)
    return pd.DataFrame({"label": probabilities.argmax(axis=1), "embedding": list(found)})


def _session(size: int) -> Any:
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "2g",
        "spark.sql.execution.arrow.maxRecordsPerBatch": 2 * BATCH,
        # two partitions a core: Spark would make one of so small a file
        "spark.sql.files.maxPartitionBytes": -(-size // (2 * CORES)),
        "spark.sql.files.openCostInBytes": 0,
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master(f"local[{CORES}]").appName("benchmark")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def main() -> None:
    """Label every picture; --model is the weights file."""
    chosen = options("PySpark, pandas UDF, Keras predict")
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    from pyspark.sql.functions import pandas_udf

    # by its importable name, so that a worker keeps the model between partitions
    from benchmarks.ways import spark_udf as here

    weights, spark = str(chosen.model), _session(chosen.pictures.stat().st_size)
    label = pandas_udf(
        lambda images: here._label(images, weights), "label int, embedding array<float>"
    )
    table = spark.read.parquet(str(chosen.pictures))
    found = table.select("image_id", label("image").alias("found"))
    found.select("image_id", "found.*").write.parquet(str(chosen.out))
    spark.stop()


if __name__ == "__main__":
    main()
