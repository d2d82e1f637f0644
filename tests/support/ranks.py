"""Ranks by pandas."""

from __future__ import annotations

import pandas as pd

from mapsight.labels.ranking import EVERYTHING
from tests.support.jobs import Records


def pandas_ranks(predictions: Records, measure: str, descending: bool) -> dict[str, list[str]]:
    """Ids of each group, best first, ties by id."""
    rows = [{"id": k, "label": r["label"], "by": r[measure]} for k, r in predictions[:-1]]
    frame = pd.DataFrame(rows).sort_values(["by", "id"], ascending=[not descending, True])
    groups = {label: list(part["id"]) for label, part in frame.groupby("label")}
    return {**groups, EVERYTHING: list(frame["id"])}
