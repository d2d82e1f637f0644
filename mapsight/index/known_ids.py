"""Which pictures an index has already: ids compared bucket by bucket.

The files of ids of a part are buckets by hash (`mapsight.index.build.bucket_of`). The pictures
to be compared are sorted into buckets too, of which each meets the files that overlap it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.compute as pc

from mapsight.index.build import bucket_of
from mapsight.index.removed_ids import IdList
from mapsight.index.rows import order_of, read_batches

__all__ = ["KnownPlan", "files_of", "known_among"]


@dataclass(frozen=True)
class KnownPlan:
    """Into how many `buckets` to sort, and (number, files of ids) of each part of the index."""

    buckets: int
    parts: Sequence[tuple[int, Sequence[str]]]

    def to_json(self) -> str:
        """The plan as text."""
        return json.dumps(asdict(self))

    def bucket(self, image_id: str) -> int:
        """The bucket of a picture."""
        return bucket_of(order_of(image_id), self.buckets)


def files_of(bucket: int, buckets: int, files: Sequence[str]) -> Sequence[str]:
    """The files of ids, of as many buckets as there are files, that overlap a bucket of others.

    >>> files_of(1, 2, ["a", "b", "c"])
    ['b', 'c']
    """
    first, last = -(-(bucket << 64) // buckets), -(-((bucket + 1) << 64) // buckets) - 1
    return files[bucket_of(first, len(files)) : bucket_of(last, len(files)) + 1]


def known_among(
    image_ids: Iterable[str], bucket: int, plan: KnownPlan, removed: IdList
) -> Iterator[str]:
    """Those pictures of a bucket that a part of the index has and does not hide, by id.

    Memory: the ids of the bucket, and a file of ids.
    """
    wanted = pa.array(sorted(set(image_ids)), pa.string())
    found = pa.array([False] * len(wanted), pa.bool_())
    for number, files in plan.parts:
        shown = pa.array(~removed.mask(wanted, number))
        for uri in files_of(bucket, plan.buckets, files):
            for batch in read_batches(uri):
                there = pc.is_in(wanted, batch.column("image_id"))
                found = pc.or_(found, pc.and_(there, shown))
    yield from wanted.filter(found).to_pylist()
