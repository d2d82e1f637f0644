"""Addresses: within the report, and into the page of `mapsight serve` where that shows the report.

A report that is opened as a folder has no page to link to. So a link into the page stands in it as
a comment, which `with_page_links` turns into a link when a server shows it at `/report/`.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

from markupsafe import Markup

__all__ = ["POLICY", "anchor", "page_link", "with_page_links"]

POLICY = (
    "default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline';"
    " base-uri 'none'; form-action 'none'"
)
"""The Content-Security-Policy of a report; a server must not send a stricter one with it."""
_BODY, _BACK = b"<body>", b'<a class="back" href="../">Back to the page</a>'
_LINK = re.compile(rb"<!--page (\?[A-Za-z0-9%&=._~]+)-->")


def anchor(kind: str, text: str) -> str:
    """Return the id of what a page shows of a text, which may contain any character."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{kind}-{digest[:16]}"


def page_link(**query: str) -> Markup:
    """Return the mark of a link into the page, which shows nothing in a folder.

    >>> print(page_link(label="Sea-lion", style="photo"))
    <!--page ?label=Sea%2Dlion&style=photo-->
    """
    pairs = (f"{name}={_quoted(value)}" for name, value in query.items())
    return Markup(f"<!--page ?{'&'.join(pairs)}-->")


def _quoted(text: str) -> str:
    # two hyphens would end the comment
    return quote(text, safe="", errors="replace").replace("-", "%2D")


def with_page_links(html: bytes) -> bytes:
    """Return a report's index.html with its links into the page, which is one folder above it.

    One at its top leads back to the page.

    >>> with_page_links(b"<!--page ?label=Lion&q=a-->").decode()
    '<a class="page" href="../?label=Lion&amp;q=a">Open in the page</a>'
    """
    return _LINK.sub(_anchor, html.replace(_BODY, _BODY + _BACK, 1))


def _anchor(mark: re.Match[bytes]) -> bytes:
    query = mark[1].replace(b"&", b"&amp;")
    return b'<a class="page" href="../%s">Open in the page</a>' % query
