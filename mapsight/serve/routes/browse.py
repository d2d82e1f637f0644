"""Looking through: the summary, labels, pages of pictures, facets, the map."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mapsight.browse.command_line import command_of
from mapsight.browse.filters import NAMES
from mapsight.browse.selection import MOST_ROWS, SORTS
from mapsight.serve import answers as models
from mapsight.serve.errors import Refusal, asked
from mapsight.serve.facts import labels_of, summary_of
from mapsight.serve.query import Words, query_of
from mapsight.serve.routes.describe import FILTERS, NUMBER, PAGE, SORT, answers, param, params
from mapsight.serve.server import asked_of
from mapsight.serve.state import State
from mapsight.text import shorten

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


@router.get("/map", responses=answers(models.Cells, 404), summary="Cells by likeness")
async def cells(request: Request) -> Response:
    """Return the cells of the index, each with its place, its size and what is in it."""
    return await read(request, _cells)


def _cells(state: State, words: Words) -> dict[str, Any]:
    with asked(404):
        return {"cells": state.browser.map()}


@router.get(
    "/map/{cell}",
    responses=answers(models.CellPictures, 404),
    summary="Pictures of a cell",
    openapi_extra=params(param("cell", {"type": "integer"}, "its number", 12, where="path")),
)
async def cell(request: Request) -> Response:
    """Return the pictures of a cell, those nearest its centre first, with their places."""
    return await read(request, _cell, (), request.path_params["cell"])


def _cell(state: State, words: Words, cell: str) -> dict[str, Any]:
    if not (cell.isascii() and cell.isdigit() and len(cell) < 10):
        raise Refusal(404, f"cell {shorten(cell, 20)!r}: no such cell", "cell")
    with asked(404):
        return {"pictures": state.cell(int(cell))}


@router.get(
    "/command",
    responses=answers(models.Command),
    summary="The command line that gives the same",
    openapi_extra=params(FILTERS, SORT),
)
async def command(request: Request) -> Response:
    """Return the command line that gives the same pictures."""
    return await read(request, _command, (*NAMES, "sort"))


def _command(state: State, words: Words) -> dict[str, Any]:
    filters, sort = words.filters(), str(words.text("sort", SORTS[0]))
    with asked():
        state.browser.select(filters, sort)
    return {"command": command_of(filters, sort, state.workspace.location)}
