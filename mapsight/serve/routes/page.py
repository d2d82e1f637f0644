"""The page's own files, and what programs ask of a server: whether it is well, its figures."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mapsight import __version__
from mapsight.serve.errors import Refusal

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
FOLDER = Path(__file__).resolve().parent.parent / "page"
INDEX = "index.html"
READING = ["GET", "HEAD"]
KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
}

FILE = re.compile(r"([a-z_]+/)?[a-z_]+\.(html|css|js|png)")


@router.api_route("/", methods=READING)
async def index(request: Request) -> Response:
    """Return the page."""
    return _file(request, INDEX)


@router.api_route("/page/{name:path}", methods=READING)
async def file(request: Request, name: str) -> Response:
    """Return a file of the page."""
    return _file(request, name)


@router.get("/favicon.ico")
async def icon() -> Response:
    """Return nothing: browsers ask, and would write down that there is none."""
    return Response(status_code=204)


@router.get("/healthz")
async def health(request: Request) -> Response:
    """Return whether the server answers, and whether from the newest state."""
    keeper = request.app.state.server.keeper
    answer = {"ok": True, "version": __version__, "state": keeper.state.id}
    return JSONResponse(answer | ({"stale": keeper.error} if keeper.error else {}))


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return figures for Prometheus."""
    text = request.app.state.server.metrics.text()
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _file(request: Request, name: str) -> Response:
    """Return one of the files of the folder, which are named so that no other can be."""
    path = FOLDER / name
    if not (FILE.fullmatch(name) and path.is_file()):
        raise Refusal(404, "no such file")
    kind, data = KINDS[path.suffix], path.read_bytes()
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=kind, headers=headers)
