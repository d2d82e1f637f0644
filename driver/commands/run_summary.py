"""What a run says when it ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from driver.text_table import table_lines
from mapsight.text import counted, plain
from mapsight.workspace.stage_facts import FetchNotes, SideFiles

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["print_summary", "stage_lines"]


def stage_lines(run: Pipeline) -> list[str]:
    """Return the lines of the table a run ends with; none on a terminal, which has them."""
    if sys.stderr.isatty():  # they were told one by one
        return []
    rows = [("stage", "seconds", "")]
    for report in run.reports:
        seconds = "" if report.skipped else f"{report.seconds:,.1f}"
        rows.append((report.name, seconds, "unchanged, not run again" if report.skipped else ""))
    return table_lines(rows, left=(0, 2))


def _outcome(summary: dict[str, Any]) -> Iterator[str]:
    """How many pictures became what, and what of the metadata was of no use."""
    skipped = summary["images_not_selected"]
    yield (
        f"{counted(summary['images_read'], 'picture')} read,"
        f" {summary['images_extracted']:,} classified,"
        f" {summary['images_rejected']:,} rejected"
        + (f", {skipped:,} not selected" if skipped else "")
        + f" ({summary['pictures_per_second']:,} pictures/s in extract)"
    )
    yield from (f"  {code}: {n:,}" for code, n in summary["errors"].items())
    if summary["images_without_annotation"]:
        number = summary["images_without_annotation"]
        yield f"{number:,} {'picture has' if number == 1 else 'pictures have'} no metadata"
    if summary["annotations_without_picture"]:
        number = summary["annotations_without_picture"]
        ids = "annotated id has" if number == 1 else "annotated ids have"
        yield f"{number:,} {ids} no picture (orphans.csv)"
    if summary["duplicates"]:
        from mapsight.duplicates.groups import summarised

        yield summarised(summary["duplicates"])
    if summary["labelled_by"] == "nothing":
        why = f": {summary['no_head']}" if summary["no_head"] else ""
        yield f"no labels: the model has no classes, and there is no head{why}"
    elif summary["no_head"]:
        yield f"no head: {summary['no_head']}; labels are the model's own classes"


def _same_pictures(run: Pipeline) -> Iterator[str]:
    """What may be placeholders: hosts send one picture for all that are gone."""
    fetch = run.documents.get("fetch")
    if same := FetchNotes.of(fetch).same if fetch else 0:
        yield (
            f"same picture: {same:,} addresses returned the same bytes as another; they may be"
            " placeholders for missing pictures (`mapsight duplicates` lists them)"
        )


def _side_files(run: Pipeline) -> Iterator[str]:
    """Which files of archives said nothing of any picture."""
    ingest = run.documents.get("ingest")
    sides = SideFiles.of(ingest) if ingest else None
    if sides and sides.number:
        yield f"side files without a picture: {sides.number:,}, for example {plain(sides.first)}"


def print_summary(run: Pipeline, summary: dict[str, Any] | None, where: dict[str, str]) -> None:
    """Say on stderr what was done, and where it is.

    The report's place is not said here: it is the command's output.
    """
    lines = stage_lines(run)
    if all(report.skipped for report in run.reports):
        lines += ["", "nothing to do: everything is up to date"]
    if summary:
        lines += ["", *_outcome(summary), *_same_pictures(run)]
    lines += _side_files(run)
    lines += [f"{name}: {path}" for name, path in where.items()]
    sys.stderr.write("\n".join(lines) + "\n")
