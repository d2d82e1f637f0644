"""Where Open Images V7 is published: every address stands in `data/openimages_files.csv`.

The addresses, and the sizes as servers gave them in 2026, are those of the download
page of V7 and of the Common Visual Data Foundation (CVDF), which hosts the pictures:
https://storage.googleapis.com/openimages/web/download_v7.html,
https://github.com/cvdfoundation/open-images-dataset.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

__all__ = ["KINDS", "SUBSETS", "PublishedFile", "picture_bytes", "picture_url", "published_files"]

TABLE = Path(__file__).parents[1] / "data" / "openimages_files.csv"
METADATA_BASE = "https://storage.googleapis.com/openimages"
PICTURE_BASE = "https://open-images-dataset.s3.amazonaws.com"
SUBSETS = ("train", "validation", "test")
KINDS = ("descriptions", "hierarchy", "images", "labels", "boxes")


@dataclass(frozen=True)
class PublishedFile:
    """A metadata file: what it holds (one of KINDS), of which subset ("" for all).

    `bytes` is its size when it was last looked up, for estimates only.
    """

    kind: str
    subset: str
    url: str
    bytes: int

    @property
    def name(self) -> str:
        """Return its published name."""
        return self.url.rsplit("/", 1)[-1]


@functools.cache
def _table() -> tuple[PublishedFile, ...]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return tuple(
            PublishedFile(row["kind"], row["subset"], row["url"], int(row["bytes"]))
            for row in csv.DictReader(file)
        )


def published_files(subsets: Iterable[str], base: str | None = None) -> list[PublishedFile]:
    """Return the metadata files of some subsets, and those that belong to all.

    Args:
        base: a mirror that has the same paths; None takes the published address.

    Raises:
        ValueError: a subset is none of SUBSETS.
    """
    wanted = {"", *subsets}
    if unknown := sorted(wanted - {"", *SUBSETS}):
        raise ValueError(f"no subset {unknown[0]!r}, expected one of {', '.join(SUBSETS)}")
    files = [file for file in _table() if file.kind != "picture" and file.subset in wanted]
    return [replace(file, url=_moved(file.url, METADATA_BASE, base)) for file in files]


def picture_url(subset: str, image_id: str, base: str | None = None) -> str:
    """Return where a picture is.

    >>> picture_url("test", "00966a975d566c45", "http://mirror")
    'http://mirror/test/00966a975d566c45.jpg'
    """
    url = _moved(_picture().url, PICTURE_BASE, base)
    return url.replace("{subset}", subset).replace("{image_id}", image_id)


def picture_bytes() -> int:
    """Return the mean size of a picture: CVDF states 561 GB for 1,910,098 of them."""
    return _picture().bytes


def _picture() -> PublishedFile:
    return next(file for file in _table() if file.kind == "picture")


def _moved(url: str, published: str, base: str | None) -> str:
    return url if base is None else base.rstrip("/") + url.removeprefix(published)
