"""The answers to queries, as a table, as JSON lines or as a page."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from driver.pipeline.pipeline import Pipeline
from driver.results.sheets import PartPictures, cards_of
from driver.text_table import table_lines
from mapsight.search.credits import CREDITS, known_predictions
from mapsight.text import plain

__all__ = ["Question", "show"]

SHOWN_BY = {
    "features": "how alike the model finds them",
    "index": "how alike the model finds them",
    "label": "label, highest PPI first",
}
ORDERS = {
    "diverse": "the best first, then those that are unlike the ones before; near-copies are one",
    "ppi": "of the most alike, highest PPI first",
}
FIELDS = (
    *("query", "rank", "image_id", "score", "label", "style", "ppi", "width", "height", "source"),
    *CREDITS,
)
BY_INDEX = ("cell", "subset", "copies", "probed", "exhausted")


@dataclasses.dataclass
class Question:
    """A query as typed and what has been found out about it.

    A picture from outside is read when it is needed and let go of again: there
    may be thousands of queries. `typed` is shown, so it is without passwords and
    signatures; what opens the picture is `address`, where it is another.
    """

    typed: str
    address: str = ""
    image_id: str | None = None
    sha256: str | None = None
    data: bytes | None = None
    thumbnail: bytes | None = None
    record: dict[str, Any] | None = None
    label: str | None = None
    style: str | None = None
    members: list[Question] = dataclasses.field(default_factory=list)
    only_style: str = ""
    vector: np.ndarray | None = None
    probed: int = 0
    exhausted: bool = False
    share: float = 0.0
    filter: str | None = None
    error: str | None = None
    answers: list[dict[str, Any]] = dataclasses.field(default_factory=list)


def show(run: Pipeline, questions: Sequence[Question]) -> None:
    """Write the answers as the options say: table, JSON lines or a page."""
    options = run.options
    if options.format != "table":
        _give_credit(run, questions)
    if options.format == "html":
        _write_page(run, questions)
        sys.stdout.write(f"{options.out}\n")
        return
    by_index = options.by == "index"
    if options.format == "json":
        text = _json(questions, (*FIELDS, *BY_INDEX) if by_index else FIELDS)
    else:
        text = _table(questions, by_index)
    if options.out:
        Path(options.out).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


def _give_credit(run: Pipeline, questions: Sequence[Question]) -> None:
    """Add title, author, licence and address to the answers, where the results have them."""
    rows = [answer for question in questions for answer in question.answers]
    ours = [row["image_id"] for row in rows if not row.get("part")]
    lookup = run.memo.get("credits") or partial(known_predictions, run.workspace)
    known = lookup(ours, CREDITS)
    for row in rows:
        found = {} if row.get("part") else known.get(row["image_id"], {})
        row.update({name: found.get(name) or row.get(name) for name in CREDITS})


def _json(questions: Sequence[Question], names: Sequence[str]) -> str:
    rows = (
        {**answer, "probed": question.probed, "exhausted": question.exhausted}
        for question in questions
        for answer in question.answers
    )
    return "".join(json.dumps({name: row.get(name) for name in names}) + "\n" for row in rows)


def _table(questions: Sequence[Question], by_index: bool) -> str:
    out = io.StringIO()
    for question in questions:
        if question.error:
            continue
        out.write(": ".join(filter(None, (plain(question.typed), question.label))) + "\n")
        rows = [("rank", "image_id", "score", "label", "ppi", "size", "source")]
        rows += [
            (
                str(a["rank"]),
                a["image_id"],
                f"{a['score']:.4f}",
                a["label"] + (f", {a['style']}" if a.get("style") else ""),
                f"{a['ppi']:.2f}",
                f"{a['width']}×{a['height']}",
                plain(a["source"]),
            )
            for a in question.answers
        ]
        out.writelines(f"  {line}\n" for line in table_lines(rows, left=range(len(rows[0]))))
        if not question.answers:
            out.write("  no picture fits\n")
        if by_index:
            out.write(f"  {_footer(question)}\n")
    return out.getvalue()


def _footer(question: Question) -> str:
    """How much of the index was read for a query."""
    cells = "cell" if question.probed == 1 else "cells"
    kind = f"; {question.only_style}s only" if question.only_style else ""
    text = f"{question.probed:,} {cells} probed, {question.share:.1%} of the index{kind}"
    return text + ("; no other cell has a picture that fits" if question.exhausted else "")


def _write_page(run: Pipeline, questions: Sequence[Question]) -> None:
    from mapsight.features.thumbnails import thumbnail
    from mapsight.report.report import Answer, write_search_page

    pictures = PartPictures(run.memo["collection"].parts)
    pages = []
    for question in questions:
        if question.record and question.image_id:
            question.thumbnail = thumbnail(pictures.data(question.record) or b"")
        pages.append(
            Answer(
                query=question.typed,
                thumbnail=question.thumbnail,
                by=SHOWN_BY[run.options.by],
                label=question.filter,
                cards=list(cards_of(question.answers, pictures)),
                error=question.error,
                predicted=question.label,
                limits=list(_limits(run.options, question)),
            )
        )
    order = ORDERS.get(run.options.rank_by or "", "best first")
    write_search_page(Path(run.options.out), pages, order)


def _limits(options: Namespace, question: Question) -> Iterator[str]:
    """What answers to a query had to be, beside their label."""
    if question.only_style:
        yield f"{question.only_style}s only"
    if options.min_ppi:
        yield f"PPI {options.min_ppi:g} or more"
    if options.license:
        yield f"license with {options.license}"
    if options.subset:
        yield f"subset {options.subset}"
    if options.exclude_self:
        yield "without the query itself"
