"""What each stage leaves that others look at: the checks of its notes, options and counters."""

from __future__ import annotations

from dataclasses import MISSING
from dataclasses import fields as fields_of
from typing import Any

from mapsight.records import Split
from mapsight.workspace.document_checks import (
    COUNT,
    FLAG,
    INNER,
    NAME,
    NOTHING,
    NUMBER,
    TEXT,
    WHOLE,
    Check,
    either,
    every,
    fields,
    values,
)

__all__ = ["COUNTERS", "INDEX_NOTES", "NOTES", "OPTIONS"]

_OPTIONAL_TEXT, _OPTIONAL_NUMBER = either(NOTHING, TEXT), either(NOTHING, NUMBER)
_TEXTS = every(TEXT)
_COPIES = values(INNER)


def _split(uri: Check) -> Check:
    """Return the check of a Split's fields."""
    kinds = {"str": TEXT, "int": WHOLE}
    forms = {one.name: kinds[str(one.type)] for one in fields_of(Split)}
    needed = {one.name for one in fields_of(Split) if one.default is MISSING}
    return fields({**{name: forms[name] for name in needed}, "uri": uri}, forms, only=True)


_CARD = fields(
    {"image_id": TEXT, "source": TEXT},
    {
        **dict.fromkeys(("label", "kind", "keeper"), TEXT),
        **dict.fromkeys(("shard", "top_label", "license", "author", "title"), _OPTIONAL_TEXT),
        **dict.fromkeys(("original_url", "subset", "split"), _OPTIONAL_TEXT),
        **dict.fromkeys(("score", "ppi", "value", "cosine"), _OPTIONAL_NUMBER),
        **dict.fromkeys(("width", "height", "rank", "row"), either(NOTHING, COUNT)),
        **dict.fromkeys(("copies", "bytes", "distance"), either(NOTHING, COUNT)),
    },
)
_ALIKE = fields(
    {
        **dict.fromkeys(("image_id", "source", "kind"), TEXT),
        **dict.fromkeys(("bytes", "distance"), COUNT),
        "cosine": NUMBER,
    }
)


def _both(*checks: Check) -> Check:
    def check_all(value: Any, at: str) -> None:
        for check in checks:
            check(value, at)

    return check_all


_GROUPS = every(fields({"pictures": COUNT, "bytes": COUNT, "rows": every(_both(_CARD, _ALIKE))}))
_SIZES = every(fields(dict.fromkeys(("least", "most", "groups", "pictures"), COUNT)))
_STEP = fields(
    {"inertia": NUMBER, "shift": NUMBER},
    {"rows": COUNT, "empty": COUNT, "seconds": NUMBER},
)
_RECALL = fields(
    {"features": TEXT, "probe": COUNT, "cells": COUNT},
    {"queries": COUNT, **dict.fromkeys(("recall_1", "recall_10", "recall_100"), _OPTIONAL_NUMBER)},
)
_CONFUSED = fields({"truth": TEXT, "label": TEXT, "pictures": COUNT, "rows": every(_CARD)})
_SPLITS, _OWN_SPLITS = every(_split(TEXT)), every(_split(INNER))
_PARENTS = values(_TEXTS)

NOTES: dict[str, Check] = {
    "plan": fields(
        {
            "pictures": COUNT,
            "digest": TEXT,
            "listings": fields({"files": INNER, "urls": INNER}),
            **dict.fromkeys(("files", "urls"), _OWN_SPLITS),
            **dict.fromkeys(("tar", "parquet"), _SPLITS),
        },
        {"bytes": WHOLE, "inputs": _TEXTS},
    ),
    "ingest": fields({"shards": _OWN_SPLITS}, {"uploads": _COPIES}),
    "fetch": fields({"shards": _OWN_SPLITS, "failed": COUNT}),
    "extract": fields({"model_file": INNER, "classes": _TEXTS}, {"has_classes": FLAG}),
    "explore": fields({}, {"uploads": _COPIES}),
    "annotate": fields({}, {"uploads": _COPIES}),
    "fit": fields({}, {"why": TEXT, "given": TEXT}),
    "classify": fields({"missing": _TEXTS}, {"auto": every(every(TEXT))}),
    "vectors": fields({"rows": COUNT}),
    "cluster": fields(
        {"history": every(_STEP)},
        {"counts": every(COUNT), "way": TEXT, "dimensions": COUNT},
    ),
    "recall": fields({"table": every(_RECALL)}),
    "duplicates": fields({}, {"sizes": _SIZES, "largest": _GROUPS}),
    "merge": fields(
        {"sheets": values(every(_CARD))},
        {
            "duplicates": _GROUPS,
            "suspects": every(_CARD),
            "confused": every(_CONFUSED),
            "shown": values(values(every(_CARD))),
        },
    ),
    "known": fields({"first": _TEXTS}),
}
"""Of what a stage leaves for later ones, what these look at."""

INDEX_NOTES = fields(
    {
        **dict.fromkeys(("plain_d", "d", "buckets", "cells", "rows"), COUNT),
        "dtype": TEXT,
        "ids": every(NAME),
    },
    {"cells_d": COUNT, "odd": COUNT},
)
OPTIONS: dict[str, Check] = {
    "extract": fields(
        {
            **dict.fromkeys(("model", "precision", "engine"), TEXT),
            "alpha": _OPTIONAL_NUMBER,
            "resolution": COUNT,
            "image_column": _OPTIONAL_TEXT,
        }
    ),
    "classify": fields(
        {"targets": every(every(TEXT)), "parents": _PARENTS, "diagonal": _OPTIONAL_NUMBER},
        {"auto": FLAG},
    ),
    "cluster": fields({"iterations": COUNT, "tolerance": NUMBER}),
    "merge": fields(
        {"options": fields({"rank_by": TEXT, "order": TEXT, "near_model": FLAG})},
        {"inputs": _TEXTS},
    ),
}
COUNTERS: dict[str, Check] = {
    "extract": fields({"images": fields({"read": COUNT})}),
    "known": fields({"images": fields({"known": COUNT})}),
    "duplicates": fields({"duplicates": values(COUNT)}),
}
