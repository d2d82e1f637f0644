"""What the API answers, as its description tells it; docs and tests hold answers to this."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "CellPictures",
    "Cells",
    "Command",
    "Error",
    "Evaluation",
    "Facets",
    "Facts",
    "Groups",
    "Labels",
    "Page",
    "Rejected",
    "Search",
    "Summary",
    "Suspects",
]

ITEM = {
    "image_id": "00966a975d566c45",
    "label": "Lion",
    "score": 0.97,
    "style": "photo",
    "top_label": "Lion",
    "ppi": 24.9,
    "width": 640,
    "height": 480,
    "sharpness": 812.4,
    "license": "CC BY 2.0",
    "license_url": "https://creativecommons.org/licenses/by/2.0/",
    "author": "J. Doe",
    "subset": "train",
    "cell": 12,
    "duplicate": "keeper",
    "unsure": False,
    "disputed": False,
    "truth": ["Lion"],
}
STATE = "a4fbde8d4e81b63e"


class Model(BaseModel):
    """An answer without fields that are not described."""

    model_config = ConfigDict(extra="forbid")


def example(**fields: Any) -> ConfigDict:
    """Return how a model is described: with an example."""
    return ConfigDict(extra="forbid", json_schema_extra={"example": fields})


class Error(Model):
    """Why there is no other answer."""

    model_config = example(error="min_ppi 'x': a number in plain digits", field="min_ppi")
    error: str
    field: str | None = None


class Of(Model):
    """An answer of one state of the workspace."""

    state: str = Field(description="digest of all that the answer was made from")


class Item(Model):
    """What is known of a picture, for a grid."""

    model_config = example(**ITEM)
    image_id: str
    label: str | None
    score: float | None
    style: str | None
    top_label: str | None
    ppi: float | None
    width: int | None
    height: int | None
    sharpness: float | None
    license: str | None
    license_url: str | None
    author: str | None
    subset: str | None
    cell: int | None
    duplicate: str | None = Field(description="keeper, near or exact; null for none")
    unsure: bool
    disputed: bool = Field(description="people verified other labels")
    truth: list[str] | None


class Measure(Model):
    """A measure that can be sorted and filtered by."""

    name: str
    title: str
    unit: str
    digits: int


class Has(Model):
    """What the workspace knows."""

    head: bool
    style: bool
    truth: bool
    duplicates: bool
    evaluation: bool
    suspects: bool
    license: bool
    author: bool
    subset: bool
    index: bool


class Summary(Of):
    """What is served."""

    name: str
    pictures: int
    rejected: int
    labels: int
    has: Has
    measures: list[Measure]
    sorts: list[str]
    top_k_max: int
    runs_at: str | None


class Label(Model):
    """A label, and how many pictures have it."""

    label: str
    mid: str
    pictures: int


class Labels(Of):
    """All labels."""

    model_config = example(
        state=STATE, labels=[{"label": "Lion", "mid": "/m/096mb", "pictures": 70}]
    )
    labels: list[Label]


class Page(Of):
    """Some pictures, in order."""

    model_config = example(state=STATE, total=983, items=[ITEM], next="eyJzIjoi…")
    total: int
    items: list[Item]
    next: str | None = Field(description="the cursor of the next page; null at the end")


class Count(Model):
    """A value and how many pictures have it."""

    value: str | None
    count: int


class Histogram(Model):
    """How many pictures lie between edges."""

    edges: list[float]
    counts: list[int]


class Facets(Of):
    """For each filter what it would leave, with all others as they are."""

    total: int
    label: list[Count]
    style: list[Count]
    license: list[Count]
    subset: list[Count]
    format: list[Count]
    truth: list[Count]
    unsure: int
    disputed: int
    duplicates: dict[str, int]
    ppi: Histogram
    sharpness: Histogram
    pixels: Histogram
    score: Histogram


class Duplicate(Model):
    """Another picture of the same group."""

    image_id: str
    kind: str


class Facts(Item, Of):
    """All that is known of a picture."""

    model_config = example(
        **ITEM,
        state=STATE,
        predictions={"label": "Lion", "mid": "/m/096mb", "top_probability": 0.91},
        measures={"ppi": 24.9, "pixels": 307200, "format": "JPEG"},
        original_url="https://images.example/lion.jpg",
        title="A lion",
        caption="A lion in the grass",
        source="pictures/00966a975d566c45.jpg",
        duplicates=[{"image_id": "84fafa437c33a72b", "kind": "near"}],
    )
    predictions: dict[str, Any]
    measures: dict[str, Any]
    original_url: str | None
    title: str | None
    caption: str | None
    source: str | None
    duplicates: list[Duplicate]


class Understood(Model):
    """What a query was taken for."""

    query: str
    kind: str = Field(description="id, label, url, upload or vector")


class Answer(Item):
    """A picture and how like it is."""

    model_config = example(**ITEM, rank=1, similarity=0.93, copies=0)
    rank: int
    similarity: float
    copies: int = Field(description="copies of it that are left out (rank_by=diverse)")


class Search(Of):
    """Answers to each query; with `mean` one list for all."""

    model_config = example(
        state=STATE,
        understood=[{"query": "Lion", "kind": "label"}],
        answers=[[{**ITEM, "rank": 1, "similarity": 0.93, "copies": 0}]],
    )
    understood: list[Understood]
    of: int | None = Field(None, description="filters chose from so many, those most alike")
    answers: list[list[Answer]]


class Cell(Model):
    """A cell of the index on the map."""

    cell: int
    x: float
    y: float
    r: float = Field(description="radius of its disc, which overlaps no other")
    pictures: int
    label: str | None
    purity: float | None
    name: str | None
    picture: str | None
    ppi: float | None
    sharpness: float | None
    score: float | None


class Cells(Of):
    """The map."""

    cells: list[Cell]


class Placed(Item):
    """A picture and its place in the map of its cell."""

    model_config = example(**ITEM, x=0.41, y=0.37)
    x: float
    y: float


class CellPictures(Of):
    """The pictures of a cell, those nearest its centre first."""

    pictures: list[Placed]


class Copied(Item):
    """A picture of a group."""

    model_config = example(**{**ITEM, "duplicate": "near"}, kind="near", distance=2, cosine=0.9961)
    kind: str
    distance: int | None
    cosine: float | None


class Group(Model):
    """Pictures that are nearly or exactly the same."""

    keeper: str
    why: str
    pictures: list[Copied]


class Groups(Of):
    """Groups of duplicates."""

    total: int
    groups: list[Group]
    next: str | None


class Lost(Model):
    """A picture that could not be used."""

    image_id: str
    source: str | None
    error: str
    detail: str | None


class Rejected(Of):
    """Pictures that could not be used."""

    model_config = example(
        state=STATE,
        counts={"truncated": 1},
        items=[
            {
                "image_id": "1f3a6c0d9be27788",
                "source": "pictures/half.jpg",
                "error": "truncated",
                "detail": "image file is truncated (2 bytes not processed)",
            }
        ],
        next="MWYzYTZj",
    )
    counts: dict[str, int]
    items: list[Lost]
    next: str | None


class Suspects(Of):
    """Suspected errors of labels: pictures, with the columns of suspects.csv."""

    items: list[dict[str, Any]]


class Confusion(Model):
    """How often pictures of each verified label got each label."""

    labels: list[str]
    truth: list[str]
    counts: list[list[int]]


class Evaluation(Of):
    """How good the labels are."""

    accuracy: list[dict[str, Any]]
    confusion: Confusion
    reliability: list[dict[str, Any]]
    summary: list[dict[str, Any]]


class Command(Of):
    """The command line that gives the same."""

    model_config = example(state=STATE, command="mapsight select --label Lion --sort -sharpness")
    command: str
