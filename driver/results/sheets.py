"""The contact sheets of a workspace: pictures found again by what stages have noted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from driver.results.cards import KEEPER, SheetRows
from mapsight.labels.flags import FLAGS
from mapsight.labels.ranking import EVERYTHING
from mapsight.records import OTHER
from mapsight.text import amount, counted, file_size
from mapsight.workspace.result_facts import MergeNotes, RankOptions

if TYPE_CHECKING:
    from mapsight.workspace.workspace import Workspace

__all__ = [
    "duplicate_sheets",
    "flag_sheets",
    "nearest_pictures",
    "noticed_sheets",
    "quality_sheets",
    "sheets_of",
]

Documents = Mapping[str, dict[str, Any]]


def sheets_of(documents: Documents) -> list[SheetRows]:
    """Return the ranked pictures of a workspace, best first: all, then each label."""
    from mapsight.labels.made_with import targets_of

    sheets = MergeNotes.of(documents["merge"]).sheets
    note = _ranked_by(RankOptions.of(documents["merge"]))
    targets = targets_of(documents["classify"])
    # without target labels `other` is all pictures once more
    order = [EVERYTHING, *targets, OTHER] if targets else [EVERYTHING]
    ranked = [
        SheetRows("All pictures" if name == EVERYTHING else name, note, sheets[name])
        for name in order
        if sheets.get(name)
    ]
    of_all = quality_sheets(documents).get(EVERYTHING, {})
    named = [SheetRows(f"{title} of all", one.note, one.rows) for title, one in of_all.items()]
    return [*named[:1], *ranked, *named[1:]]


QUALITY_SHEETS = {
    "best": ("Best", "highest quality: sure, crisp, large, without flags; of copies one"),
    "unsure": ("Least sure", "lowest score; of copies one"),
    "worst": ("Worst", "lowest quality; of copies one"),
}
"""Title and note by kind."""


def quality_sheets(documents: Documents) -> dict[str, dict[str, SheetRows]]:
    """Return the sheets by label, or EVERYTHING, and title: the best, the least sure, the worst."""
    shown = MergeNotes.of(documents["merge"]).shown
    sheets: dict[str, dict[str, SheetRows]] = {}
    for kind, (title, note) in QUALITY_SHEETS.items():
        for name, rows in shown.get(kind, {}).items():
            sheets.setdefault(name, {})[title] = SheetRows(title, note, rows)
    return sheets


def flag_sheets(documents: Documents) -> list[SheetRows]:
    """Return an even sample of the pictures of each flag that some have."""
    shown = MergeNotes.of(documents["merge"]).shown.get("flagged", {})
    return [SheetRows(f.name, f.rule, shown[f.name]) for f in FLAGS if shown.get(f.name)]


def _ranked_by(options: RankOptions) -> str:
    if options.near_model:
        return "ranked by closest PPI to the model's input"
    how = "lowest" if options.order == "asc" else "highest"
    return f"ranked by {options.rank_by.replace('ppi', 'PPI')}, {how} first"


def nearest_pictures(workspace: Workspace) -> dict[int, list[dict[str, Any]]]:
    """Return the pictures nearest the centres of the largest cells, by cell."""
    from mapsight.index.layout import NEAREST
    from mapsight.index.part import IndexPart

    document = workspace.sound("index")
    if document is None or not document["parts"]:
        return {}
    rows = json.loads(IndexPart(workspace).read(NEAREST))
    return {int(cell): nearest for cell, nearest in rows.items()}


def duplicate_sheets(documents: Documents) -> list[SheetRows]:
    """Return the first pictures of the largest groups of duplicates, the one to be kept first."""
    sheets = []
    for group in MergeNotes.of(documents["merge"]).duplicates:
        rows = [{**row, "label": _alike(row), "rank": None} for row in group["rows"]]
        left = group["pictures"] - len(rows)
        note = f"{file_size(group['bytes'])} could be saved"
        note += f"; {amount(left)} more are not shown" if left else ""
        sheets.append(SheetRows(f"{amount(group['pictures'])} pictures", note, rows))
    return sheets


def _alike(row: Mapping[str, Any]) -> str:
    """Return what a picture is beside the one of its group that would be kept, and its size."""
    size = file_size(row["bytes"])
    if row["kind"] == KEEPER:
        return size
    if row["kind"] == "exact":
        return f"same bytes, {size}"
    bits = row["distance"]
    apart = f"{counted(bits, 'bit')} apart" if bits else "same hash"
    kind = "" if row["kind"] == "near" else f"{row['kind']}, "
    return f"{kind}{apart}, cosine {row['cosine']:.2f}, {size}"


def noticed_sheets(documents: Documents) -> dict[str, SheetRows]:
    """Return the sheets `confused` and `suspects` of the report, where there is any to show."""
    from mapsight.evaluation.counts import EXAMPLES

    notes = MergeNotes.of(documents["merge"])
    noticed = {}
    if pairs := notes.confused:
        counts = (f"{p['truth']} → {p['label']}: {p['pictures']}" for p in pairs)
        rows = [row for pair in pairs for row in pair["rows"]]
        note = f"Verified → predicted label, with the number of test pictures. {'; '.join(counts)}."
        noticed["confused"] = SheetRows("Confusions", note, rows)
    if notes.suspects:
        note = (
            "Pictures of all splits whose predicted label, with a probability above one half,"
            " contradicts what people verified. Labels verified as absent come first, then the"
            " most probable. Prediction or verification may be wrong. suspects.csv has up to"
            f" {EXAMPLES['suspects']} of them."
        )
        noticed["suspects"] = SheetRows("Suspected label errors", note, notes.suspects)
    return noticed
