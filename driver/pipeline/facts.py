"""What stages of a run tell each other beside their documents, by its type."""

from __future__ import annotations

from typing import Any, TypeVar

__all__ = ["Facts"]

T = TypeVar("T")


class Facts:
    """At most one fact of each type.

    >>> facts = Facts()
    >>> facts.add(7)
    7
    >>> facts[int], facts.get(str)
    (7, None)
    """

    def __init__(self) -> None:
        self._by_type: dict[type[Any], Any] = {}

    def add(self, fact: T) -> T:
        """Keep a fact in the place of what is known of its type, and return it."""
        self._by_type[type(fact)] = fact
        return fact

    def __getitem__(self, kind: type[T]) -> T:
        """Return the fact of a type; KeyError where nothing was added."""
        return self._by_type[kind]

    def get(self, kind: type[T]) -> T | None:
        """Return the fact of a type, or None."""
        return self._by_type.get(kind)
