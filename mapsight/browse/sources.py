"""Where the facts of pictures come from: predictions, records of additions, rows of the index."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mapsight.browse.layout import FACTS, FORM, MILLIONTHS, NO_CELL, Part
from mapsight.files import fingerprint
from mapsight.index.collection import Collection
from mapsight.labels.flags import LOOKED, bits_of
from mapsight.records import is_picture
from mapsight.results.predictions import records_of
from mapsight.results.tables import DUPLICATES_SCHEMA, read_csv_table
from mapsight.search.search_index import SearchIndex
from mapsight.storage.uri import open_uri
from mapsight.workspace.stage_facts import PictureCounts
from mapsight.workspace.workspace import Workspace, is_current

__all__ = ["Sources"]

BATCH = 4096
PREDICTIONS = "predictions.parquet"
LABEL_SCORE = "label_score"


class Sources:
    """One state of a workspace, of which columns are made.

    Args:
        workspace: that is open.
        index: its index with what was added and removed; None where it has none.
        collection: the workspaces of its parts, and what was removed.
    """

    def __init__(
        self, workspace: Workspace, index: SearchIndex | None, collection: Collection
    ) -> None:
        self._workspace, self._index = workspace, index
        self.collection = collection

    def _merged(self) -> dict[str, Any] | None:
        """Return the document of predictions of the pictures of the index, if it is there.

        A run that goes on has made the index anew before it has come to its predictions.
        """
        merged = self._workspace.sound("merge")
        if merged is None or self._index is None:
            return merged
        same = merged["inputs"].get("index") == self._index.parts[0].digest
        return merged if same else None

    def _duplicates(self) -> dict[str, Any] | None:
        document = self._workspace.committed("duplicates")
        current = document is not None and is_current(self._workspace, document)
        return document if current else None

    @property
    def digest(self) -> str:
        """Return a digest that changes with anything that is read here."""
        made = [one["digest"] if one else None for one in (self._merged(), self._duplicates())]
        removals = self.collection.changes.removals
        alone = removals.sha256 if removals else None
        return fingerprint([FORM, self._index.digest if self._index else alone, *made])

    @property
    def pictures(self) -> int:
        """Return about how many pictures there are."""
        if self._index is not None:
            return self._index.rows
        extract = self._workspace.committed("extract")
        return PictureCounts.of(extract).extracted if extract else 0

    def parts(self, given: Mapping[int, pa.Array]) -> Iterator[Part]:
        """Yield which pictures there are, hidden ones too; without an index, those of the facts.

        Args:
            given: the ids of `facts` by part.
        """
        if self._index is None:
            ids = given[0]
            yield Part(0, ids, np.full(len(ids), NO_CELL, np.uint16), np.zeros(len(ids), bool))
            return
        for part in self._index.parts:
            tables = [part.ids(bucket) for bucket in range(part.facts.buckets)]
            table = pa.concat_tables(tables)
            ids = table.column("image_id").cast(pa.large_string()).combine_chunks()
            cells = table.column("cell").to_numpy().astype(np.uint16)
            yield Part(part.number, ids, cells, _odd(table))

    def facts(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield (part, rows in the form of FACTS). Memory: a batch, and a row group."""
        for number, workspace in self.collection.parts.items():
            batches = _of_records(workspace) if number else self._of_base()
            yield from ((number, _in_form(batch)) for batch in batches)

    def _of_base(self) -> Iterator[pa.RecordBatch]:
        if self._merged() is not None:
            files = self._workspace.sound_table("merge", PREDICTIONS)
            yield from itertools.chain.from_iterable(map(_of_table, files))
        elif self._index is not None:
            blocks = (block for block in self._index.every_block() if not block.part)
            for _, batch in self._index.batches(blocks):
                names = [LABEL_SCORE, *set(FACTS.names) & set(batch.schema.names)]
                some = batch.select(names)
                yield some.rename_columns(["score", *names[1:]])

    def duplicates(self) -> pa.Table:
        """Return the rows of duplicates.csv; none where nobody looked among these pictures."""
        if self._duplicates() is None:
            return DUPLICATES_SCHEMA.empty_table()
        (address,) = self._workspace.sound_parts("duplicates", "/duplicates.csv")
        return read_csv_table(address, DUPLICATES_SCHEMA)


def _of_table(address: str) -> Iterator[pa.RecordBatch]:
    """Yield the rows of predictions. Memory: a row group, and a batch."""
    with open_uri(address) as file:
        table = pq.ParquetFile(file, pre_buffer=False, page_checksum_verification=True)
        columns = [name for name in FACTS.names if name in table.schema_arrow.names]
        yield from table.iter_batches(BATCH, columns=columns)


def _of_records(workspace: Workspace) -> Iterator[pa.RecordBatch]:
    """Yield the pictures that a workspace has classified, as batches."""
    records = records_of(workspace.sound_parts("classify"))
    pictures = (
        {"image_id": key, **one, **_numbers(one)} for key, one in records if is_picture(one)
    )
    while some := list(itertools.islice(pictures, BATCH)):
        yield pa.RecordBatch.from_pylist(some, FACTS)


def _numbers(record: Mapping[str, Any]) -> dict[str, int | None]:
    """Return flags and quality as columns have them; None where a record of before has none."""
    flags, quality = record.get("flags"), record.get("quality")
    return {
        "flags": None if flags is None else bits_of(flags) | LOOKED,
        "quality": None if quality is None else round(quality * MILLIONTHS) + 1,
    }


def _odd(table: pa.Table) -> np.ndarray:
    """Return which pictures are odd for their label: (n,) bool; an older index knows none."""
    if "odd" not in table.column_names:
        return np.zeros(len(table), bool)
    return table.column("odd").to_numpy()


def _bits(lists: pa.Array) -> pa.Array:
    """Return lists of flags as bits, and LOOKED of those that are not null; int64."""
    bits = np.where(lists.is_valid().to_numpy(zero_copy_only=False), LOOKED, 0)
    names, codes = lists.flatten().dictionary_encode(), pc.list_parent_indices(lists).to_numpy()
    each = np.array([bits_of([name]) for name in names.dictionary.to_pylist()], np.int64)
    if len(codes):
        np.bitwise_or.at(bits, codes, each[names.indices.to_numpy()])
    return pa.array(bits)


def _in_form(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with the columns of FACTS, null where it has none."""
    there = set(batch.schema.names)
    columns: Iterable[pa.Array] = (
        _cast(batch.column(field.name), field)
        if field.name in there
        else pa.nulls(batch.num_rows, field.type)
        for field in FACTS
    )
    return pa.RecordBatch.from_arrays(list(columns), schema=FACTS)


def _cast(column: pa.Array, field: pa.Field) -> pa.Array:
    if field.name == "flags" and pa.types.is_list(column.type):
        return _bits(column)
    if field.name == "quality" and pa.types.is_floating(column.type):
        return pc.add(pc.round(pc.multiply(column, MILLIONTHS)), 1).cast(field.type)
    return column.cast(field.type)
