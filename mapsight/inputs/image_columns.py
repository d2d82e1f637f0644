"""Which column of a Parquet file holds pictures, and what to say where none does."""

from __future__ import annotations

import pyarrow as pa

from mapsight.inputs.provenance import field_of

__all__ = ["holds_bytes", "image_column"]

IMAGE_COLUMNS = ("image", "jpg", "jpeg", "png", "bytes", "content", "image_bytes")
SHOWN = 30
BINARY = ("binary", "large_binary", "binary_view", "fixed_size_binary")
LISTS = ("list", "large_list", "fixed_size_list", "list_view", "large_list_view")
TEXT = ("string", "large_string", "string_view")


def image_column(schema: pa.Schema, wanted: str | None = None) -> str:
    """Return the column that holds the pictures: binary, or a struct with `bytes`.

    Raises:
        ValueError: there is none, or `wanted` is not one; the columns are named, and
            what is to be done.
    """
    candidates = [wanted] if wanted else [name for name in IMAGE_COLUMNS if name in schema.names]
    for name in candidates:
        if schema.names.count(name) == 1 and holds_bytes(schema.field(name).type):
            return name
    columns = [f"{column.name[:60]} ({str(column.type)[:80]})" for column in schema]
    more = [f"{len(columns) - SHOWN} more"] if len(columns) > SHOWN else []
    what = f"no column {wanted!r} with pictures" if wanted else "no column with pictures"
    listed = ", ".join([*columns[:SHOWN], *more])
    raise ValueError(f"{what}: {_advice(schema, wanted)} (columns: {listed})")


def _advice(schema: pa.Schema, wanted: str | None) -> str:
    """Return what a file without a usable column holds instead, and what to do about it."""
    if wanted and schema.names.count(wanted) > 1:
        return "two columns have this name; rename one"
    usable = [c.name for c in schema if holds_bytes(c.type) and schema.names.count(c.name) == 1]
    if usable:
        return f"name one with --image-column: {', '.join(usable[:5])}"
    looked_at = [schema.field(wanted)] if wanted in schema.names else list(schema)
    if any(_is(c.type, LISTS) and holds_bytes(c.type.value_type) for c in looked_at):
        return "lists of pictures are not read; write a row for each picture"
    if any(_is(c.type, TEXT) and field_of(c.name) == "original_url" for c in schema):
        return "Parquet lists of URLs are not read; write the column of URLs as CSV and name that"
    if any(_is(c.type, TEXT) for c in looked_at):
        return "texts, as paths and base64, are not read; write the pictures' bytes as binary"
    return "no column is binary; write the pictures' bytes as binary"


def _is(kind: pa.DataType, names: tuple[str, ...]) -> bool:
    tests = (getattr(pa.types, f"is_{name}", None) for name in names)
    return any(test(kind) for test in tests if test)


def holds_bytes(kind: pa.DataType) -> bool:
    """Return whether a type is binary, also as a dictionary, or a struct with such `bytes`."""
    if pa.types.is_struct(kind):
        return any(part.name == "bytes" and holds_bytes(part.type) for part in kind)
    if pa.types.is_dictionary(kind):
        return holds_bytes(kind.value_type)
    return _is(kind, BINARY)
