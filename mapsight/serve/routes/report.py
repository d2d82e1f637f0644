"""The workspace's report, whose links lead into the page."""

from __future__ import annotations

import re

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mapsight.errors import Failure
from mapsight.report.links import POLICY, with_page_links
from mapsight.serve.errors import Refusal
from mapsight.workspace.workspace import Workspace

__all__ = ["router"]

router = APIRouter(include_in_schema=False)
INDEX = "index.html"
FILE = re.compile(r"index\.html|plots/[a-z_0-9]+\.svg|thumbs/[A-Za-z0-9_-]+\.jpg")
KINDS = {"html": "text/html; charset=utf-8", "svg": "image/svg+xml", "jpg": "image/jpeg"}
MOST_BYTES = 64 << 20
"""Of a file, which is held while it is sent; the page of 10,000 labels has 20 MB."""
HEADERS = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
}


@router.get("/report")
async def folder() -> Response:
    """Lead to the report, whose links are relative to its folder."""
    return RedirectResponse("/report/", headers={"Cache-Control": "no-cache"})


@router.get("/report/{name:path}")
async def file(request: Request, name: str) -> Response:
    """Return a file of the report, as it lies in the workspace now."""
    server = request.app.state.server
    name = name or INDEX
    if not FILE.fullmatch(name):
        raise Refusal(404, "no such file")
    data = await server.read.run(_bytes, server.keeper.state.workspace, name)
    return Response(data, media_type=KINDS[name.rpartition(".")[2]], headers=HEADERS)


def _bytes(workspace: Workspace, name: str) -> bytes:
    """Return a file of the report.

    Raises:
        Refusal: there is none (404), or it is too large (413).
        Failure: it cannot be read.
    """
    path = workspace.path("report", *name.split("/"))
    try:
        if workspace.fs.size(path) > MOST_BYTES:
            raise Refusal(413, f"{name} has more than {MOST_BYTES >> 20} MiB; open it as a file")
        data = workspace.fs.cat_file(path)
        return with_page_links(data) if name == INDEX else data
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        why = "no report; a run to its end makes one, and `mapsight report` makes it again"
        raise Refusal(404, why) from None
    except OSError as error:
        raise Failure(f"{workspace.uri('report', name)}: cannot be read: {error}") from error
