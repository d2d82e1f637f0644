"""What the user named, looked at once: pictures, an Open Images folder, and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driver.errors import UsageError

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from mapsight.inputs.find import Found
    from mapsight.openimages.dataset import Dataset

__all__ = [
    "Inputs",
    "Vocabulary",
    "class_parents",
    "dataset_of",
    "metadata_files",
    "metadata_stamps",
    "named_inputs",
    "nothing_found",
    "vocabulary_of",
]


@dataclass(frozen=True)
class Inputs:
    """What the user named."""

    images: tuple[str, ...]
    openimages: str | None


def named_inputs(run: Pipeline) -> list[str]:
    """What the user named, as typed."""
    named = run.options_of(Inputs)
    return [*named.images, *([named.openimages] if named.openimages else [])]


def dataset_of(run: Pipeline) -> Dataset | None:
    """The Open Images folder, looked at once."""
    folder = run.options_of(Inputs).openimages
    if not folder:
        return None
    from mapsight.openimages.dataset import Dataset, find_dataset

    try:
        return run.facts.get(Dataset) or run.facts.add(find_dataset(folder))
    except OSError as error:
        raise UsageError(f"--openimages {folder}: {error.strerror or error}") from None


def nothing_found(run: Pipeline) -> str:
    """What to say when there is no picture in the input."""
    dataset = dataset_of(run)
    named = named_inputs(run)
    lists = [found.source for found in dataset.files["images"]] if dataset else []
    advice = f"; to fetch them from their URLs: --images {lists[0]}" if lists else ""
    return f"{', '.join(named)}: no pictures found{advice}"


def metadata_files(run: Pipeline, *kinds: str) -> list[tuple[str, Found]]:
    """Return (kind, file) of each file of the Open Images folder that is of one of these kinds."""
    dataset = dataset_of(run)
    return [(kind, file) for kind in kinds for file in dataset.files[kind]] if dataset else []


def metadata_stamps(run: Pipeline, *kinds: str) -> list[list[Any]]:
    """Return what tells whether these files have changed."""
    files = metadata_files(run, *kinds)
    return [[kind, file.source, file.bytes, file.stamp] for kind, file in files]


def class_parents(run: Pipeline) -> dict[str, tuple[str, ...]]:
    """Return the parents of all classes of the hierarchy by MID; none without metadata."""
    from mapsight.openimages.dataset import read_classes

    dataset = dataset_of(run)
    return read_classes(dataset.files["hierarchy"]) if dataset else {}


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
    from mapsight.openimages.dataset import read_descriptions, read_hierarchy

    names = read_descriptions(dataset.files["descriptions"])
    return run.facts.add(Vocabulary(names, read_hierarchy(dataset.files["hierarchy"])))
