"""The Open Images folder that a run reads, looked at once."""

from __future__ import annotations

from dataclasses import dataclass

from driver.errors import UsageError
from driver.pipeline.pipeline import Pipeline
from mapsight.openimages import dataset as openimages

__all__ = ["Inputs", "dataset_of", "vocabulary_of"]


@dataclass(frozen=True)
class Inputs:
    """What the user named."""

    images: tuple[str, ...]
    openimages: str | None


def dataset_of(run: Pipeline) -> openimages.Dataset | None:
    """The Open Images folder, looked at once."""
    folder = run.options_of(Inputs).openimages
    if folder and "dataset" not in run.memo:
        try:
            run.memo["dataset"] = openimages.find_dataset(folder)
        except OSError as error:
            raise UsageError(f"--openimages {folder}: {error.strerror or error}") from None
    return run.memo.get("dataset")


def vocabulary_of(run: Pipeline) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """(MID by name, parents by MID) of the collection's own metadata, read once."""
    if "vocabulary" not in run.memo:
        dataset = dataset_of(run)
        names = openimages.read_descriptions(dataset.files["descriptions"]) if dataset else {}
        above = openimages.read_hierarchy(dataset.files["hierarchy"]) if dataset else {}
        run.memo["vocabulary"] = names, above
    return run.memo["vocabulary"]
