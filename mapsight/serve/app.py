"""The application: its routes, and the layers that every request passes."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from mapsight import __version__
from mapsight.errors import Failure
from mapsight.serve.errors import Refusal, refused
from mapsight.serve.layers.limits import Limited
from mapsight.serve.layers.log import LOST, Watched
from mapsight.serve.layers.safety import Guard
from mapsight.serve.routes import (
    browse,
    docs,
    export,
    page,
    pictures,
    report,
    search,
    tables,
    token,
)
from mapsight.serve.server import HELD, Server
from mapsight.serve.settings import API

__all__ = ["application"]

DESCRIPTION = """Look through a collection that Mapsight has classified, and ask it.
Nothing here changes it. Each answer is of one `state`, a digest of what it was made from."""
ROUTERS = (browse, export, pictures, search, tables, token)


def application(server: Server) -> ASGIApp:
    """Return the application of a server, as uvicorn runs it."""
    app = FastAPI(
        title="Mapsight",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=server.running,
        redirect_slashes=False,
        exception_handlers={
            Refusal: _refusal,
            HTTPException: _http_error,
            RequestValidationError: _unread,
            Failure: _changed,
            ClientDisconnect: _lost,
            Exception: _broken,
        },
    )
    app.state.server = server
    for module in ROUTERS:
        app.include_router(module.router, prefix=API)
    app.include_router(page.router)
    app.include_router(report.router)
    app.include_router(docs.router)
    limited = Limited(_Held(app, server), server.settings.limits, server.bodies)
    return Watched(Guard(limited, server.settings), server.metrics, server.tell)


class _Held:
    """Holds one state for the whole of a request of the API, its answer included."""

    def __init__(self, app: ASGIApp, server: Server) -> None:
        self._app, self._server = app, server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return
        with self._server.keeper.held() as scope[HELD]:
            await self._app(scope, receive, send)


async def _refusal(request: Request, error: Any) -> Response:
    return error.response()


async def _http_error(request: Request, error: Any) -> Response:
    return refused(error.status_code, str(error.detail), headers=error.headers)


async def _unread(request: Request, error: Any) -> Response:
    first = error.errors()[0]
    field = str(first["loc"][-1])
    return refused(422, f"{field}: {first['msg']}", field)


async def _changed(request: Request, error: Any) -> Response:
    """Say that a file of the workspace is not what it was; the next state may be on its way."""
    return refused(503, str(error), headers={"Retry-After": "5"})


async def _lost(request: Request, error: Any) -> Response:
    """End a request whose client went before it had sent all; nobody gets this."""
    return Response(status_code=LOST)


async def _broken(request: Request, error: Any) -> Response:
    return refused(500, "an error of the server; its log says more")
