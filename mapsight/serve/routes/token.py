"""A token that is given once, for a cookie that a browser keeps."""

from __future__ import annotations

import json

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from mapsight.serve.errors import Refusal
from mapsight.serve.layers.safety import cookie_name, cookie_of, is_token
from mapsight.serve.server import asked_of

__all__ = ["router"]

router = APIRouter(tags=["token"])
BODY = {
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"token": {"type": "string"}},
                "required": ["token"],
            },
            "example": {"token": "correct horse battery staple"},
        }
    },
    "required": True,
}


@router.post(
    "/token",
    status_code=204,
    response_class=Response,
    summary="Take a token for a cookie",
    openapi_extra={"requestBody": BODY},
    responses={401: {"description": "it is another token"}},
)
async def give_cookie(request: Request) -> Response:
    """Answer with a cookie that only this server reads, where the token is the right one."""
    settings, body = asked_of(request).server.settings, await request.body()
    token = settings.token
    if token and not is_token(_given(body), token):
        raise Refusal(401, "this is not the token", "token")
    answer = Response(status_code=204)
    if token:
        answer.set_cookie(
            cookie_name(settings),
            cookie_of(token),
            httponly=True,
            samesite="strict",
            secure=request.headers.get("origin", "").startswith("https://"),
        )
    return answer


def _given(body: bytes) -> str:
    try:
        token = json.loads(body)["token"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise Refusal(400, 'token: expected {"token": "…"}', "token") from None
    return token if isinstance(token, str) else ""
