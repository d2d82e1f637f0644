"""What a host asks of programs that come by: `robots.txt` (RFC 9309) and `X-Robots-Tag`.

Python's own parser of robots.txt knows no `*` inside a path and no `$`, by which most rules about
pictures are written, and takes the first rule that fits, not the longest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urlsplit

__all__ = ["DIRECTIVES", "EVERYTHING", "MOST_BYTES", "NAME", "Rules", "disallowing_tag", "rules_in"]

NAME = "mapsight"
"""The name by which rules can address this program."""
MOST_BYTES = 512 << 10
"""Of a robots.txt that is read; RFC 9309 asks for 500 KiB at least."""
DIRECTIVES = ("noai", "noimageai", "noindex", "noimageindex", "none")
"""Of `X-Robots-Tag`: a picture with one of these is not used."""
SAFE = "/*$?&=+:@!,;'()~-._"
TAG = re.compile(r"\s*([\w-]+)\s*:(.*)", re.S)
NOT_AGENTS = ("max-snippet", "max-image-preview", "max-video-preview", "unavailable_after")
LONGEST_DELAY = 3600.0  # seconds


@dataclass(frozen=True)
class Rules:
    """What a robots.txt allows this program.

    Args:
        rules: (whether it allows, pattern of a path).
        delay: seconds between two requests that it asks for.
        size: bytes that it has.
    """

    rules: Sequence[tuple[bool, str]] = ()
    delay: float = 0.0
    size: int = 0

    def allow(self, url: str) -> bool:
        """Return whether a URL may be asked for: the longest pattern decides, else `Allow`."""
        parts = urlsplit(url.strip())
        path = _plain(f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}")
        fitting = ((len(pattern), allows) for allows, pattern in self.rules if _fits(pattern, path))
        return max(fitting, default=(0, True))[1]


EVERYTHING = Rules()


def rules_in(data: bytes, name: str = NAME) -> Rules:
    """Return what the bytes of a robots.txt say to a program: the groups of its name, else of `*`.

    What cannot be read is passed over.

    >>> rules_in(b"User-agent: *\\nDisallow: /*.jpg$\\nCrawl-delay: 2").delay
    2.0
    """
    text = data[:MOST_BYTES].decode("utf-8", "replace").removeprefix("\ufeff")
    own, others = _groups(text, name.lower())
    lines = others if own is None else own
    rules = [(key == "allow", _plain(value)) for key, value in lines if key in RULES and value]
    delays = [_seconds(value) for key, value in lines if key == "crawl-delay"]
    return Rules(tuple(rules), max(delays, default=0.0), len(data))


RULES = ("allow", "disallow")
_Lines = list[tuple[str, str]]


def _groups(text: str, name: str) -> tuple[_Lines | None, _Lines]:
    """Return the lines of groups for a name, None where there are none, and of those for all."""
    own: _Lines | None = None
    others: _Lines = []
    agents: set[str] = set()
    naming = False
    for line in text.splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon:
            continue
        if key == "user-agent":
            agents = agents if naming else set()
            agents.add(_token(value))
            naming = True
            if name in agents and own is None:
                own = []
        elif key in (*RULES, "crawl-delay"):
            naming = False
            if own is not None and name in agents:
                own.append((key, value))
            if "*" in agents:
                others.append((key, value))
    return own, others


def _token(value: str) -> str:
    """Return the name of a program, without its version."""
    return "*" if value == "*" else value.split("/")[0].strip().lower()


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        return 0.0
    return min(seconds, LONGEST_DELAY) if seconds > 0 else 0.0


def _plain(path: str) -> str:
    """Return a path with one way to write each character."""
    return quote(unquote_to_bytes(path), SAFE)


def _fits(pattern: str, path: str) -> bool:
    """Return whether a pattern, in which `*` is anything and `$` the end, begins a path.

    The first place of each piece is as good as any, so that time is linear.
    """
    ends = pattern.endswith("$")
    first, *pieces = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    place = len(first)
    for number, piece in enumerate(pieces, 1):
        if ends and number == len(pieces):
            return len(path) - len(piece) >= place and path.endswith(piece)
        place = path.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return place == len(path) or not ends


def disallowing_tag(values: Iterable[str], name: str = NAME) -> str:
    """Return which of DIRECTIVES the values of `X-Robots-Tag` say to a program; "" for none.

    >>> disallowing_tag(["noarchive, NoAI"]), disallowing_tag(["otherbot: noindex"])
    ('noai', '')
    """
    for value in values:
        found = TAG.fullmatch(value)
        agent = found[1].lower() if found else ""
        if found and agent not in (*NOT_AGENTS, name.lower()):
            continue
        text = found[2] if found and agent == name.lower() else value
        said = {word.strip().lower() for word in text.split(",")}
        if named := [one for one in DIRECTIVES if one in said]:
            return named[0]
    return ""
