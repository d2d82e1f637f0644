"""The command line as small frozen dataclasses: a stage sees its own options."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import fields
from typing import Any, TypeVar

__all__ = ["TypedOptions"]

T = TypeVar("T")


class TypedOptions:
    """Options by their dataclass: of those that are fixed here, else of the command line.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Options:
    ...     labels: tuple[str, ...]
    ...     order: str = "desc"
    >>> TypedOptions(Namespace(labels=["Lion"], other=1))[Options]
    Options(labels=('Lion',), order='desc')
    >>> TypedOptions(Namespace(), Options(("Tiger",), "asc"))[Options].order
    'asc'
    """

    def __init__(self, typed: Namespace, *fixed: object) -> None:
        """Args:
        typed: the parsed command line.
        fixed: options of dataclasses that it does not decide.
        """
        self._typed = typed
        self._made: dict[type[Any], Any] = {type(options): options for options in fixed}

    def __getitem__(self, kind: type[T]) -> T:
        """Return the options of a dataclass.

        Raises:
            TypeError: neither the command line nor the dataclass says what one of them is.
        """
        if kind not in self._made:
            typed = vars(self._typed)
            names = [one.name for one in fields(kind) if one.name in typed]  # type: ignore[arg-type]
            self._made[kind] = kind(**{name: _frozen(typed[name]) for name in names})
        return self._made[kind]

    def fix(self, options: object) -> None:
        """Take these for the options of their dataclass."""
        self._made[type(options)] = options


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
