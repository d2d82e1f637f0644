"""What the stages that make and measure an index leave for later ones, by name and type."""

from __future__ import annotations

from dataclasses import dataclass, field

from mapsight.workspace.stage_facts import Document, Notes, Rows, named

__all__ = [
    "ClusterNotes",
    "IndexNotes",
    "KMeansStep",
    "KnownPictures",
    "RecallNotes",
    "VectorNotes",
]


@dataclass(frozen=True)
class VectorNotes(Notes):
    """How many pictures have new features."""

    rows: int


@dataclass(frozen=True)
class KMeansStep:
    """An iteration: squared distances and shift of whole-number vectors, pictures, empty cells."""

    inertia: int
    rows: int
    shift: int
    empty: int
    seconds: float = 0.0


@dataclass(frozen=True)
class ClusterNotes:
    """The iterations so far, and how many pictures of the last each cell has.

    `way` says which tasks made them, `dimensions` how many numbers of vectors were compared.
    """

    history: list[KMeansStep]
    counts: list[int]
    way: str = ""
    dimensions: int = 0

    @classmethod
    def of(cls, cluster: Document) -> ClusterNotes:
        """Return those of a committed stage `cluster`."""
        notes = cluster["notes"]
        steps = [KMeansStep(**named(KMeansStep, step)) for step in notes["history"]]
        others = notes.get("way", ""), notes.get("dimensions", 0)
        return cls(steps, notes.get("counts", []), *others)


@dataclass(frozen=True)
class IndexNotes(Notes):
    """How vectors are stored (`d` numbers, of which the first `plain_d` are the embedding).

    `cells_d` are the numbers by which rows were put into cells; 0 for all, as in old indexes.
    `ids` are the files of ids by bucket, `odd` counts pictures that are odd for their label. A
    stage that had nothing to index leaves the defaults.
    """

    plain_d: int = 0
    dtype: str = ""
    buckets: int = 0
    d: int = 0
    cells: int = 0
    rows: int = 0
    ids: list[str] = field(default_factory=list)
    cells_d: int = 0
    odd: int = 0


@dataclass(frozen=True)
class RecallNotes(Notes):
    """Recall by features and number of cells read (`mapsight.search.recall.COLUMNS`)."""

    table: Rows


@dataclass(frozen=True)
class KnownPictures:
    """Pictures of an addition that the index has already: how many, and ids of the first."""

    number: int
    first: list[str]

    @classmethod
    def of(cls, known: Document) -> KnownPictures:
        """Return those of a committed stage `known`."""
        return cls(known["counters"]["images"]["known"], known["notes"]["first"])
