"""Pictures as a file: ids, CSV or Parquet, of all that fit filters, or of those that are named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from mapsight.browse.exports import export
from mapsight.browse.filters import NAMES
from mapsight.browse.selection import Selection
from mapsight.serve.bodies import json_object
from mapsight.serve.errors import Refusal, asked
from mapsight.serve.items import UNKNOWN, rows_of
from mapsight.serve.query import Words, query_of
from mapsight.serve.routes.describe import FILTERS, SORT, answers, param, params
from mapsight.serve.server import Asked, asked_of
from mapsight.serve.state import State
from mapsight.serve.work import Pool

__all__ = ["router"]

router = APIRouter(tags=["export"])
KINDS = {
    "ids": ("text/plain; charset=utf-8", "ids.txt"),
    "csv": ("text/csv; charset=utf-8", "pictures.csv"),
    "parquet": ("application/vnd.apache.parquet", "pictures.parquet"),
}
FORM = {"type": "string", "enum": list(KINDS), "default": "ids"}
OTHERS = [one for one in FILTERS if one["name"] != "format"]
FORMAT = param(
    "format",
    {"type": "array", "items": {"type": "string"}},
    f"of the file, {', '.join(KINDS)} (default: ids); other values filter, as elsewhere",
    ["csv"],
)
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {kind.partition(";")[0]: {} for kind, _ in KINDS.values()},
        "description": "a file",
    }
}
NAMED = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "ids": {"type": "array", "items": {"type": "string"}},
                        "format": FORM,
                    },
                    "required": ["ids"],
                },
                "example": {"ids": ["00966a975d566c45"], "format": "csv"},
            }
        },
    }
}


@router.get(
    "/export",
    responses={**answers(None), **FILE},
    response_class=Response,
    summary="All pictures that fit filters, as a file",
    openapi_extra=params(OTHERS, SORT, FORMAT),
)
async def export_fitting(request: Request) -> Response:
    """Return a file of all pictures that fit, as `mapsight select` writes it."""
    now, words = asked_of(request), query_of(request, (*NAMES, "sort"))
    words, form = _apart(words)
    selection = await now.server.read.run(_selected, now.state, words)
    return _file(now, selection, form)


@router.post(
    "/export",
    responses={**answers(None, 404, 413), **FILE},
    response_class=Response,
    summary="Pictures that are named, as a file",
    openapi_extra=NAMED,
)
async def export_named(request: Request) -> Response:
    """Return a file of pictures in the order in which they are named, each once."""
    query_of(request)
    now, body = asked_of(request), await request.body()
    given = await now.server.read.run(json_object, body)
    words = Words({"format": [str(given.get("format", "ids"))]})
    form = str(words.one_of("format", list(KINDS), "ids"))
    ids = _ids(given.get("ids"), now.server.settings.limits.ids)
    selection = await now.server.read.run(_named, now.state, ids)
    return _file(now, selection, form)


def _apart(words: Words) -> tuple[Words, str]:
    """Return words without the format of the file, and that; others are formats of pictures."""
    given = words.values.get("format", ())
    forms = [one for one in given if one in KINDS] or ["ids"]
    if len(forms) > 1:
        raise Refusal(400, f"format: {len(forms)} formats of a file", "format")
    rest = {name: list(values) for name, values in words.values.items() if name != "format"}
    if wanted := [one for one in given if one not in KINDS]:
        rest["format"] = wanted
    return Words(rest), forms[0]


def _selected(state: State, words: Words) -> Selection:
    filters, sort = words.filters(), words.text("sort", "image_id")
    with asked():
        return state.browser.select(filters, str(sort))


def _ids(value: Any, most: int) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Refusal(400, "ids: a list of image_ids", "ids")
    if len(value) > most:
        raise Refusal(400, f"ids: {len(value):,}, at most {most:,}", "ids")
    return list(dict.fromkeys(value))


def _named(state: State, ids: list[str]) -> Selection:
    rows = rows_of(state, ids)
    if (rows == UNKNOWN).any():
        unknown = ids[int(np.argmax(rows == UNKNOWN))]
        raise Refusal(404, f"ids {unknown[:130]!r}: no picture with this image_id", "ids")
    return Selection(state.browser.columns, rows.astype(np.uint32), "image_id")


def _file(now: Asked, selection: Selection, form: str) -> Response:
    """Return a file that is made while it is sent, a piece at a time."""
    kind, name = KINDS[form]
    pieces: Iterator[bytes] = export(selection, form)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
        "X-Mapsight-State": now.state.id,
    }
    return _Streamed(now.server.read, pieces, media_type=kind, headers=headers)


class _Streamed(StreamingResponse):
    """An answer in pieces, which has its place in the queue before it begins, and to its end."""

    def __init__(self, pool: Pool, pieces: Iterator[bytes], **facts: Any) -> None:
        super().__init__(pool.each(pieces), **facts)
        self._pool = pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._pool.place():
            await super().__call__(scope, receive, send)
