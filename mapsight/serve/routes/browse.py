"""Looking through: the summary, labels, pages of pictures, facets."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mapsight.browse.filters import NAMES
from mapsight.browse.selection import MOST_ROWS
from mapsight.serve import answers as models
from mapsight.serve.errors import asked
from mapsight.serve.facts import labels_of, summary_of
from mapsight.serve.query import Words, query_of
from mapsight.serve.routes.describe import FILTERS, NUMBER, PAGE, SORT, answers, param, params
from mapsight.serve.server import asked_of
from mapsight.serve.state import State

__all__ = ["read", "router"]

router = APIRouter(tags=["browse"])
USUAL = 100


async def read(
    request: Request,
    make: Callable[..., dict[str, Any]],
    allowed: Collection[str] = (),
    *arguments: Any,
) -> Response:
    """Answer with what a function makes of a state and of words, in a thread that reads."""
    asked_now, words = asked_of(request), query_of(request, allowed)
    made = await asked_now.server.read.run(make, asked_now.state, words, *arguments)
    return JSONResponse({"state": asked_now.state.id, **made})


@router.get("/summary", responses=answers(models.Summary), summary="What is served")
async def summary(request: Request) -> Response:
    """Return what is served, and what is known of its pictures."""
    return await read(request, lambda state, _: summary_of(state))


@router.get("/labels", responses=answers(models.Labels), summary="Labels with counts")
async def labels(request: Request) -> Response:
    """Return all labels, those of most pictures first."""
    return await read(request, lambda state, _: {"labels": labels_of(state)})


@router.get(
    "/pictures",
    responses=answers(models.Page),
    summary="Pictures that fit filters, in an order",
    openapi_extra=params(
        FILTERS, SORT, PAGE, param("at", NUMBER, "begin at this share of the way, 0 to 1", 0.5)
    ),
)
async def pictures(request: Request) -> Response:
    """Return a page of pictures, and the cursor of the next."""
    return await read(request, _page, (*NAMES, "sort", "limit", "cursor", "at"))


def _page(state: State, words: Words) -> dict[str, Any]:
    limit, at = words.whole("limit", MOST_ROWS, USUAL), words.share("at")
    filters, sort = words.filters(), words.text("sort", "image_id")
    with asked():
        selection = state.browser.select(filters, str(sort))
        items, following = selection.page(words.text("cursor"), limit or USUAL, at)
    return {"total": selection.total, "items": items, "next": following}


@router.get(
    "/facets",
    responses=answers(models.Facets),
    summary="What each filter would leave",
    openapi_extra=params(FILTERS),
)
async def facets(request: Request) -> Response:
    """Return for each facet the counts as they would be with all other filters on."""
    return await read(request, _facets, NAMES)


def _facets(state: State, words: Words) -> dict[str, Any]:
    with asked():
        return state.browser.facets(words.filters())
