"""Checksums of files, and those that servers say of what they send."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mapsight.http_answer import HttpAnswer

__all__ = ["digests", "said_md5"]


def said_md5(response: HttpAnswer) -> str | None:
    """The MD5 of the body in hex, if the server says it.

    In `x-goog-hash` (Google Cloud Storage), in `Content-MD5`, or as an ETag of 32
    hex digits: S3's is the MD5 unless it has other digits or another length (multipart
    uploads), or the object is encrypted with keys of one's own, which nobody may read
    without them.
    """
    hashes = response.getheader("x-goog-hash", "").replace(" ", "").split(",")
    known = [text[4:] for text in hashes if text.startswith("md5=")]
    for text in [*known, response.getheader("Content-MD5", "")]:
        with suppress(binascii.Error, ValueError):
            if len(digest := base64.b64decode(text, validate=True)) == 16:
                return digest.hex()
    etag = response.getheader("ETag", "").strip('"').lower()
    return etag if re.fullmatch("[0-9a-f]{32}", etag) else None


def digests(path: Path) -> tuple[str, str]:
    """SHA-256 and MD5 of a file, in hex."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            sha256.update(block)
            md5.update(block)
    return sha256.hexdigest(), md5.hexdigest()
