"""A plain page that lists the routes of the API, for people."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mapsight.serve.settings import API

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Mapsight: API</title>
<h1>The API of Mapsight</h1>
<p>{about}</p>
<p><a href="{description}">{description}</a> describes all of it, with examples.
<a href="/">To the page</a></p>
{routes}
</html>
"""


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Return the routes with what they answer and take."""
    described = request.app.openapi()
    routes = [
        _route(method.upper(), path, one)
        for path, methods in described["paths"].items()
        for method, one in methods.items()
    ]
    about = escape(described["info"]["description"])
    description = f"{API}/openapi.json"
    page = PAGE.format(about=about, description=description, routes="\n".join(routes))
    return HTMLResponse(page)


@router.get(API)
@router.get(f"{API}/")
async def root() -> Response:
    """Lead to what describes the API."""
    return RedirectResponse("/docs")


def _route(method: str, path: str, known: dict[str, Any]) -> str:
    rows = "".join(
        f"<dt><code>{escape(one['name'])}</code></dt><dd>{escape(one['description'])}</dd>"
        for one in known.get("parameters", [])
    )
    title = f"<h2><code>{method} {escape(path)}</code></h2>"
    return f"{title}<p>{escape(known['summary'])}</p><dl>{rows}</dl>"
