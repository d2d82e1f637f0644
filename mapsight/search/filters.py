"""Which rows of the index may answer a query, decided before they are ranked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["ANY", "EVERYTHING", "RowFilter", "filter_of"]

ANY = ""


@dataclass(frozen=True)
class RowFilter:
    """What a picture must be; an empty text or 0 asks for nothing.

    Args:
        label: its predicted label.
        style: photo or drawing, as predicted.
        min_ppi: the least pixels per inch.
        license: a part of its license's address.
        subset: the subset it comes from.
        not_labels: predicted labels that it must not have.
        not_classes: likeliest classes, as `top_label` has them, that it must not have.
        flag: bits of flags of which it has one (mapsight/labels/flags.py).
        without_flag: bits of flags of which it has none.
    """

    label: str = ANY
    style: str = ANY
    min_ppi: float = 0.0
    license: str = ANY
    subset: str = ANY
    not_labels: tuple[str, ...] = ()
    not_classes: tuple[str, ...] = ()
    flag: int = 0
    without_flag: int = 0

    @property
    def told_by_cells(self) -> bool:
        """Whether the table of cells says how many rows of each cell fit."""
        facts = (self.min_ppi, self.license, self.subset, self.flag, self.without_flag)
        return not any((*facts, self.not_labels, self.not_classes))

    def mask(self, batch: pa.RecordBatch | pa.Table) -> np.ndarray:
        """Which rows fit: (n,) bool. What is not known of a row does not fit."""
        mask = np.ones(batch.num_rows, bool)
        for name in ("label", "style", "subset"):
            if value := getattr(self, name):
                mask &= _known(pc.equal(batch.column(name), value))
        for name, values in (("label", self.not_labels), ("top_label", self.not_classes)):
            if values:
                mask &= ~_known(pc.is_in(batch.column(name), pa.array(values, pa.string())))
        if self.min_ppi:
            mask &= _known(pc.greater_equal(batch.column("ppi"), self.min_ppi))
        if self.license:
            mask &= _known(pc.match_substring(batch.column("license"), self.license))
        if self.flag:
            mask &= self._flags(batch, self.flag) > 0
        if self.without_flag:
            mask &= self._flags(batch, self.without_flag) == 0
        return mask

    @staticmethod
    def _flags(batch: pa.RecordBatch | pa.Table, bits: int) -> np.ndarray:
        """Return the flags of rows that are among some: (n,) int32, -1 where not known."""
        if "flags" not in batch.schema.names:
            return np.full(batch.num_rows, -1)
        some = pc.bit_wise_and(batch.column("flags"), pa.scalar(bits, pa.int32()))
        return np.asarray(some.fill_null(-1))


def _known(values: pa.Array | pa.ChunkedArray) -> np.ndarray:
    known = values.fill_null(False)
    return known.to_numpy() if isinstance(known, pa.ChunkedArray) else known.to_numpy(False)


def filter_of(fields: Mapping[str, Any]) -> RowFilter:
    """Return a filter of its fields as JSON has them."""
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    return RowFilter(**{**fields, **lists})


EVERYTHING = RowFilter()
