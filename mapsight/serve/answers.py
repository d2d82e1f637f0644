"""What the API answers, as its description tells it; docs and tests hold answers to this."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from mapsight.serve.shapes import (
    ITEM,
    STATE,
    Answer,
    Cell,
    Confusion,
    Copied,
    Count,
    Duplicate,
    Error,
    Group,
    Has,
    Histogram,
    Item,
    Label,
    Lost,
    Measure,
    Of,
    Placed,
    Understood,
    example,
)

__all__ = [
    "Answer",
    "CellPictures",
    "Cells",
    "Command",
    "Copied",
    "Error",
    "Evaluation",
    "Facets",
    "Facts",
    "Groups",
    "Item",
    "Label",
    "Labels",
    "Page",
    "Placed",
    "Rejected",
    "Search",
    "Summary",
    "Suspects",
]


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


class Facets(Of):
    """For each filter what it would leave, with all others as they are."""

    total: int
    label: list[Count]
    style: list[Count]
    license: list[Count]
    subset: list[Count]
    split: list[Count]
    format: list[Count]
    truth: list[Count]
    flag: list[Count]
    no_flags: int
    unsure: int
    disputed: int
    duplicates: dict[str, int]
    ppi: Histogram
    sharpness: Histogram
    pixels: Histogram
    score: Histogram


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


class Search(Of):
    """Answers to each query; with `mean` one list for all."""

    model_config = example(
        state=STATE,
        understood=[{"query": "Lion", "kind": "label"}],
        answers=[[{**ITEM, "rank": 1, "similarity": 0.93, "percent": 93.0, "copies": 0}]],
    )
    understood: list[Understood]
    of: int | None = Field(None, description="filters chose from so many, those most alike")
    answers: list[list[Answer]]


class Cells(Of):
    """The map."""

    cells: list[Cell]


class CellPictures(Of):
    """The pictures of a cell, those nearest its centre first."""

    pictures: list[Placed]


class Groups(Of):
    """Groups of duplicates."""

    total: int
    groups: list[Group]
    next: str | None


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
    more: bool = Field(description="the table is full: there may be others")


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
