"""The words of a request: which names it may have, and their values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from mapsight.browse.filters import NAMES, Filters
from mapsight.near_names import near_names
from mapsight.serve.errors import Refusal, asked
from mapsight.text import shorten

__all__ = ["WHOLE", "Words", "query_of", "words_of"]

MOST_WORDS = 500
WHOLE = re.compile("[0-9]{1,9}")
NUMBER = re.compile(r"[0-9]*\.?[0-9]+([eE][-+]?[0-9]{1,2})?")


@dataclass
class Words:
    """Names and the values that each was given, some of them once alone."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def text(self, name: str, usual: str | None = None) -> str | None:
        """Return the only value of a name."""
        given = self.values.get(name, ())
        if len(given) > 1:
            raise Refusal(400, f"{name}: given {len(given)} times", name)
        return given[0] if given else usual

    def one_of(self, name: str, allowed: Sequence[str], usual: str | None = None) -> str | None:
        """Return the only value of a name, one of some."""
        given = self.text(name, usual)
        if given is not None and given not in allowed:
            raise Refusal(400, f"{name} {shorten(given, 50)!r}: one of {', '.join(allowed)}", name)
        return given

    def whole(self, name: str, most: int, usual: int | None = None) -> int | None:
        """Return a whole number from 1 on."""
        given = self.text(name)
        if given is None:
            return usual
        if not WHOLE.fullmatch(given) or not 1 <= int(given) <= most:
            raise Refusal(400, f"{name} {shorten(given, 50)!r}: 1 to {most:,}", name)
        return int(given)

    def share(self, name: str) -> float | None:
        """Return a number from 0 to 1."""
        given = self.text(name)
        if given is None:
            return None
        if not NUMBER.fullmatch(given) or not 0 <= float(given) <= 1:
            raise Refusal(400, f"{name} {shorten(given, 50)!r}: a share, 0 to 1", name)
        return float(given)

    def flag(self, name: str) -> bool:
        """Return whether a name was given as 1."""
        return self.one_of(name, ("0", "1", "false", "true"), "0") in ("1", "true")

    def filters(self) -> Filters:
        """Return those of the words that say which pictures are wanted."""
        with asked():
            return Filters.parse({k: list(v) for k, v in self.values.items() if k in NAMES})


def words_of(pairs: Sequence[tuple[str, Any]], allowed: Collection[str]) -> Words:
    """Return the words of a request.

    Raises:
        Refusal: there are too many, or a name is not one that is allowed.
    """
    if len(pairs) > MOST_WORDS:
        raise Refusal(400, f"{len(pairs):,} parameters: at most {MOST_WORDS}")
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in allowed:
            near = near_names(name, allowed, 1)
            advice = f"did you mean {near[0]}?" if near else "no such parameter"
            raise Refusal(400, f"{shorten(name, 50)}: {advice}", shorten(name, 50))
        values.setdefault(name, []).append(value)
    return Words(values)


def query_of(request: Request, allowed: Collection[str] = ()) -> Words:
    """Return the words of a request's query string; errors as `words_of`."""
    return words_of(request.query_params.multi_items(), allowed)
