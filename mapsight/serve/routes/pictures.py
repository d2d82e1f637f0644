"""One picture: what is known of it, a thumbnail, the picture itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mapsight.errors import Failure
from mapsight.features.decode import PictureError
from mapsight.index.pictures import GONE
from mapsight.serve import answers as models
from mapsight.serve.errors import Refusal
from mapsight.serve.facts import facts_of, missing
from mapsight.serve.pictures import SIDES, Shown, side_of, whole
from mapsight.serve.query import query_of
from mapsight.serve.routes.describe import answers, param, params
from mapsight.serve.server import Asked, asked_of
from mapsight.serve.state import State

__all__ = ["router"]

router = APIRouter(tags=["pictures"])
Responses = dict[int | str, dict[str, Any]]
USUAL = 240
SECONDS = 3600
"""For which browsers keep a picture without asking again."""
ID = param("image_id", {"type": "string"}, "of the picture", "00966a975d566c45", where="path")
SIDE = param(
    "side",
    {"type": "integer", "minimum": 1, "maximum": SIDES[-1], "default": USUAL},
    f"pixels of the longer side at most; the next of {', '.join(map(str, SIDES))}",
)
JPEG: Responses = {200: {"content": {"image/jpeg": {}}, "description": "a JPEG"}}
RASTER: Responses = {
    200: {"content": {"image/*": {}}, "description": "JPEG, PNG, GIF, WebP, AVIF or BMP"}
}


@router.get(
    "/pictures/{image_id:path}/thumbnail",
    responses={**answers(None, 404), **JPEG},
    response_class=Response,
    summary="A small picture",
    openapi_extra=params(ID, SIDE),
)
async def thumbnail(request: Request) -> Response:
    """Return a JPEG of a picture; 404 and a reason where it cannot be had."""
    words = query_of(request, ("side",))
    side = side_of(words.whole("side", SIDES[-1], USUAL) or USUAL)
    now = asked_of(request)
    cache, drawers = now.server.cache, now.server.drawers

    def draw(record: dict[str, Any]) -> Shown:
        def make() -> bytes:
            return drawers.own().thumbnail(_bytes(now.state, record), side)

        return Shown(cache.get((record["sha256"], side), make))

    return await _shown(now, f"-{side}", draw)


@router.get(
    "/pictures/{image_id:path}/image",
    responses={**answers(None, 404), **RASTER},
    response_class=Response,
    summary="The picture as it is",
    openapi_extra=params(ID),
)
async def image(request: Request) -> Response:
    """Return a picture's own bytes, or a JPEG of what browsers do not show."""
    query_of(request)
    now = asked_of(request)

    def draw(record: dict[str, Any]) -> Shown:
        return whole(_bytes(now.state, record), now.server.drawers.own())

    return await _shown(now, "", draw)


@router.get(
    "/pictures/{image_id:path}",
    responses=answers(models.Facts, 404),
    summary="All that is known of a picture",
    openapi_extra=params(ID),
)
async def facts(request: Request) -> Response:
    """Return predictions, measures, author, licence, cell, duplicates, and where it came from."""
    query_of(request)
    now = asked_of(request)
    made = await now.server.read.run(facts_of, now.state, request.path_params["image_id"])
    return JSONResponse({"state": now.state.id, **made})


async def _shown(now: Asked, mark: str, draw: Callable[[dict[str, Any]], Shown]) -> Response:
    """Answer with what is drawn of a picture, or that the caller has it.

    Raises:
        Refusal: there is no such picture, or it cannot be drawn (404).
    """
    image_id = now.request.path_params["image_id"]
    record = await now.server.read.run(now.state.record_of, image_id)
    if record is None:
        raise missing(now.state, image_id)
    tag = f'"{record["sha256"][:32]}{mark}"'
    headers = {"ETag": tag, "Cache-Control": f"private, max-age={SECONDS}"}
    if now.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    try:
        shown = await now.server.draw.run(draw, record)
    except (PictureError, Failure, OSError) as error:
        raise Refusal(404, f"{image_id}: {error}") from error
    return Response(shown.data, media_type=shown.kind, headers=headers)


def _bytes(state: State, record: dict[str, Any]) -> bytes:
    data = state.pictures.data(record)
    if data is None:
        raise FileNotFoundError(GONE)
    return data
