"""Groups of duplicates, rejected pictures, suspected label errors, how good the labels are."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mapsight.browse.selection import MOST_ROWS
from mapsight.evaluation.counts import EXAMPLES
from mapsight.serve import answers as models
from mapsight.serve.errors import Refusal
from mapsight.serve.groups import Groups
from mapsight.serve.items import item_of
from mapsight.serve.query import WHOLE, Words
from mapsight.serve.routes.browse import read
from mapsight.serve.routes.describe import PAGE, TEXT, answers, param, params
from mapsight.serve.state import State
from mapsight.serve.tables import typed

__all__ = ["router"]

router = APIRouter(tags=["tables"])
USUAL = 50


@router.get(
    "/duplicates",
    responses=answers(models.Groups),
    summary="Groups of duplicates",
    openapi_extra=params(PAGE),
)
async def duplicates(request: Request) -> Response:
    """Return groups, the one to be kept first; none where nobody has looked."""
    return await read(request, _duplicates, ("limit", "cursor"))


def _duplicates(state: State, words: Words) -> dict[str, Any]:
    groups: Groups = state.once("groups", lambda: Groups(state))
    limit = words.whole("limit", MOST_ROWS, USUAL) or USUAL
    first = groups.after(_opened(words.text("cursor")))
    numbers = range(first, min(first + limit, len(groups.keepers)))
    found = [groups.described(number) for number in numbers]
    more = numbers.stop < len(groups.keepers)
    following = _cursor(found[-1]["keeper"]) if found and more else None
    return {"total": len(groups.keepers), "groups": found, "next": following}


@router.get(
    "/rejected",
    responses=answers(models.Rejected),
    summary="Pictures that could not be used",
    openapi_extra=params(PAGE, param("error", TEXT, "a code of `counts`", "truncated")),
)
async def rejected(request: Request) -> Response:
    """Return pictures that could not be used and why, and how many there are for each reason."""
    return await read(request, _rejected, ("error", "limit", "cursor"))


def _rejected(state: State, words: Words) -> dict[str, Any]:
    table, error = state.tables.rejected, words.text("error")
    counted = table.column("error").value_counts().to_pylist()
    counts = {one["values"]: one["counts"] for one in counted}
    fits = pc.equal(table.column("error"), error).to_numpy() if error is not None else None
    places = np.arange(table.num_rows) if fits is None else np.flatnonzero(fits)
    limit = words.whole("limit", MOST_ROWS, USUAL) or USUAL
    places = places[np.searchsorted(places, _row_of(words.text("cursor"), state)) :]
    rows = table.take(pa.array(places[:limit])).to_pylist()
    following = _cursor(f"{state.id} {places[limit]}") if len(places) > limit else None
    items = [{name: typed(value) or None for name, value in row.items()} for row in rows]
    order = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return {"counts": dict(order), "items": items, "next": following}


@router.get("/suspects", responses=answers(models.Suspects), summary="Suspected errors of labels")
async def suspects(request: Request) -> Response:
    """Return pictures whose verified labels may be wrong: the rows of suspects.csv.

    The file ends at 60 rows; `more` says that it is full, so that there may be others.
    """
    return await read(request, lambda state, _: _suspects(state))


def _suspects(state: State) -> dict[str, Any]:
    pairs = ((row, item_of(state, row["image_id"])) for row in state.tables.suspects)
    items = [
        {**item, **{k: v for k, v in row.items() if k not in item}} for row, item in pairs if item
    ]
    return {"items": items, "more": len(state.tables.suspects) >= EXAMPLES["suspects"]}


@router.get(
    "/evaluation", responses=answers(models.Evaluation, 404), summary="How good the labels are"
)
async def evaluation(request: Request) -> Response:
    """Return tables against what people verified; 404 where nobody has."""
    return await read(request, lambda state, _: _evaluation(state))


def _evaluation(state: State) -> dict[str, Any]:
    tables = state.tables
    if not tables.evaluation and not tables.confusion:
        raise Refusal(404, "nobody has verified labels of these pictures")
    labels = [name for name in (tables.confusion or [{}])[0] if name != "truth"]
    confusion = {
        "labels": labels,
        "truth": [row["truth"] for row in tables.confusion],
        "counts": [[row[label] for label in labels] for row in tables.confusion],
    }
    return {
        "accuracy": tables.accuracy,
        "confusion": confusion,
        "reliability": tables.reliability,
        "summary": tables.evaluation,
    }


def _row_of(cursor: str | None, state: State) -> int:
    """Return the row that a cursor leads to.

    Raises:
        Refusal: it is no cursor, or one of another state.
    """
    of, _, row = (_opened(cursor) or f"{state.id} 0").rpartition(" ")
    if of != state.id or not WHOLE.fullmatch(row):
        raise Refusal(400, "cursor: not one of an answer of this state; begin again", "cursor")
    return int(row)


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _opened(cursor: str | None) -> str | None:
    """Return the text that a cursor holds.

    Raises:
        Refusal: it is no cursor.
    """
    if cursor is None:
        return None
    try:
        return base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode()
    except ValueError:
        raise Refusal(400, "cursor: not one of an answer", "cursor") from None
