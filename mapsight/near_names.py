"""Names that somebody who mistyped one may have meant."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["near_names"]

LIKENESS = 0.75
"""Least share of letters that two names have in common and in order (Ratcliff and Obershelp)."""
LONGEST = 100


def near_names(text: str, names: Iterable[str], most: int) -> list[str]:
    """Return at most `most` of some names that are nearly the text, the nearest first.

    Dashes in front do not count: `--a` and `--b` have nothing in common. A name that is a
    whole word of the text is near, too.

    >>> near_names("--imges", ["--images", "--ranks"], 1), near_names("other", ["tiger"], 1)
    (['--images'], [])
    """
    if len(text) > LONGEST:
        return []
    import difflib

    bare = {name.lstrip("-"): name for name in reversed(list(names))}
    word = text.lstrip("-")
    close = difflib.get_close_matches(word, bare, most, LIKENESS)
    whole = [one for one in word.split() if one in bare and one not in close]
    return [bare[one] for one in [*close, *whole][:most]]
