"""Pictures found again, and shown on cards and contact sheets."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mapsight.labels.ranking import EVERYTHING
from mapsight.records import OTHER
from mapsight.text import amount, file_size
from mapsight.workspace.result_facts import MergeNotes, RankOptions

if TYPE_CHECKING:
    from mapsight.index.pictures import PartPictures, Pictures
    from mapsight.report.report import Card, Sheet
    from mapsight.workspace.workspace import Workspace

__all__ = [
    "cards_of",
    "cell_sheets",
    "duplicate_sheets",
    "nearest_pictures",
    "noticed_sheets",
    "sheets_of",
]

KEEPER = "keeper"


def cards_of(rows: list[dict[str, Any]], pictures: Pictures | PartPictures) -> Iterator[Card]:
    """Contact-sheet cards of ranked or found pictures, with thumbnails."""
    from mapsight.features.thumbnails import thumbnail
    from mapsight.report.report import Card

    thumbnails = {number: thumbnail(data) for number, data in pictures.each(rows)}
    for number, row in enumerate(rows):
        yield Card(
            image_id=row["image_id"],
            source=row["source"],
            label=_named(row),
            score=row.get("score"),
            rank=row["rank"],
            ppi=row.get("ppi"),
            width=row.get("width"),
            height=row.get("height"),
            license=row.get("license"),
            author=row.get("author"),
            title=row.get("title"),
            copies=row.get("copies") or 0,
            kept=row.get("kind") == KEEPER,
            thumbnail=thumbnails.get(number),
        )


def _named(row: Mapping[str, Any]) -> str:
    """The label, and the finest class where that says more."""
    finest = row.get("top_label")
    return row["label"] if finest in (None, row["label"]) else f"{row['label']} ({finest})"


def sheets_of(workspace: Workspace, documents: dict[str, dict[str, Any]]) -> list[Sheet]:
    """The contact sheets of a workspace, best pictures first: all, then each label."""
    from mapsight.index.pictures import Pictures
    from mapsight.labels.made_with import targets_of
    from mapsight.report.report import Sheet

    sheets = MergeNotes.of(documents["merge"]).sheets
    options = RankOptions.of(documents["merge"])
    pictures = Pictures(workspace, documents["extract"], sys.stderr.write)
    order = [EVERYTHING, *targets_of(documents["classify"]), OTHER]
    by = options.rank_by.replace("ppi", "PPI")
    by = "closest PPI to the model's input" if options.near_model else by
    how = "" if options.near_model else ", highest first"
    if options.order == "asc" and not options.near_model:
        how = ", lowest first"
    return [
        Sheet(
            "All pictures" if name == EVERYTHING else name,
            f"ranked by {by}{how}",
            list(cards_of(sheets[name], pictures)),
        )
        for name in order
        if sheets.get(name)
    ]


def cell_sheets(workspace: Workspace, documents: dict[str, dict[str, Any]]) -> list[Sheet]:
    """The pictures nearest the centres of the largest cells, largest cell first."""
    from mapsight.index.pictures import Pictures
    from mapsight.report.report import Sheet

    pictures = Pictures(workspace, documents["extract"], sys.stderr.write)
    ranked = {
        cell: [{**row, "rank": rank} for rank, row in enumerate(rows, 1)]
        for cell, rows in nearest_pictures(workspace).items()
    }
    return [
        Sheet(f"Cell {cell}: pictures nearest the centre", "", list(cards_of(rows, pictures)))
        for cell, rows in ranked.items()
    ]


def nearest_pictures(workspace: Workspace) -> dict[int, list[dict[str, Any]]]:
    """Return the pictures nearest the centres of the largest cells, by cell."""
    from mapsight.index.layout import NEAREST
    from mapsight.index.part import IndexPart

    document = workspace.sound("index")
    if document is None or not document["parts"]:
        return {}
    rows = json.loads(IndexPart(workspace).read(NEAREST))
    return {int(cell): nearest for cell, nearest in rows.items()}


def duplicate_sheets(workspace: Workspace, documents: dict[str, dict[str, Any]]) -> list[Sheet]:
    """The first pictures of the largest groups of duplicates, the one to be kept first."""
    from mapsight.index.pictures import Pictures
    from mapsight.report.report import Sheet

    pictures = Pictures(workspace, documents["extract"], sys.stderr.write)
    sheets = []
    for group in MergeNotes.of(documents["merge"]).duplicates:
        rows = [{**row, "label": _alike(row), "rank": None} for row in group["rows"]]
        left = group["pictures"] - len(rows)
        note = f"{file_size(group['bytes'])} could be saved"
        note += f"; {amount(left)} more are not shown" if left else ""
        title = f"{amount(group['pictures'])} pictures"
        sheets.append(Sheet(title, note, list(cards_of(rows, pictures))))
    return sheets


def _alike(row: Mapping[str, Any]) -> str:
    """What a picture is beside the one of its group that would be kept, and its size."""
    size = file_size(row["bytes"])
    if row["kind"] == KEEPER:
        return size
    if row["kind"] == "exact":
        return f"same bytes, {size}"
    bits = row["distance"]
    apart = f"dHash {bits} {'bit' if bits == 1 else 'bits'} apart" if bits else "same dHash"
    return f"{apart}, cosine {row['cosine']:.2f}, {size}"


def noticed_sheets(
    workspace: Workspace, documents: dict[str, dict[str, Any]]
) -> dict[str, Sheet | None]:
    """The sheets `confused` and `suspects` of the report; None where there is nothing to show."""
    from mapsight.index.pictures import Pictures
    from mapsight.report.report import Sheet

    notes = MergeNotes.of(documents["merge"])
    pictures = Pictures(workspace, documents["extract"], sys.stderr.write)
    found: dict[str, Sheet | None] = {"confused": None, "suspects": None}
    pairs = notes.confused
    if pairs:
        counts = (f"{p['truth']} → {p['label']}: {p['pictures']}" for p in pairs)
        rows = [row for pair in pairs for row in pair["rows"]]
        note = f"Verified → predicted label, with the number of test pictures. {'; '.join(counts)}."
        found["confused"] = Sheet("Confusions", note, list(cards_of(rows, pictures)))
    if notes.suspects:
        note = (
            "Pictures of all splits whose predicted label, with a probability above one half,"
            " contradicts what people verified. Labels verified as absent come first, then the"
            " most probable. Prediction or verification may be wrong. All are in suspects.csv."
        )
        cards = list(cards_of(notes.suspects, pictures))
        found["suspects"] = Sheet("Suspected label errors", note, cards)
    return found
