"""How parameters and answers are described in OpenAPI."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from mapsight.browse.filter_values import DUPLICATES, MEASURES, TEXTS
from mapsight.browse.selection import MOST_ROWS, SORTS
from mapsight.labels.flags import FLAG_NAMES
from mapsight.serve.answers import Error

__all__ = ["FILTERS", "PAGE", "SORT", "answers", "param", "params"]

REFUSALS = {
    400: "a parameter is wrong; `field` names it",
    401: "a token is needed",
    403: "Host or Origin is not allowed",
    404: "there is no such thing",
    413: "the body is too long",
    415: "the body is of a type that is not taken",
    422: "the picture of a query cannot be used",
    503: "too many requests wait; try again after Retry-After",
}
USUAL = (400, 401, 403, 503)
TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "number"}
FLAG: dict[str, Any] = {"type": "string", "enum": ["0", "1"]}


def param(
    name: str, schema: dict[str, Any], text: str, example: Any = None, *, where: str = "query"
) -> dict[str, Any]:
    """Return the description of a parameter."""
    shown = {} if example is None else {"example": example}
    known = {"name": name, "in": where, "schema": schema, "description": text}
    return {**known, **shown, "required": where == "path"}


def params(*lists: dict[str, Any] | list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a route's `openapi_extra` says of its parameters."""
    flat = [one for some in lists for one in (some if isinstance(some, list) else [some])]
    return {"parameters": flat}


def answers(model: type[BaseModel] | None, *refusals: int) -> dict[int | str, dict[str, Any]]:
    """Return a route's `responses`: its model, and refusals beside the USUAL ones."""
    found: dict[int | str, dict[str, Any]] = {
        status: {"model": Error, "description": REFUSALS[status]}
        for status in sorted({*USUAL, *refusals})
    }
    return {200: {"model": model}, **found} if model else found


def _many(kind: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": kind}}


NAMES_OF_FLAGS = {"type": "array", "items": {"type": "string", "enum": list(FLAG_NAMES)}}

FILTERS = [
    *(param(name, _many("string"), f"any of these (`{name}=` again for more)") for name in TEXTS),
    *(
        param(f"{bound}_{name}", NUMBER, f"{word} {name}")
        for name in MEASURES
        for bound, word in (("min", "least"), ("max", "greatest"))
    ),
    param("cell", _many("integer"), "in any of these cells of the index", [12]),
    param("region", TEXT, "in a polygon on the map: x1,y1,x2,y2,…", "0.1,0.1,0.4,0.1,0.3,0.5"),
    param("flag", NAMES_OF_FLAGS, "any of these flags (`flag=` again for more)"),
    param("without_flag", NAMES_OF_FLAGS, "none of these flags"),
    param("no_flags", FLAG, "nothing seems wrong"),
    param("unsure", FLAG, "labels that are not sure"),
    param("disputed", FLAG, "people verified other labels"),
    param(
        "duplicates",
        {"type": "string", "enum": list(DUPLICATES), "default": DUPLICATES[0]},
        "hide leaves out all of a group but its keeper; only leaves out the rest",
    ),
]
SORT = param(
    "sort",
    {"type": "string", "default": SORTS[0]},
    f"{', '.join(SORTS)}; with - in front highest first",
    "-sharpness",
)
PAGE = [
    param(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": 100},
        "how many at most",
    ),
    param("cursor", TEXT, "`next` of the page before"),
]
