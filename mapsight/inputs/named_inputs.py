"""What several inputs have in common: no file is read twice because it is named twice."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable

__all__ = ["MOST_LINKS", "NamedInputs"]

MOST_LINKS = 1 << 20  # whose targets are remembered, about 100 bytes each


class NamedInputs:
    """The folders and files that were named, and what of them has been read.

    A link is passed over where its target is read too: it is the same picture.
    """

    def __init__(self, named: Iterable[str] = ()) -> None:
        """`named`: inputs as typed; those that are elsewhere or not there are no matter."""
        self._roots: list[str] = []
        self._single: set[str] = set()
        for typed in named:
            place = os.path.realpath(typed)
            if os.path.isdir(place):  # noqa: PTH112 - a name need not be UTF-8
                self._roots.append(place)
            elif os.path.isfile(place):  # noqa: PTH113
                self._single.add(place)
        self._read: list[str] = []
        self._files: set[str] = set()
        self._targets: set[tuple[int, int]] = set()

    def add_folder(self, place: str) -> bool:
        """Note a folder that is about to be read; false if it has been."""
        if self._beneath(place, self._read):
            return False
        self._read.append(place)
        return True

    def add_file(self, place: str) -> bool:
        """Note a file that was named or matched; false if it has been read."""
        if place in self._files or self._beneath(place, self._read):
            return False
        self._files.add(place)
        return True

    def had(self, real: Callable[[], str]) -> bool:
        """Return whether a file of a folder was named itself, before the folder."""
        return bool(self._files) and real() in self._files

    def had_folder(self, place: str) -> bool:
        """Return whether a folder inside another was read before."""
        return place in self._read

    def has_target(self, link: str, skip: Collection[str] = ()) -> bool:
        """Return whether what a local link leads to is read by itself, or was by another link.

        `skip` are folders that are not read.
        """
        target = os.path.realpath(link)
        skipped = any(target.startswith(folder + "/") for folder in skip)
        if target in self._single or (self._beneath(target, self._roots) and not skipped):
            return os.path.isfile(target)  # noqa: PTH113
        try:
            file = os.stat(target)  # noqa: PTH116
        except OSError:
            return False
        key = (file.st_dev, file.st_ino)
        if key in self._targets:
            return True
        if len(self._targets) < MOST_LINKS:
            self._targets.add(key)
        return False

    @staticmethod
    def _beneath(place: str, folders: Iterable[str]) -> bool:
        """Return whether a folder's files have a place among them; hidden ones are none."""
        for folder in folders:
            if place == folder:
                return True
            inside = place[len(folder.rstrip("/")) + 1 :]
            if place.startswith(folder.rstrip("/") + "/") and not any(
                part.startswith((".", "_")) for part in inside.split("/")
            ):
                return True
        return False
