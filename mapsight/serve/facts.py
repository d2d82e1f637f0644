"""What a state says of itself, of its labels and of one picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from mapsight.browse.layout import TEXTS
from mapsight.browse.selection import SORTS
from mapsight.collection_name import collection_name
from mapsight.labels.labeler import near_labels
from mapsight.labels.made_with import settings_of
from mapsight.results.parquet_tables import find_predictions
from mapsight.results.sorted_part import find_sorted
from mapsight.search.index_queries import REMOVED
from mapsight.serve.errors import Refusal
from mapsight.serve.groups import others_of
from mapsight.serve.items import item_of
from mapsight.serve.state import State
from mapsight.text import shorten

__all__ = ["TOP_K", "facts_of", "labels_of", "measures_of", "missing", "summary_of"]

TOP_K = 1_000
"""Pictures of an answer to a search, at most."""
MEASURES = (
    ("ppi", "PPI", "√pixel", 1),
    ("sharpness", "Sharpness", "variance of the Laplacian", 0),
    ("pixels", "Size", "pixels", 0),
    ("score", "Score", "probability", 2),
    ("entropy", "Entropy", "bits", 2),
    ("gradient", "Gradient", "grey levels", 1),
    ("bytes", "File size", "bytes", 0),
    ("quality", "Quality", "0 to 1", 2),
)
"""Name, title, unit and digits after the point."""
PER_INCH = "pixels per inch"
"""The unit of PPI where the run knew the diagonal of a screen."""
HEAD = "head"
MEASURED = (
    "ppi",
    "pixels",
    "aspect",
    "bytes",
    "entropy",
    "gradient",
    "sharpness",
    "score",
    "quality",
)
PREDICTED = (
    *("label", "mid", "score", "style", "style_score", "model_label", "split"),
    *("top_wnid", "top_mid", "top_label", "top_probability", "truth"),
    "flags",
)
FILE = ("width", "height", "format", "dhash", "sha256")


def summary_of(state: State) -> dict[str, Any]:
    """Return what is served, and what is known of its pictures."""
    names = ("name", "title", "unit", "digits")
    tables = state.tables
    return {
        "name": shorten(_name(state), 100),
        "pictures": state.browser.rows,
        "rejected": tables.rejected.num_rows,
        "labels": len(state.browser.labels),
        "has": _has(state),
        "measures": [
            dict(zip(names, one, strict=True))
            for one in measures_of(state.workspace.committed("classify"))
        ],
        "sorts": list(SORTS),
        "top_k_max": TOP_K,
        "runs_at": tables.summary.get("finished"),
    }


def _name(state: State) -> str:
    """Return what a collection is called in its report; without one, what its workspace is."""
    run = state.tables.summary
    return collection_name(run) if run else state.workspace.uri().rstrip("/").rsplit("/", 1)[-1]


def measures_of(classified: dict[str, Any] | None) -> list[tuple[str, str, str, int]]:
    """Return MEASURES as a committed classify stage made them: PPI with a screen or without."""
    if classified is None or settings_of(classified)[1] is None:
        return list(MEASURES)
    (name, title, _, digits), *others = MEASURES
    return [(name, title, PER_INCH, digits), *others]


def _has(state: State) -> dict[str, bool]:
    columns, tables = state.browser.columns, state.tables
    named = ("style", "truth", "license", "author", "subset")
    return {
        "head": tables.summary.get("labelled_by") == HEAD,
        **{name: len(columns.names(name)) > 1 for name in named},
        "duplicates": bool(columns.column("duplicate").any()),
        "evaluation": bool(tables.evaluation),
        "suspects": bool(tables.suspects),
        "report": state.workspace.fs.exists(state.workspace.path("report", "index.html")),
        "index": state.lookup is not None,
    }


def labels_of(state: State) -> list[dict[str, Any]]:
    """Return the labels with their MIDs and counts, those of most pictures first."""
    mids = {row["label"]: row["mid"] or "" for row in state.tables.labels} | {
        label: mid for label, mid in state.labels.items() if mid
    }
    counts = {one["value"]: one["count"] for one in state.browser.facets()["label"]}
    every = [
        {"label": label, "mid": mids.get(label, ""), "pictures": counts.get(label, 0)}
        for label in state.browser.labels
    ]
    return sorted(every, key=lambda one: (-one["pictures"], one["label"]))


def missing(state: State, image_id: str, field: str = "image_id") -> Refusal:
    """Return a refusal that says why there is no picture of an id."""
    return Refusal(404, f"{shorten(image_id, 130)}: {_why_none(state, image_id)}", field)


def _why_none(state: State, image_id: str) -> str:
    rejected = state.tables.rejected
    rows = rejected.filter(pa.compute.equal(rejected.column("image_id"), image_id)).to_pylist()
    if rows:
        return f"this picture was rejected: {rows[0]['error']}, {rows[0]['detail']}"
    if state.collection.removed.before([image_id])[0] > 0:
        return REMOVED
    near = near_labels(image_id, state.browser.labels)
    hint = f"; did you mean the label {', '.join(near)}?" if near else ""
    return f"no picture with this image_id{hint}"


def facts_of(state: State, image_id: str) -> dict[str, Any]:
    """Return all that is known of a picture.

    Raises:
        Refusal: there is no such picture (404).
    """
    item, row = item_of(state, image_id), state.browser.row_of(image_id)
    if item is None or row is None:
        raise missing(state, image_id)
    columns = state.browser.columns
    record = _prediction(state, image_id, int(columns.column("part")[row]))
    (texts,) = columns.texts(np.array([row]))
    measures = {name: record[name] for name in (*MEASURED, *FILE) if name in record}
    return {
        **item,
        **{name: texts.get(name) or record.get(name) for name in TEXTS},
        "predictions": {name: record[name] for name in PREDICTED if name in record},
        "measures": measures,
        "duplicates": others_of(state, image_id),
    }


def _prediction(state: State, image_id: str, part: int) -> dict[str, Any]:
    """Return the row of results of a picture; of one that was added its record."""
    if part:
        found = [r for p in state.classified(part) for r in find_sorted(p, image_id)]
        return found[0] if found else {}
    columns = (*PREDICTED, *MEASURED, *FILE)
    return find_predictions(state.predictions, [image_id], columns).get(image_id, {})
