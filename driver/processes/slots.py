"""Cores that the jobs of a run share: a task holds one while it runs."""

from __future__ import annotations

import fcntl
from pathlib import Path

__all__ = ["CoreSlots"]


class CoreSlots:
    """Numbers below `count`, of which a process takes some that no other process has.

    They are locks on bytes of a file, which the system takes away from a process that ends.
    """

    def __init__(self, path: Path, count: int) -> None:
        self._file = path.open("ab")
        self._free = list(range(count))

    def take(self) -> int | None:
        """Return a number that is this process's from now on, or None if there is none."""
        for number in self._free:
            try:
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            except (BlockingIOError, PermissionError):
                continue
            self._free.remove(number)
            return number
        return None

    def give_back(self, number: int) -> None:
        """Let others have a number."""
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)
        self._free.append(number)
