"""Groups of duplicates of a state, a page at a time."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np

from mapsight.browse.layout import DUPLICATE_KINDS, NO_PLACE
from mapsight.serve.items import items_of
from mapsight.serve.state import State

__all__ = ["Groups", "others_of"]

KEEPER = DUPLICATE_KINDS.index("keeper")


class Groups:
    """The pictures of each group, in the order of the keepers' ids.

    Memory: 8 bytes a picture that has duplicates.

    Args:
        state: whose groups they are.
    """

    def __init__(self, state: State) -> None:
        self._state, columns = state, state.browser.columns
        kinds, keepers = columns.column("duplicate"), columns.column("keeper")
        rows = np.flatnonzero(keepers != NO_PLACE)
        order = np.lexsort((rows, kinds[rows] != KEEPER, keepers[rows]))
        self._rows = rows[order].astype(np.uint32)
        self.keepers, self._starts = np.unique(keepers[self._rows], return_index=True)

    def after(self, image_id: str | None) -> int:
        """Return the number of the first group whose keeper's id comes after one."""
        if image_id is None:
            return 0
        ids, rows = self._state.browser.columns.ids, range(self._state.browser.rows)
        row = bisect_right(rows, image_id, key=lambda i: ids[i].as_py())
        return int(np.searchsorted(self.keepers, row))

    def rows(self, number: int) -> np.ndarray:
        """Return the rows of the pictures of a group, the keeper's first."""
        ends = np.append(self._starts, len(self._rows))
        return self._rows[ends[number] : ends[number + 1]]

    def described(self, number: int) -> dict[str, Any]:
        """Return a group as answers have it."""
        rows = self.rows(number)
        items, alike = items_of(self._state, rows), self._state.tables.alike
        pictures = []
        for item in items:
            distance, cosine, _ = alike.get(item["image_id"], (None, None, ""))
            kind = item["duplicate"]
            pictures.append({**item, "kind": kind, "distance": distance, "cosine": cosine})
        keeper, *others = (item["image_id"] for item in items)
        why = dict.fromkeys(alike[one][2] for one in others if one in alike)
        return {"keeper": keeper, "why": ", ".join(filter(None, why)), "pictures": pictures}


def others_of(state: State, image_id: str) -> list[dict[str, str]]:
    """Return the other pictures of a picture's group, the keeper first."""
    groups: Groups = state.once("groups", lambda: Groups(state))
    row = state.browser.row_of(image_id)
    keeper = NO_PLACE if row is None else int(state.browser.columns.column("keeper")[row])
    if keeper == NO_PLACE:
        return []
    number = int(np.searchsorted(groups.keepers, keeper))
    items = items_of(state, groups.rows(number))
    others = [one for one in items if one["image_id"] != image_id]
    return [{"image_id": one["image_id"], "kind": one["duplicate"]} for one in others]
