"""What results/ says of the metadata: tables in a folder of their own, and a summary."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.stages.dataset import class_parents, dataset_of, metadata_stamps
from mapsight.labels.labeler import Labels

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["FOLDER", "description_files", "explore_tables"]

FOLDER = "explore"
"""Where the tables lie in results/."""


def description_files(run: Pipeline) -> list[list[Any]]:
    """What the names in the tables depend on."""
    return metadata_stamps(run, "descriptions", "hierarchy")


def explore_tables(run: Pipeline, target: Path) -> dict[str, Any] | None:
    """Write results/explore/; a summary of it, or None where there is no metadata."""
    from mapsight.explore.exploration import Exploration, read_sums
    from mapsight.explore.findings import summarised
    from mapsight.explore.tables import write_tables
    from mapsight.labels.made_with import targets_of
    from mapsight.openimages import dataset as openimages
    from mapsight.results.predictions import records_of

    parts = run.workspace.parts("explore")
    dataset = dataset_of(run)
    if not parts or dataset is None:
        return None
    mids = openimages.read_descriptions(dataset.files["descriptions"])
    if "classify" in run.documents:
        targets = targets_of(run.documents["classify"])
    else:  # without pictures nothing was classified
        targets = run.facts[Labels].targets
    names = {mid: name for name, mid in [*mids.items(), *targets.items()]}
    found = Exploration(read_sums(records_of(parts)), names, class_parents(run), targets)
    write_tables(found, target / FOLDER)
    return summarised(found)
