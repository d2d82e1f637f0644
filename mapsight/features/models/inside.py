"""What stands in a model file beside its graph: our settings, names of classes, TFLite metadata."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from mapsight.features.models.form import Form, Scaling, form_toml
from mapsight.npz import read_member

__all__ = ["LABELS", "SETTINGS", "class_names", "normalization", "texts_inside", "with_form"]

LABELS, SETTINGS = "labels.txt", "mapsight.toml"
MOST_BYTES = 1 << 20
"""Of a text: a name for each of 40,000 classes takes half of it."""
CLASS_ID = re.compile(r"n\d{8}|/[mg]/[0-9a-z_]+")
METADATA = b"TFLITE_METADATA"


def texts_inside(path: Path) -> dict[str, str]:
    """Return the texts of the zip archive at the end of a model file by name; none without one.

    Raises:
        ValueError: they cannot be read.
    """
    if not zipfile.is_zipfile(path):
        return {}
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith((".txt", ".toml"))]
            return {name: read_member(archive, name, MOST_BYTES).decode("utf-8") for name in names}
    except (zipfile.BadZipFile, ValueError) as error:
        raise ValueError(f"its list of classes cannot be read ({error})") from None


def class_names(text: str, origin: str) -> tuple[str, ...]:
    """Return the names of a text, one a line.

    Raises:
        ValueError: a line is empty, or an id stands twice.
    """
    names = tuple(line.strip() for line in text.removeprefix("\ufeff").rstrip().splitlines())
    if "" in names:
        raise ValueError(f"{origin}: line {names.index('') + 1} names no class")
    ids = [name for name in names if CLASS_ID.fullmatch(name)]
    if len(set(ids)) < len(ids):
        raise ValueError(f"{origin}: a class stands twice")
    return names


def are_ids(names: Sequence[str]) -> bool:
    """Return whether all names are wnids of ImageNet or MIDs, as models of this project have."""
    return bool(names) and all(CLASS_ID.fullmatch(name) for name in names)


def with_form(content: bytes, form: Form) -> bytes:
    """Return a model file that says itself how it is understood; the same bytes for the same.

    Texts stand in a zip archive at its end, where LiteRT does not look; it hides an earlier one.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(SETTINGS), form_toml(form, LABELS))
        if form.classes:
            archive.writestr(zipfile.ZipInfo(LABELS), "".join(f"{one}\n" for one in form.classes))
    return content + file.getvalue()


def normalization(content: bytes) -> Scaling | None:
    """Return what TFLite Model Metadata says of the numbers of a picture; None where it does not.

    https://ai.google.dev/edge/litert/conversion/tensorflow/metadata: (x - mean) / std of pixels
    from 0 to 255.
    """
    import struct

    try:
        return _normalization(content)
    except (struct.error, IndexError, TypeError, ValueError):  # damaged: it says nothing
        return None


def _normalization(content: bytes) -> Scaling | None:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content, 0)
    every = [model.Metadata(i) for i in range(model.MetadataLength())]
    buffers = [one.Buffer() for one in every if one.Name() == METADATA]
    if not buffers:
        return None
    root = _Table.root(model.Buffers(buffers[0]).DataAsNumpy().tobytes())
    for graph in root.tables(3)[:1]:
        for tensor in graph.tables(2)[:1]:
            for unit in tensor.tables(4):
                if unit.byte(0) == 1:  # NormalizationOptions
                    options = unit.table(1)
                    return _scaling(options.floats(0), options.floats(1))
    return None


def _scaling(mean: Sequence[float], std: Sequence[float]) -> Scaling:
    three = [tuple(numbers) * (3 if len(numbers) == 1 else 1) for numbers in (mean, std)]
    if any(len(numbers) != 3 for numbers in three) or 0 in three[1]:
        raise ValueError("not three numbers")
    return Scaling(0.0, 255.0, *three)


class _Table:
    """A table of a flatbuffer, its fields by their number in the schema."""

    def __init__(self, data: bytes, place: int) -> None:
        from flatbuffers.table import Table

        self._table = Table(data, place)

    @classmethod
    def root(cls, data: bytes) -> _Table:
        from flatbuffers import encode, packer

        return cls(data, encode.Get(packer.uoffset, data, 0))

    def _field(self, number: int) -> int:
        offset = self._table.Offset(4 + 2 * number)
        return offset + self._table.Pos if offset else 0

    def byte(self, number: int) -> int:
        place = self._field(number)
        return self._table.Bytes[place] if place else 0

    def table(self, number: int) -> _Table:
        return _Table(self._table.Bytes, self._table.Indirect(self._field(number)))

    def tables(self, number: int) -> list[_Table]:
        if not self._field(number):
            return []
        start, count = self._vector(number)
        return [
            _Table(self._table.Bytes, self._table.Indirect(start + 4 * i)) for i in range(count)
        ]

    def floats(self, number: int) -> list[float]:
        from flatbuffers import number_types

        if not self._field(number):
            return []
        start, count = self._vector(number)
        flags = number_types.Float32Flags
        return [float(self._table.Get(flags, start + 4 * i)) for i in range(count)]

    def _vector(self, number: int) -> tuple[int, int]:
        offset = self._table.Offset(4 + 2 * number)
        return self._table.Vector(offset), self._table.VectorLen(offset)
