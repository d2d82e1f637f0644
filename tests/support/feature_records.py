"""Made-up feature records, their predictions by the job, and ranks of these by pandas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mapsight.labels.labeler import DEFAULT_TARGETS
from mapsight.labels.ranking import EVERYTHING
from mapsight.records import MEASURES, encode_embedding
from mr_jobs.classify_images import MRClassifyImages
from tests.support.jobs import Records, run_and_read, write_records

TARGETS = {"targets": dict(DEFAULT_TARGETS), "parents": {}}


LION, LEOPARD = DEFAULT_TARGETS["Lion"], DEFAULT_TARGETS["Leopard"]


REJECTED = {"source": "pictures/x.jpg", "error": "corrupt", "detail": "x"}


def feature(number: int, wnid: str = "n02129165", **fields: Any) -> dict[str, Any]:
    """A made-up feature record; `wnid` is ImageNet's lion unless said otherwise."""
    measures = dict.fromkeys(MEASURES, number * 7 % 5 + 1.5)
    return {
        **measures,
        "width": 60 + number,
        "height": 40,
        "format": "JPEG",
        "dhash": f"{number:016x}",
        "sha256": f"{number:064x}",
        "source": f"pictures/{number}.jpg",
        "shard": "shard",
        "row": number,
        "top5": [[wnid, 0.5], ["n02128385", 0.25]],
        "embedding": encode_embedding(np.random.default_rng(number).standard_normal(16)),
        **fields,
    }


ANNOTATIONS = {
    "a": {"labels": [["/m/096mb", 1.0, "verification"], ["/m/0c29q", 0.7, "machine"]]},
    "b": {
        "labels": [
            ["/m/096mb", 0.0, "verification"],
            ["/m/0c29q", 1.0, "crowdsource-verification"],
        ],
        "boxes": [["/m/0c29q", 0.1, 0.5, 0.2, 0.75, 0, 0, 0, 1, -1]],
    },
    "d": {},
}


def classify(folder: Path, targets: Path, records: Records, *extra: object):
    """(records, counters)"""
    joined = write_records(folder / "joined.jsonl", records)
    return run_and_read(folder, MRClassifyImages, "--targets", targets, *extra, joined)


def pandas_ranks(predictions: Records, measure: str, descending: bool) -> dict[str, list[str]]:
    """Ids of each group, best first, ties by id."""
    rows = [{"id": k, "label": r["label"], "by": r[measure]} for k, r in predictions[:-1]]
    frame = pd.DataFrame(rows).sort_values(["by", "id"], ascending=[not descending, True])
    groups = {label: list(part["id"]) for label, part in frame.groupby("label")}
    return {**groups, EVERYTHING: list(frame["id"])}
