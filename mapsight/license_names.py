"""Short names of licences that are known by their addresses."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from mapsight.text import plain, shorten

__all__ = ["is_web_address", "license_name"]

_CREATIVE_COMMONS = re.compile(
    r"https?://creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)/?"
)
_DOMAIN = {"zero": "CC0", "mark": "Public Domain Mark"}
TEXT_WIDTH, HOST_WIDTH = 60, 40


def is_web_address(address: str) -> bool:
    """Return whether a text is an http(s) address with a host."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def license_name(license_text: str) -> str:
    """Return a licence's short name; of an unknown address the host, of a text its beginning.

    >>> license_name("https://creativecommons.org/licenses/by-sa/2.0/")
    'CC BY-SA 2.0'
    """
    address = plain(license_text).strip()
    if not is_web_address(address):
        return shorten(address, TEXT_WIDTH)
    known = _CREATIVE_COMMONS.fullmatch(address)
    if not known:
        return shorten(str(urlsplit(address).hostname), HOST_WIDTH)
    kind, name, version = known.groups()
    prefix = f"CC {name.upper()}" if kind == "licenses" else _DOMAIN.get(name, name)
    return f"{prefix} {version}"
