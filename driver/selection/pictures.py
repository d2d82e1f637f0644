"""The files of pictures that were chosen, as links or copies, in a folder for each label."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mapsight.browse.selection import Selection
from mapsight.features.formats.file_kinds import kind_of
from mapsight.index.pictures import GONE
from mapsight.opened import OpenedWorkspace

__all__ = ["Unread", "copy_pictures", "ending_of", "link_pictures", "picture_bytes", "safe_name"]

COLUMNS = (
    *("image_id", "label", "source", "subset", "license", "author", "title", "original_url"),
)
AT_ONCE = 1024
ENDINGS = {"JPEG": ".jpg", "TIFF": ".tif", "JPEG2000": ".jp2", "JPEG XL": ".jxl"}
UNSAFE = re.compile(r"[^\w .()+-]+")
NO_LABEL = "unlabelled"


@dataclass(frozen=True)
class Unread:
    """A picture that is not in the folder, and why."""

    image_id: str
    reason: str


def picture_bytes(
    opened: OpenedWorkspace, selection: Selection
) -> Iterator[tuple[dict[str, Any], bytes | None]]:
    """Yield (row, encoded picture or None if its file is gone or another) of each picture.

    Memory: AT_ONCE rows, and a picture.
    """
    for batch in selection.batches(COLUMNS):
        rows = batch.to_pylist()
        for first in range(0, len(rows), AT_ONCE):
            some = {row["image_id"]: row for row in rows[first : first + AT_ONCE]}
            for image_id, data in opened.pictures(list(some)):
                yield some.pop(image_id), data
            yield from ((row, None) for row in some.values())


def copy_pictures(opened: OpenedWorkspace, selection: Selection, folder: Path) -> Iterator[Unread]:
    """Write each picture as it was read to LABEL/ID.ending; yield those that cannot be had."""
    for row, data in picture_bytes(opened, selection):
        if data is None:
            yield Unread(row["image_id"], GONE)
        else:
            _place(folder, row, data).write_bytes(data)


def link_pictures(opened: OpenedWorkspace, selection: Selection, folder: Path) -> Iterator[Unread]:
    """Make LABEL/ID.ending a symbolic link to the file of each picture on this machine.

    Yields:
        Those that are no file: they lie in an archive, in a table or elsewhere; or are another
        picture now.
    """
    for row, data in picture_bytes(opened, selection):
        file = _file_of(row["source"])
        if file is None:
            reason = f"{row['source']}: no file on this machine; --format copies writes it"
        elif data is None or file.read_bytes() != data:
            reason = f"{row['source']}: has changed"
        else:
            _place(folder, row, data).symlink_to(file)
            continue
        yield Unread(row["image_id"], reason)


def _file_of(source: str | None) -> Path | None:
    """Return the file on this machine that a source names, if there is one."""
    path = Path(source) if source and "://" not in source else None
    return path.absolute() if path and path.is_file() else None


def _place(folder: Path, row: dict[str, Any], data: bytes) -> Path:
    """Return where a picture goes; its folder is made."""
    inside = folder / (safe_name(row["label"] or "") or NO_LABEL)
    inside.mkdir(exist_ok=True)
    return inside / f"{safe_name(row['image_id'])}{ending_of(data)}"


def safe_name(text: str) -> str:
    """Return a text as the name of a file or folder: no slashes, no leading dots or spaces."""
    return UNSAFE.sub("_", text).strip(" .")[:60]


def ending_of(data: bytes) -> str:
    """Return the usual ending of a file of this kind."""
    kind = kind_of(data) or ""
    return ENDINGS.get(kind, f".{kind.lower()}" if kind else "")
