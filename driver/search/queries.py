"""The queries of a search, as they were typed or stand in a file."""

from __future__ import annotations

import errno
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator

from driver.errors import UsageError
from driver.streams import closed_streams
from mapsight.text_files import decoded, read_text

__all__ = ["STDIN", "queries_in", "typed_queries"]

STDIN = "-"


def typed_queries(options: Namespace) -> list[str]:
    """The queries of the command line and of --queries, which is not read where `each` is."""
    queries = list(options.query)
    if options.each:
        return queries
    if options.queries:
        try:
            text = _text_of(options.queries)
        except OSError as error:
            why = error.strerror or error
            raise UsageError(f"--queries {options.queries}: cannot be read: {why}") from None
        except ValueError as error:
            raise UsageError(f"--queries {options.queries}: {error}") from None
        queries += queries_in(text.splitlines())
    if not queries and not getattr(options, "vector", None):
        raise UsageError(
            "name a picture file, a URL, an image_id or a label, or --queries FILE or --vector FILE"
        )
    return queries


def _text_of(name: str) -> str:
    if name == STDIN and "standard input" in closed_streams():
        raise OSError(errno.EBADF, "standard input is closed")
    if name != STDIN:
        return read_text(name)
    return decoded(sys.stdin.buffer.read()) if hasattr(sys.stdin, "buffer") else sys.stdin.read()


def queries_in(lines: Iterable[str]) -> Iterator[str]:
    """The queries of some lines: all but empty ones and remarks."""
    stripped = (line.removeprefix("\ufeff").strip() for line in lines)
    return (line for line in stripped if line and not line.startswith("#"))
