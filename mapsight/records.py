"""The records that flow between stages, and how each is written down.

`docs/records.md` explains every field. Here are Split and what records share:
why a picture is rejected, measures to rank by, how vectors are written. The
other fields are named where they are written, those of Feature in
`mapsight.features.extract` and `mapsight.features.measures`.

=============  ==================  =====================================
record         written as          key
=============  ==================  =====================================
Split          JSON line           (one line of a manifest, one map task)
Listing        Parquet row         `image_id` (a loose file, not yet read)
Image          Parquet row         `image_id` (with its encoded bytes)
Feature        JSON line           `image_id`
Annotation     JSON line           `image_id`
Prediction     JSON line           `image_id`
=============  ==================  =====================================
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mapsight.redaction import without_secrets

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "COPY_KINDS",
    "ERROR_CODES",
    "KINDS",
    "MEASURES",
    "ORDINALS_PER_FILE",
    "OTHER",
    "PROVENANCE",
    "Split",
    "decode_embedding",
    "decode_vector",
    "encode_embedding",
    "encode_vector",
    "error_record",
    "is_picture",
]

OTHER = "other"
"""The label of a picture that shows none of the target labels."""

ERROR_CODES: Mapping[str, str] = {
    "bad_shard": "the Parquet file, row group or archive that holds it cannot be read",
    "corrupt": "the picture's data is damaged",
    "decoder_crashed": "the decoder died on it",
    "decoder_timeout": "the decoder did not finish in time",
    "duplicate_id": "another picture with the same image_id came first",
    "empty": "the file has no bytes",
    "no_image": "the row holds no picture",
    "not_an_image": "no picture format that is read; the detail names it where it is known",
    "out_of_memory": "decoding needs more memory than a task may use",
    "too_many_bytes": "the file is larger than the limit",
    "too_many_pixels": "the declared size is larger than the limit",
    "truncated": "the picture ends before its data does",
    "unreadable": "the file cannot be opened or read",
    "url_disallowed": "the server asks programs to leave it alone (robots.txt, X-Robots-Tag)",
    "url_failed": "the server was not reached, broke off or was too slow; the next run asks again",
    "url_gone": "the server says that it has no such picture for us",
    "url_refused": "no address that is allowed",
}
"""Every reason for which a picture can be rejected."""

PROVENANCE = ("original_url", "license", "author", "title", "caption", "subset")
"""Text that travels with a picture where it is known."""

MEASURES = (
    *("ppi", "pixels", "aspect", "bytes", "entropy", "gradient", "sharpness"),
    *("brightness", "contrast", "crispness", "quality"),
)
"""What pictures can be ranked by; docs/measures.md has definitions and units."""

ORDINALS_PER_FILE = 1 << 32
"""A file (an archive, a list of URLs) holds fewer pictures than this."""

COPY_KINDS = ("exact", "near", "mirrored", "turned", "cropped")
"""What a picture of a group of duplicates is beside the one to keep (docs/duplicates.md)."""

KINDS = ("parquet", "files", "tar", "urls")
"""What a split is a share of: rows of Parquet with pictures, of a listing of files,
a whole tar archive, rows of a listing of URLs."""


@dataclass(frozen=True)
class Split:
    """A map task's share of the input: some row groups of one Parquet file, or an archive.

    `uri` is what the task opens and `source` what the user called it ("" for a
    shard or a listing of ours); `kind` is one of KINDS. `first` is the ordinal of
    the first row among all pictures of the run (so that "the first one" of two
    pictures means the same however the input is split), `row` its number in the
    file. Ordinals are the number of the input file times ORDINALS_PER_FILE plus
    the place in it. An archive's `rows` are not known before it is read (0).
    """

    uri: str
    source: str
    row_group: int
    row_groups: int
    rows: int
    bytes: int
    first: int
    row: int = 0
    unreadable: str = ""
    kind: str = "parquet"

    def to_json(self) -> str:
        """The split as one line of a manifest."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, line: str) -> Split:
        """The split that `to_json` wrote; ValueError if the line is not one."""
        try:
            return cls(**json.loads(line))
        except TypeError as error:
            raise ValueError(f"not a split: {line!r} ({error})") from None


def encode_embedding(embedding: np.ndarray) -> str:
    """A feature vector as text: unit length, times 32767, int16, base64.

    Args:
        embedding: (d,) floats, any scale. A zero vector stays zero.
    """
    import numpy as np

    vector = np.asarray(embedding, np.float64)
    norm = np.sqrt(np.dot(vector, vector))
    if norm > 0:
        vector = vector * (32767.0 / norm)
    return encode_vector(np.rint(vector).astype(np.int16))


def decode_embedding(text: str) -> np.ndarray:
    """Return the (d,) int16 vector that `encode_embedding` wrote."""
    return decode_vector(text)


def encode_vector(vector: np.ndarray) -> str:
    """Encode whole numbers as base64 of little-endian bytes, in the dtype they have."""
    return base64.b64encode(vector.astype(vector.dtype.newbyteorder("<")).tobytes()).decode("ascii")


def decode_vector(text: str, dtype: str = "<i2") -> np.ndarray:
    """Return the (d,) vector that `encode_vector` wrote."""
    import numpy as np

    return np.frombuffer(base64.b64decode(text), dtype)


def error_record(code: str, detail: object) -> dict[str, Any]:
    """The fields of a rejected picture; addresses in `detail` are without secrets.

    Raises:
        ValueError: `code` is none of ERROR_CODES.
    """
    if code not in ERROR_CODES:
        raise ValueError(f"unknown error code {code!r}; known: {', '.join(ERROR_CODES)}")
    return {"error": code, "detail": " ".join(without_secrets(str(detail)).split())[:300]}


def is_picture(record: Mapping[str, Any]) -> bool:
    """Return whether a record is of a picture that can be used: neither rejected nor an orphan.

    >>> [is_picture(record) for record in ({"label": "Lion"}, {"error": "empty"}, {"orphan": ""})]
    [True, False, False]
    """
    return "error" not in record and "orphan" not in record
