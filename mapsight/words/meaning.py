"""What words were taken for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Meaning", "Understood"]

SHOWN = 8
"""Classes that are named; of more only their number."""


@dataclass(frozen=True)
class Meaning:
    """A thing that words name.

    Args:
        words: as they were typed.
        classes: numbers of the model's classes, rising.
        names: of these classes.
        label: a target label of the workspace, or "".
    """

    words: str
    classes: tuple[int, ...]
    names: tuple[str, ...]
    label: str = ""

    def told(self) -> str:
        """Return it as a text: the label, or the classes."""
        if self.label:
            return f"the label {self.label}"
        shown = ", ".join(self.names[:SHOWN])
        if len(self.names) > SHOWN:
            return f"{self.words} ({len(self.names)} classes: {shown}, …)"
        return shown if shown.casefold() == self.words else f"{self.words} ({shown})"


@dataclass(frozen=True)
class Understood:
    """How a text was understood.

    Args:
        things: all of which pictures must show.
        without: none of which they may be taken for.
        style: photo, drawing, or "".
    """

    things: Sequence[Meaning]
    without: Sequence[Meaning] = field(default=())
    style: str = ""

    @property
    def label(self) -> str:
        """Return the label that is all that is looked for, or ""."""
        return self.things[0].label if len(self.things) == 1 else ""

    def told(self) -> str:
        """Return it as a text."""
        parts = [" and ".join(thing.told() for thing in self.things)]
        parts += [f"{self.style}s only"] if self.style else []
        parts += [f"without {thing.told()}" for thing in self.without]
        return "; ".join(parts)
