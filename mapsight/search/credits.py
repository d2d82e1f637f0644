"""Titles, authors, licences and addresses of pictures, from a copy on this machine."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from mapsight.index.copies import Copies, Copy
from mapsight.index.mapped import DamagedError, MappedBatches, write_batches
from mapsight.results.parquet_tables import find_predictions, stream_parquet
from mapsight.workspace.documents import of_table
from mapsight.workspace.workspace import Workspace

__all__ = ["CREDITS", "TABLE", "CopiedCredits", "Lookup", "give_credit", "known_predictions"]

TABLE = "predictions.parquet"
CREDITS = ("title", "author", "license", "original_url")
CREDIT_ROWS = "credits.arrow"
BATCH = 4096
KNOWN_BATCHES = 256
COLUMNS = ("image_id", *CREDITS)


Lookup = Callable[[Collection[str], Sequence[str]], Mapping[str, Mapping[str, Any]]]
"""Gives columns of the results by image_id: `known_predictions` of a workspace, CopiedCredits."""


def give_credit(answers: Sequence[dict[str, Any]], lookup: Lookup) -> None:
    """Add title, author, licence and address to answers, where the results have them."""
    ours = [row["image_id"] for row in answers if not row.get("part")]
    credits = lookup(ours, CREDITS)
    for row in answers:
        credit = {} if row.get("part") else credits.get(row["image_id"], {})
        row.update({name: credit.get(name) or row.get(name) for name in CREDITS})


def known_predictions(
    workspace: Workspace, image_ids: Collection[str], columns: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Return columns of the results, by image_id; nothing where these are of other pictures."""
    merged, extract = workspace.sound("merge"), workspace.sound("extract")
    # a later run may have extracted other pictures and gone no further
    if not (image_ids and merged and extract and merged["inputs"]["extract"] == extract["digest"]):
        return {}
    return find_predictions(workspace.sound_table("merge", TABLE), image_ids, columns)


class CopiedCredits:
    """What `known_predictions` says of credits, without reading the table for every query.

    Rows are in the order of their ids, those that say nothing left out. Memory: some batches'
    places.

    Args:
        workspace: that has results, or has none.
        copies: where copies are kept.
    """

    def __init__(self, workspace: Workspace, copies: Copies) -> None:
        self._reader: Any = None
        self._workspace = workspace
        merged, extract = workspace.sound("merge"), workspace.sound("extract")
        if not (merged and extract and merged["inputs"]["extract"] == extract["digest"]):
            return
        workspace.parts("merge")
        size = sum(part["bytes"] for part in of_table(merged["parts"], TABLE))
        self._copy = Copy(partial(copies.opened, "credits", merged["digest"], size, self._make))
        self._copy.read(self._map)
        self._batch = lru_cache(KNOWN_BATCHES)(self._touched)

    def _map(self, folder: Path) -> None:
        self._reader = MappedBatches(folder / CREDIT_ROWS)

    def _touched(self, number: int) -> pa.RecordBatch:
        try:
            return self._reader.get_batch(number)
        except DamagedError:
            self._copy.again(self._map)
            return self._reader.get_batch(number)

    def _make(self, folder: Path) -> dict[str, Any]:
        files = self._workspace.sound_table("merge", TABLE)
        rows = _telling(stream_parquet(files, BATCH, COLUMNS))
        return {"batches": write_batches(folder / CREDIT_ROWS, rows)}

    def __call__(
        self, image_ids: Collection[str], columns: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """Some of CREDITS of pictures, by image_id; those that say nothing are left out."""
        if self._reader is None:
            return {}
        found = {}
        for image_id in set(image_ids):
            row = self._row(image_id)
            if row:
                found[image_id] = {name: row[name] for name in columns}
        return found

    def _row(self, image_id: str) -> dict[str, Any] | None:
        number = bisect_right(range(self._reader.num_record_batches), image_id, key=self._first) - 1
        if number < 0:
            return None
        batch = self._batch(number)
        ids = batch.column("image_id")
        place = bisect_right(range(len(ids)), image_id, key=lambda i: ids[i].as_py()) - 1
        if place < 0 or ids[place].as_py() != image_id:
            return None
        return {name: batch.column(name)[place].as_py() for name in CREDITS}

    def _first(self, number: int) -> str:
        return self._batch(number).column("image_id")[0].as_py()


def _telling(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the rows that say something of credits.

    Raises:
        ValueError: they are not in the order of their ids.
    """
    last = ""
    for batch in batches:
        ids = batch.column("image_id").to_pylist()
        if ids != sorted(ids) or (ids and ids[0] < last):
            raise ValueError(
                "predictions.parquet is not sorted by image_id; run with --force merge"
            )
        last = ids[-1] if ids else last
        known = pa.compute.is_valid(batch.column(CREDITS[0]))
        for name in CREDITS[1:]:
            known = pa.compute.or_(known, pa.compute.is_valid(batch.column(name)))
        some = batch.filter(known).select(list(COLUMNS))
        if some.num_rows:
            yield some
