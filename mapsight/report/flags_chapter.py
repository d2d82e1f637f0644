"""The chapter of the report on what seems wrong with pictures: their flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mapsight.labels.flags import FLAGS
from mapsight.report.cards import Sheet
from mapsight.report.summary import Run

__all__ = ["FlagRow", "flag_rows"]


@dataclass(frozen=True)
class FlagRow:
    """Hold a flag, how many pictures have it, and a sample of them if there is one."""

    name: str
    title: str
    rule: str
    pictures: int
    share: float
    sheet: Sheet | None


def flag_rows(run: Run, sheets: Sequence[Sheet]) -> list[FlagRow]:
    """Return the flags that pictures have, in the order of the table; none where nobody looked.

    Args:
        sheets: samples, whose titles are names of flags.
    """
    samples = {sheet.title: sheet for sheet in sheets}
    pictures = run["images_extracted"] or 1
    return [
        FlagRow(flag.name, flag.title, flag.rule, n, n / pictures, samples.get(flag.name))
        for flag in FLAGS
        if (n := run["flags"].get(flag.name, 0))
    ]
