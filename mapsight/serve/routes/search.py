"""Searching: by ids, labels, URLs, pictures that are sent along, and vectors."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mapsight.search.choices import FEATURES, NEAR_COPIES, RANKS
from mapsight.serve import answers as models
from mapsight.serve.bodies import Queries, json_queries
from mapsight.serve.errors import Refusal
from mapsight.serve.layers.limits import MULTIPART, media_type
from mapsight.serve.query import query_of, words_of
from mapsight.serve.routes.describe import FILTERS, FLAG, TEXT, answers, param, params
from mapsight.serve.searching import MOST, USUAL, WORDS, answered, ask_of
from mapsight.serve.server import Asked, asked_of

__all__ = ["router"]

router = APIRouter(tags=["search"])
MOST_FIELDS, FIELD_BYTES = 500, 1 << 16
SEARCH = [
    param(
        "top_k",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
        "how many answers to each query",
    ),
    param("mean", FLAG, "all queries are one, their mean"),
    param("features", {"type": "string", "enum": list(FEATURES)}, "what is compared"),
    param("probe", {"type": "integer", "minimum": 1}, "cells of the index to read"),
    param("recall", {"type": "number"}, "share of the ten best to find, 0 to 1", 0.95),
    param("rank_by", {"type": "string", "enum": list(RANKS)}, "how answers are ranked"),
    param(
        "near_copies",
        {"type": "string", "enum": list(NEAR_COPIES)},
        "fold: near duplicates are one answer, whose `copies` counts the others",
        "show",
    ),
    param("min_similarity", {"type": "number"}, "least similarity of answers, 0 to 1"),
    param("exclude_self", FLAG, "leave out the query itself"),
    param("by", {"type": "string", "enum": ["index", "features", "label"]}, "what is searched"),
]
Q = param(
    "q",
    {"type": "array", "items": {"type": "string"}},
    'an image_id, words ("big cat -tiger"), or a URL (`q=` again for more)',
    ["Lion"],
)
FIELDS = {one["name"]: one["schema"] for one in (Q, *SEARCH, *FILTERS)}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        **FIELDS,
                    },
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "queries": {"type": "array", "items": TEXT},
                        "vectors": {
                            "type": "array",
                            "items": {"type": "array", "items": {"type": "number"}},
                        },
                        **{name: one for name, one in FIELDS.items() if name != "q"},
                    },
                },
                "example": {"queries": ["Lion", "00966a975d566c45"], "mean": "1", "top_k": 10},
            },
        },
    }
}
REFUSALS = answers(models.Search, 404, 413, 415, 422)


@router.get(
    "/search",
    responses=REFUSALS,
    summary="Pictures most like a query",
    openapi_extra=params(Q, SEARCH, FILTERS),
)
async def search(request: Request) -> Response:
    """Return the pictures most like each query, best first."""
    return await _answer(asked_of(request), Queries(query_of(request, WORDS)))


@router.post(
    "/search",
    responses=REFUSALS,
    summary="Pictures most like pictures that are sent along, or vectors",
    openapi_extra=BODY,
)
async def search_sent(request: Request) -> Response:
    """Return the pictures most like each query of a body, best first."""
    query_of(request)
    kind, now = media_type(request.headers), asked_of(request)
    if kind == "application/json":
        body = await request.body()
        return await _answer(now, await now.server.read.run(json_queries, body))
    if kind != MULTIPART:
        raise Refusal(415, "expected multipart/form-data or application/json", "Content-Type")
    return await _answer_form(request)


async def _answer_form(request: Request) -> Response:
    """Answer a form; its files are on disk if they are large, and gone when it is answered."""
    now = asked_of(request)
    try:
        form = request.form(
            max_files=now.server.settings.limits.queries,
            max_fields=MOST_FIELDS,
            max_part_size=FIELD_BYTES,
        )
        async with form as fields:
            pairs = fields.multi_items()
            files = [value for _, value in pairs if isinstance(value, UploadFile)]
            texts = [(name, value) for name, value in pairs if not isinstance(value, UploadFile)]
            if wrong := [k for k, v in pairs if isinstance(v, UploadFile) and k != "file"]:
                raise Refusal(400, f"{wrong[0]}: files are named file", wrong[0])
            return await _answer(now, Queries(words_of(texts, WORDS), files=files))
    except HTTPException as error:  # what cannot be read as a form
        raise Refusal(400, str(error.detail)) from error


async def _answer(now: Asked, queries: Queries) -> Response:
    """Answer queries: those from outside are looked at first."""
    most, state = now.server.settings.limits.queries, now.state
    ask = ask_of(queries.words, state)
    given: list[Any] = queries.questions(state.names, most)
    outside = queries.outside
    if outside:
        pool = now.server.fetch if outside.has_urls else now.server.look
        await pool.run(outside.look, state, now.server.settings)
    made = await now.server.search.run(answered, state, ask, given)
    return JSONResponse(made)
