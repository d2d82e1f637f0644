"""From feature records and annotations to prediction records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mapsight.labels import Labeler, class_named
from mapsight.measures import pixels_per_inch
from mapsight.records import MEASURES, PROVENANCE

__all__ = ["annotated", "predict"]

COPIED = ("width", "height", "format", "dhash", "sha256", "source", "shard", "row", *MEASURES)


def predict(
    feature: Mapping[str, Any], labeler: Labeler, diagonal: float | None = None
) -> dict[str, Any]:
    """The prediction record of a feature record; an error record stays as it is.

    Args:
        feature: a Feature record, with or without an error.
        labeler: knows the target labels.
        diagonal: of the screen, in inches; None keeps the picture's own PPI.
    """
    if "error" in feature:
        return dict(feature)
    label, score = labeler.label(feature["top5"])
    wnid, probability = feature["top5"][0]
    best = class_named(wnid)
    record = {name: feature[name] for name in (*COPIED, *PROVENANCE) if name in feature}
    if diagonal is not None:
        ppi = pixels_per_inch(feature["width"], feature["height"], diagonal)
        record["ppi"] = round(ppi, 6)
    return record | {
        "label": label,
        "mid": labeler.targets.get(label, ""),
        "score": score,
        "top_wnid": wnid,
        "top_mid": best.mid,
        "top_label": best.label or best.name.replace("_", " "),
        "top_probability": probability,
        "top5_labels": labeler.labels_in(feature["top5"]),
        "truth": None,
        "absent": [],
    }


def annotated(
    predictions: Iterable[Mapping[str, Any]], annotation: Mapping[str, Any], labeler: Labeler
) -> Iterator[dict[str, Any]]:
    """Predictions of one image_id with what its annotation says of it."""
    present, absent = labeler.truth(annotation.get("labels", ()))
    known = {name: annotation[name] for name in PROVENANCE if name in annotation}
    for prediction in predictions:
        record = {**known, **prediction}
        if "error" not in record:
            record |= {"truth": present, "absent": absent}
        yield record
