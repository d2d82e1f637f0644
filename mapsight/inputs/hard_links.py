"""Hard links in an archive, which share the data of a member before them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

__all__ = ["MOST_LINKS", "TOO_MANY", "HardLinks", "plain_name"]

MOST_LINKS = 10_000
TOO_MANY = f"a hard link; of one archive only {MOST_LINKS:,} are followed"


def plain_name(name: str) -> str:
    """Return a member's name without `./` before it."""
    return re.sub(r"^(\./+)+", "", name)


class HardLinks:
    """Names by the member whose data they share. Memory: MOST_LINKS of them."""

    def __init__(self) -> None:
        self._names: dict[str, list[str]] = {}
        self._number = 0

    def __bool__(self) -> bool:
        return bool(self._names)

    def add(self, name: str, target: str) -> bool:
        """Note a link; false if there are too many."""
        if self._number == MOST_LINKS:
            return False
        self._number += 1
        self._names.setdefault(plain_name(target), []).append(name)
        return True

    def take(self, target: str) -> Sequence[str]:
        """Return the links to a member, and forget them."""
        return self._names.pop(target, ())

    def left(self) -> Iterator[tuple[str, str]]:
        """Yield (name, target) of those whose target has not come."""
        for target, names in self._names.items():
            for name in names:
                yield name, target
