"""The objects that answers of the API are made of."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mapsight.records import COPY_KINDS

__all__ = [
    "ITEM",
    "STATE",
    "Answer",
    "Cell",
    "Confusion",
    "Copied",
    "Count",
    "Duplicate",
    "Error",
    "Group",
    "Has",
    "Histogram",
    "Item",
    "Label",
    "Lost",
    "Measure",
    "Model",
    "Of",
    "Placed",
    "Understood",
    "example",
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
    "flags": ["grayscale"],
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
    duplicate: str | None = Field(description=f"keeper, {', '.join(COPY_KINDS)}; null for none")
    unsure: bool
    disputed: bool = Field(description="people verified other labels")
    truth: list[str] | None
    flags: list[str] = Field(description="what seems wrong with it")


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
    report: bool


class Label(Model):
    """A label, and how many pictures have it."""

    label: str
    mid: str
    pictures: int


class Count(Model):
    """A value and how many pictures have it."""

    value: str | None
    count: int


class Histogram(Model):
    """How many pictures lie between edges."""

    edges: list[float]
    counts: list[int]


class Duplicate(Model):
    """Another picture of the same group."""

    image_id: str
    kind: str


class Understood(Model):
    """What a query was taken for."""

    query: str
    kind: str = Field(description="id, label, words, url, upload or vector")
    words: str | None = Field(None, description="how words were understood")
    style: str | None = Field(
        None, description="answers are of the query's own style alone, as none was asked for"
    )


class Answer(Item):
    """A picture and how like it is."""

    model_config = example(**ITEM, rank=1, similarity=0.93, percent=93.0, copies=0)
    rank: int
    similarity: float
    percent: float | None = Field(description="the similarity as a per cent; null by label")
    copies: int = Field(description="near copies of it that are folded into it")


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


class Placed(Item):
    """A picture and its place in the map of its cell."""

    model_config = example(**ITEM, x=0.41, y=0.37)
    x: float
    y: float


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


class Lost(Model):
    """A picture that could not be used."""

    image_id: str
    source: str | None
    error: str
    detail: str | None


class Confusion(Model):
    """How often pictures of each verified label got each label."""

    labels: list[str]
    truth: list[str]
    counts: list[list[int]]
