"""Showing the answers to queries: as a table, as JSON lines or as a page."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from driver.pipeline.pipeline import Pipeline
from driver.results.cards import cards_of
from driver.search.asked import Asked
from driver.text_table import table_lines
from mapsight.index.collection import Collection
from mapsight.index.pictures import PartPictures
from mapsight.search.credits import CopiedCredits, give_credit, known_predictions
from mapsight.search.options import SearchOptions
from mapsight.search.question import BY_INDEX, FIELDS, Question, answer_rows
from mapsight.text import plain

__all__ = ["show"]

SHOWN_BY = {
    "features": "similarity of features",
    "index": "similarity of features",
    "label": "label, highest PPI first",
}
ORDERS = {
    "diverse": "best first, then those least like the ones above; near-duplicates are folded",
    "ppi": "of the most alike, highest PPI first",
}


def show(run: Pipeline, questions: Sequence[Question]) -> None:
    """Write the answers as the options say: table, ids, JSON lines or a page."""
    options = run.options_of(Asked)
    if options.format != "table":
        lookup = run.facts.get(CopiedCredits) or partial(known_predictions, run.workspace)
        give_credit([row for question in questions for row in question.answers], lookup)
    if options.format == "html":
        _write_page(run, questions)
        sys.stdout.write(f"{options.out}\n")
        return
    by_index = options.by == "index"
    if options.only_ids:
        text = "".join(f"{row['image_id']}\n" for one in questions for row in one.answers)
    elif options.format == "json":
        text = _json(questions, (*FIELDS, *BY_INDEX) if by_index else FIELDS)
    else:
        text = _table(questions, by_index, typed_filters(run.options_of(SearchOptions)))
    if options.out:
        Path(options.out).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


def _json(questions: Sequence[Question], names: Sequence[str]) -> str:
    return "".join(json.dumps(row) + "\n" for row in answer_rows(questions, names))


def typed_filters(options: SearchOptions) -> list[str]:
    """Return the filters of the command line, as they may be typed."""
    named = (
        *("label", "min_ppi", "min_score", "license", "subset", "style", "exclude_self"),
        *("flag", "without_flag", "no_flags"),
    )
    return [
        f"--{name.replace('_', '-')}"
        for name in named
        if getattr(options, name, None) not in (None, False, 0, "", "any", (), [])
    ]


def _nothing(filters: Sequence[str]) -> str:
    """Return the line for a query without answers: what to leave out."""
    if not filters:
        return "no other picture to show"
    return f"no picture matches {', '.join(filters)}; try again without"


def _table(questions: Sequence[Question], by_index: bool, filters: Sequence[str]) -> str:
    out = io.StringIO()
    for question in questions:
        if question.error:
            continue
        out.write(": ".join(filter(None, (plain(question.typed), question.label))) + "\n")
        rows = [("rank", "image_id", "score", "alike", "label", "ppi", "size", "source")]
        rows += [
            (
                str(a["rank"]),
                a["image_id"],
                f"{a['score']:.4f}",
                "" if a["percent"] is None else f"{a['percent']:.1f} %",
                a["label"] + (f", {a['style']}" if a.get("style") else ""),
                f"{a['ppi']:.2f}",
                f"{a['width']}×{a['height']}",
                plain(a["source"]),
            )
            for a in question.answers
        ]
        out.writelines(f"  {line}\n" for line in table_lines(rows, left=range(len(rows[0]))))
        if not question.answers:
            out.write(f"  {_nothing(filters)}\n")
        if by_index:
            out.write(f"  {_footer(question)}\n")
    return out.getvalue()


def _footer(question: Question) -> str:
    """How much of the index was read for a query."""
    cells = "cell" if question.probed == 1 else "cells"
    kind = f"; {question.only_style}s only" if question.only_style else ""
    text = f"{question.probed:,} {cells} probed, {question.share:.1%} of the index{kind}"
    return text + ("; no other cell has a matching picture" if question.exhausted else "")


def _write_page(run: Pipeline, questions: Sequence[Question]) -> None:
    from mapsight.features.thumbnails import thumbnail
    from mapsight.report.cards import Answer
    from mapsight.report.report import write_search_page

    asked, options = run.options_of(Asked), run.options_of(SearchOptions)
    pictures = PartPictures(run.facts[Collection].parts, sys.stderr.write)
    pages = []
    for question in questions:
        if question.record and question.image_id:
            question.thumbnail = thumbnail(pictures.data(question.record) or b"")
        pages.append(
            Answer(
                query=question.typed,
                thumbnail=question.thumbnail,
                by=SHOWN_BY[asked.by],
                label=question.filter,
                cards=list(cards_of(question.answers, pictures)),
                error=question.error,
                predicted=question.label,
                limits=list(_limits(options, question)),
            )
        )
    order = ORDERS.get(options.rank_by or "", "best first")
    write_search_page(Path(asked.out or ""), pages, order)


def _limits(options: SearchOptions, question: Question) -> Iterator[str]:
    """What answers to a query had to be, beside their label."""
    if question.only_style:
        yield f"{question.only_style}s only"
    if options.min_ppi:
        yield f"PPI {options.min_ppi:g} or more"
    if options.min_score:
        yield f"score {options.min_score:g} or more"
    if options.license:
        yield f"license with {options.license}"
    if options.subset:
        yield f"subset {options.subset}"
    for name, how in (("flag", "with"), ("without_flag", "without")):
        if names := getattr(options, name):
            yield f"{how} a flag of {', '.join(names)}"
    if options.no_flags:
        yield "without flags"
    if options.exclude_self:
        yield "without the query itself"
