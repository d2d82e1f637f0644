"""The columns of listings and of packed shards."""

import pyarrow as pa

from mapsight.records import PROVENANCE

__all__ = ["IMAGE_SCHEMA", "LISTING_SCHEMA", "URL_SCHEMA"]

LISTING_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("uri", pa.binary(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("ordinal", pa.int64(), nullable=False),
        *(pa.field(name, pa.string()) for name in PROVENANCE),
    ]
)

URL_SCHEMA = pa.schema(
    [
        *LISTING_SCHEMA,
        pa.field("original_bytes", pa.int64()),
        pa.field("original_md5", pa.string()),
    ]
)

IMAGE_SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.string(), nullable=False),
        pa.field("image", pa.binary()),
        pa.field("source", pa.string(), nullable=False),
        pa.field("ordinal", pa.int64()),
        *(pa.field(name, pa.string()) for name in PROVENANCE),
        pa.field("error", pa.string()),
        pa.field("detail", pa.string()),
    ]
)
