"""Turn records into static, inert HTML by templates."""

from __future__ import annotations

import base64
import functools
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mapsight.features.thumbnails import fitted
from mapsight.license_names import is_web_address, license_name
from mapsight.report.links import POLICY, anchor, page_link
from mapsight.text import amount, duration, percent, plain, shorten

__all__ = ["data_uri", "environment", "license_link", "write_page"]

_ISO_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(Z|[+-][\d:]+)?")
_UTC = ("Z", "+0000", "+00:00")


def write_page(path: Path, template: str, **context: Any) -> None:
    """Render a template of `mapsight/templates` to a UTF-8 file."""
    page = environment().get_template(template).render(context)
    path.write_text(page, encoding="utf-8", newline="\n")


@functools.cache
def environment() -> Environment:
    """Return templates that escape whatever they show, and fail on names they do not know."""
    made = Environment(
        loader=PackageLoader("mapsight", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    made.globals |= {"page_link": page_link, "policy": POLICY}
    made.filters |= {
        "amount": amount,
        "anchor": lambda text, kind: anchor(kind, text),
        "bounds": bounds,
        "data_uri": data_uri,
        "duration": duration,
        "file_name": file_name,
        "license": license_link,
        "license_name": license_name,
        "moment": moment,
        "original": original_of,
        "percent": percent,
        "shell": shlex.quote,
        "short": lambda text, width: shorten(text or "", width),
        "size": size_attributes,
    }
    return made


def _printable(value: Any) -> Any:
    """Return what a template shows of a value: text without control characters, None as nothing."""
    if value is None:
        return ""
    return plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def bounds(interval: Sequence[float]) -> str:
    """Return the interval of `(share, low, high)` in percent.

    >>> bounds((0.5, 0.2366, 0.7634))
    '23.7–76.3'
    """
    return f"{interval[1] * 100:.1f}–{interval[2] * 100:.1f}"


def moment(text: str) -> str:
    """Return an ISO 8601 time as people write it; other text stays as it is.

    >>> moment("2026-01-02T03:04:05+0000"), moment("yesterday")
    ('2026-01-02 03:04:05 UTC', 'yesterday')
    """
    parts = _ISO_TIME.fullmatch(text)
    if not parts:
        return text
    day, time, zone = parts.groups(default="")
    return f"{day} {time} {'UTC' if zone in _UTC else zone}".rstrip()


def file_name(source: str) -> str:
    """Return the last part of a path, a URL or a place in an archive.

    >>> file_name("hdfs:///pictures/lion.jpg"), file_name("cats.tar#a/lion.jpg"), file_name("lion")
    ('lion.jpg', 'lion.jpg', 'lion')
    """
    return source.rstrip("/").rsplit("/", 1)[-1] or source


def data_uri(jpeg: bytes | None) -> str | None:
    """Return a JPEG as a `data:` URI; None stays None."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}" if jpeg else None


def size_attributes(card: Any) -> Markup:
    """Return the `width` and `height` of a card's thumbnail in pixels; nothing if unknown."""
    if not card.width or not card.height:
        return Markup()
    return Markup('width="{}" height="{}"').format(*fitted(card.width, card.height))


def license_link(license_text: str) -> Markup | str:
    """Return a licence as a link where it is an http(s) address, as its text otherwise.

    >>> license_link("https://creativecommons.org/licenses/by-sa/2.0/").striptags()
    'CC BY-SA 2.0'
    >>> license_link("javascript:alert(1)")
    'javascript:alert(1)'
    """
    address = plain(license_text).strip()
    if not is_web_address(address):
        return license_name(address)
    link = Markup('<a href="{}" rel="license noopener">{}</a>')
    return link.format(address, license_name(address))


def original_of(card: Any) -> Markup:
    """Return where a picture comes from: a link for an http(s) address, else text to copy."""
    address = plain(card.original or card.source).strip()
    if is_web_address(address):
        link = Markup('<a href="{}" rel="noopener">{}</a>')
        return link.format(address, shorten(address, 120))
    return Markup('<code class="copy">{}</code>').format(shorten(address, 300))
