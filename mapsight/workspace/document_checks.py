"""Checks of values that were read from a JSON document: types, ranges and names, at any depth."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = [
    "COUNT",
    "FLAG",
    "HEX",
    "INNER",
    "NAME",
    "NOTHING",
    "NUMBER",
    "TEXT",
    "WHOLE",
    "Check",
    "DamagedDocumentError",
    "dumped",
    "either",
    "every",
    "fields",
    "is_inner",
    "is_name",
    "parsed",
    "values",
]

SUM = "sum"
SHOWN = 40

Check = Callable[[Any, str], None]
"""Takes a value and where it stands; raises DamagedDocumentError unless it is what it should be."""


class DamagedDocumentError(ValueError):
    """A document of a workspace is not what was written; says where, and what was expected."""


def is_inner(path: object) -> bool:
    """Return whether a path stays below the folder that it is joined to.

    >>> [is_inner(p) for p in ("a/b", "a", "../a", "/a", "a//b", "a/./b", "a/..", "s3://a", "")]
    [True, True, False, False, False, False, False, False, False]
    """
    if not isinstance(path, str) or "\0" in path or "\\" in path or "://" in path:
        return False
    return all(part not in ("", ".", "..") for part in path.split("/"))


def is_name(name: object) -> bool:
    """Return whether something is the plain name of a file or folder.

    >>> [is_name(n) for n in ("a", "a/b", "..", "", None)]
    [True, False, False, False, False]
    """
    return isinstance(name, str) and is_inner(name) and "/" not in name


def _holds(expected: str, test: Callable[[Any], bool]) -> Check:
    def check(value: Any, at: str) -> None:
        if not test(value):
            shown = json.dumps(value, default=str)
            shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…"
            raise DamagedDocumentError(f"{at}: {expected} expected, not {shown}")

    return check


def _is_number(value: object) -> bool:
    whole = isinstance(value, (int, float)) and not isinstance(value, bool)
    return whole and math.isfinite(value)  # type: ignore[arg-type]


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


TEXT = _holds("a text", lambda v: isinstance(v, str) and "\0" not in v)
WHOLE = _holds("a whole number", _is_whole)
COUNT = _holds("a number from 0", lambda v: _is_whole(v) and v >= 0)
NUMBER = _holds("a number", _is_number)
FLAG = _holds("true or false", lambda v: isinstance(v, bool))
NOTHING = _holds("null", lambda v: v is None)
NAME = _holds("a plain name", is_name)
INNER = _holds("a path below its folder", is_inner)
HEX = _holds("a SHA-256", lambda v: isinstance(v, str) and bool(re.fullmatch("[0-9a-f]{64}", v)))
_LIST = _holds("a list", lambda v: isinstance(v, list))
_OBJECT = _holds("an object", lambda v: isinstance(v, dict))


def every(check: Check) -> Check:
    """Return the check of a list, each of whose items passes a check."""

    def check_all(value: Any, at: str) -> None:
        _LIST(value, at)
        for number, item in enumerate(value):
            check(item, f"{at}[{number}]")

    return check_all


def values(check: Check, key: Check = TEXT) -> Check:
    """Return the check of an object whose keys and values pass checks."""

    def check_all(value: Any, at: str) -> None:
        _OBJECT(value, at)
        for name, item in value.items():
            key(name, f"{at}, a key")
            check(item, f"{at}.{name}")

    return check_all


def fields(
    needed: Mapping[str, Check], others: Mapping[str, Check] | None = None, *, only: bool = False
) -> Check:
    """Return the check of an object with these fields.

    Args:
        needed: checks of fields that must be there.
        others: of those that may be.
        only: no field may be there beside these.
    """
    known = {**(others or {}), **needed}

    def check_all(value: Any, at: str) -> None:
        _OBJECT(value, at)
        for name in needed:
            if name not in value:
                raise DamagedDocumentError(f"{at}: {name} is missing")
        for name, item in value.items():
            if name in known:
                known[name](item, f"{at}.{name}")
            elif only:
                raise DamagedDocumentError(f"{at}.{name}: not a field of it")

    return check_all


def either(*checks: Check) -> Check:
    """Return the check of a value that passes one of some checks; the last says what is wrong."""

    def check_all(value: Any, at: str) -> None:
        for check in checks[:-1]:
            try:
                return check(value, at)
            except DamagedDocumentError:
                continue
        return checks[-1](value, at)

    return check_all


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=1)


def dumped(document: Mapping[str, Any]) -> bytes:
    """Return a document as JSON with a checksum of its own in the field `sum`."""
    bare = {name: value for name, value in document.items() if name != SUM}
    digest = hashlib.sha256(_text(bare).encode()).hexdigest()
    return _text({**bare, SUM: digest}).encode()


def parsed(data: bytes, check: Check, name: str = "document") -> dict[str, Any]:
    """Return the document that was written by `dumped`, or by hand without a checksum.

    Args:
        data: the bytes of its file.
        check: what must hold for it.
        name: what its whole is called in messages.

    Raises:
        DamagedDocumentError: it is no JSON, its checksum is not its own, or the check fails.
    """
    try:
        document = json.loads(data)
    except RecursionError:
        raise DamagedDocumentError(f"{name}: nested too deeply") from None
    except ValueError as error:
        raise DamagedDocumentError(f"{name}: no JSON ({error})") from None
    _OBJECT(document, name)
    known = document.pop(SUM, None)
    if known is not None and known != hashlib.sha256(_text(document).encode()).hexdigest():
        raise DamagedDocumentError(f"{name}: its checksum is not its own")
    check(document, name)
    return document
