"""The Open Images folder that a run reads, looked at once."""

from __future__ import annotations

from dataclasses import dataclass

from driver.errors import UsageError
from driver.pipeline.pipeline import Pipeline
from mapsight.openimages import dataset as openimages

__all__ = ["Inputs", "Vocabulary", "dataset_of", "vocabulary_of"]


@dataclass(frozen=True)
class Inputs:
    """What the user named."""

    images: tuple[str, ...]
    openimages: str | None


def dataset_of(run: Pipeline) -> openimages.Dataset | None:
    """The Open Images folder, looked at once."""
    folder = run.options_of(Inputs).openimages
    known = run.facts.get(openimages.Dataset)
    if known or not folder:
        return known
    try:
        return run.facts.add(openimages.find_dataset(folder))
    except OSError as error:
        raise UsageError(f"--openimages {folder}: {error.strerror or error}") from None


@dataclass(frozen=True)
class Vocabulary:
    """MIDs by name, and parents by MID, of the collection's own metadata."""

    names: dict[str, str]
    parents: dict[str, tuple[str, ...]]


def vocabulary_of(run: Pipeline) -> Vocabulary:
    """Return the vocabulary of the Open Images folder, read once; an empty one without."""
    if known := run.facts.get(Vocabulary):
        return known
    dataset = dataset_of(run)
    if dataset is None:
        return run.facts.add(Vocabulary({}, {}))
    names = openimages.read_descriptions(dataset.files["descriptions"])
    return run.facts.add(Vocabulary(names, openimages.read_hierarchy(dataset.files["hierarchy"])))
