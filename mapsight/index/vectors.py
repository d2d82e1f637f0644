"""From joined feature records to rows of the index: features become new features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.index.oddness import LabelSums
from mapsight.index.rows import ENDING, batch_of, row_schema, vectors_of
from mapsight.labels.classify import Classifier
from mapsight.labels.flags import bits_of
from mapsight.labels.head import Head
from mapsight.records import decode_embedding, is_picture
from mapsight.storage.new_file import new_file

__all__ = ["RowsFile", "batch_of_records", "vectors_for"]

BATCH = 1024

Records = list[tuple[str, Mapping[str, Any]]]


def vectors_for(x: np.ndarray, head: Head | None) -> np.ndarray:
    """The new features of embeddings: (n, d) int16 to (n, D) int16; without a head the same."""
    return x if head is None else head.new_features(x)


def batch_of_records(records: Records, classifier: Classifier) -> pa.RecordBatch:
    """The rows of some (image_id, joined record), labelled."""
    x = np.stack([decode_embedding(record["embedding"]) for _, record in records])
    vectors = vectors_for(x, classifier.head)
    predictions = [classifier.predict(record) for _, record in records]
    fields = [
        {**one, "label_score": one["score"], "flags": bits_of(one["flags"])} for one in predictions
    ]
    ids = [image_id for image_id, _ in records]
    return batch_of(ids, vectors, fields, row_schema(vectors.shape[1], x.shape[1]))


class RowsFile:
    """Writes the rows of records to a new file, a batch of pictures in memory at a time.

    `sums` has those of their vectors by label.

    Args:
        folder: folder or URI.
        classifier: says what pictures show, and has the head that makes new features.
    """

    def __init__(self, folder: str, classifier: Classifier) -> None:
        self._folder, self._classifier = folder, classifier
        self._some: Records = []
        self.sums = LabelSums()
        self._file: Any = None
        self._writer: Any = None
        self.name, self.rows = "", 0

    def add(self, image_id: str, record: Mapping[str, Any]) -> None:
        """Add a picture; rejected ones and orphans are passed over."""
        if not is_picture(record):
            return
        self._some.append((image_id, record))
        if len(self._some) == BATCH:
            self._flush()

    def _flush(self) -> None:
        batch = batch_of_records(self._some, self._classifier)
        self._some = []
        if self._writer is None:
            self.name, self._file = new_file(self._folder, "rows", ENDING)
            self._writer = pa.ipc.new_stream(self._file, batch.schema)
        self._writer.write_batch(batch)
        self.sums.add(batch.column("label").to_pylist(), vectors_of(batch))
        self.rows += batch.num_rows

    def close(self) -> None:
        """Write what is left; without rows there is no file."""
        if self._some:
            self._flush()
        if self._writer:
            self._writer.close()
            self._file.close()
