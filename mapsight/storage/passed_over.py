"""Names in a folder that are no input: marks and unfinished output of Hadoop and Spark.

Hadoop's own readers pass over every name that begins with `_`. So do cameras begin
names: outside folders that a job has written, only names of known marks are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

__all__ = ["is_picture_name", "passes_over"]

PICTURE = re.compile(
    r"\.(jpe?g|jpe|jfif|png|apng|gif|webp|bmp|dib|tiff?|avif|hei[cf]|jp2|j2k|jpx|jxl|p[bgnp]m|ico"
    r"|tga|dng|cr[23]|nef|arw|raf|orf|rw2|psd)$",
    re.I,
)
MARK = re.compile(
    r"_(temporary|SUCCESS|FAILURE|(common_)?metadata|committed_.*|started_.*|spark_metadata"
    r"|delta_(log|index)|change_data|symlink_format_manifest|last_checkpoint)"
    r"|__MACOSX|.*\._COPYING_"
)
OUTPUT = re.compile(r"part-.*|_(temporary|SUCCESS|committed_.*|started_.*|spark_metadata)")


def is_picture_name(name: str) -> bool:
    """Return whether a name ends as those of pictures do."""
    return bool(PICTURE.search(name))


def passes_over(names: Collection[str]) -> Callable[[str], bool]:
    """Return what tells the names of a folder that are no input, from all of them.

    >>> passes_over(["_DSC1234.jpg", "_album"])("_album")
    False
    >>> passes_over(["part-0.parquet", "_staging", "_date=1"])("_staging")
    True
    """
    output = any(OUTPUT.fullmatch(name) for name in names)

    def over(name: str) -> bool:
        if name.startswith(".") or MARK.fullmatch(name):
            return True
        # a partition may be called `_date=1`
        return output and name[:1] == "_" and "=" not in name and not is_picture_name(name)

    return over
