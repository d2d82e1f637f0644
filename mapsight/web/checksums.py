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
    from mapsight.web.http_answer import HttpAnswer

__all__ = ["digests", "md5_of", "said_md5"]

HEX = re.compile("[0-9a-f]{32}")


def said_md5(response: HttpAnswer) -> str | None:
    """Return the MD5 of the body in hex, if the server says it.

    In `x-goog-hash` (Google Cloud Storage), in `Content-MD5`, or as an ETag of 32
    hex digits: S3's is the MD5 unless it has other digits or another length (multipart
    uploads), or the object is encrypted with keys of one's own, which nobody may read
    without them.
    """
    hashes = response.getheader("x-goog-hash", "").replace(" ", "").split(",")
    known = [text[4:] for text in hashes if text.startswith("md5=")]
    for text in [*known, response.getheader("Content-MD5", "")]:
        if len(text) < 32 and (digest := md5_of(text)):
            return digest
    etag = response.getheader("ETag", "").strip('"').lower()
    return etag if HEX.fullmatch(etag) else None


def md5_of(text: str) -> str | None:
    """Return an MD5 in hex, of its base64 or hex; None of other text.

    >>> md5_of("1B2M2Y8AsgTpgAmY7PhCfg=="), md5_of("D41D8CD98F00B204E9800998ECF8427E"), md5_of("x")
    ('d41d8cd98f00b204e9800998ecf8427e', 'd41d8cd98f00b204e9800998ecf8427e', None)
    """
    text = text.strip()
    if HEX.fullmatch(text.lower()):
        return text.lower()
    with suppress(binascii.Error, ValueError):
        if len(digest := base64.b64decode(text, validate=True)) == 16:
            return digest.hex()
    return None


def digests(path: Path) -> tuple[str, str]:
    """Return SHA-256 and MD5 of a file, in hex."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            sha256.update(block)
            md5.update(block)
    return sha256.hexdigest(), md5.hexdigest()
