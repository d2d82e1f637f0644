"""A search as HTTP asks it: its queries, what `Searcher` is asked, and what is left out after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mapsight.browse.filters import NAMES, Filters
from mapsight.search.choices import BY, FEATURES, NEAR_COPIES, RANKS
from mapsight.search.question import Question
from mapsight.serve.errors import Refusal, refusal_of
from mapsight.serve.facts import TOP_K, missing
from mapsight.serve.items import items_of, rows_of, rows_that_fit
from mapsight.serve.looking import NAME, understood
from mapsight.serve.query import Words
from mapsight.serve.state import State
from mapsight.text import shorten

__all__ = ["MOST", "WORDS", "Ask", "answered", "ask_of"]

MOST = TOP_K
"""Pictures of an answer at most, and of those that filters of browsing choose from."""
USUAL = 50
EVERYTHING = Filters()
SCANNED = 200_000
"""Pictures that are read one by one for a search by features or by label, at most."""
OWN = (
    *("q", "top_k", "mean", "features", "probe", "recall", "rank_by", "exclude_self", "by"),
    *("near_copies", "min_similarity"),
)
WORDS = frozenset((*OWN, *NAMES))
"""What a search may be asked."""
OTHER_WAYS = tuple(way for way in BY if way != "index")


@dataclass(frozen=True)
class Ask:
    """What is asked beside the queries.

    Args:
        options: of `Searcher.search_many`.
        rest: filters that are applied to the MOST pictures most like a query.
        by: another way than the index, or "".
    """

    top_k: int
    options: dict[str, Any]
    rest: Filters
    by: str = ""

    @property
    def is_filtered(self) -> bool:
        """Return whether some of the answers are left out after the search."""
        return self.rest != EVERYTHING


def ask_of(words: Words, state: State) -> Ask:
    """Return what words ask for.

    Raises:
        Refusal: a value is not allowed (400).
    """
    top_k = words.whole("top_k", MOST, USUAL)
    assert top_k is not None
    options: dict[str, Any] = {
        "features": words.one_of("features", FEATURES),
        "probe": words.whole("probe", 1_000_000),
        "recall": words.share("recall"),
        "rank_by": words.one_of("rank_by", RANKS),
        "exclude_self": words.flag("exclude_self"),
        "mean": words.flag("mean"),
        "near_copies": words.one_of("near_copies", NEAR_COPIES),
        "min_score": words.share("min_similarity"),
    }
    filters = words.filters()
    by = words.one_of("by", BY, BY[0])
    if by in OTHER_WAYS:
        return _scan(top_k, options, filters, str(by), state)
    given, rest = _split(filters, state)
    return Ask(top_k, {**options, **given}, rest)


def _split(filters: Filters, state: State) -> tuple[dict[str, Any], Filters]:
    """Return what the search itself leaves out, and what is left out of its answers."""
    given: dict[str, Any] = {}
    for name in ("label", "style", "subset", "license"):
        values = getattr(filters, name)
        if len(values) == 1 and (name != "license" or "/" in values[0]):
            given[name] = values[0]
        elif name == "style" and values:
            given[name] = "any"
    empty: dict[str, Any] = {name: () for name in given if len(getattr(filters, name)) == 1}
    for name in ("flag", "without_flag", "no_flags"):
        if value := getattr(filters, name):
            given[name], empty[name] = value, type(value)()
    if filters.min_ppi is not None:
        given["min_ppi"] = max(filters.min_ppi, 0.0)
        empty["min_ppi"] = None
    return given, replace(filters, **empty)


def _scan(top_k: int, options: dict[str, Any], filters: Filters, by: str, state: State) -> Ask:
    """Return a search that reads all pictures."""
    if state.browser.rows > SCANNED:
        why = f"reads all pictures, and there are more than {SCANNED:,}; mapsight search --by {by}"
        raise Refusal(400, f"by {by}: {why}", "by")
    both = ("exclude_self", "min_score")
    index_only = [name for name, value in options.items() if value and name not in both]
    if index_only:
        raise Refusal(400, f"{index_only[0]}: only by the index", index_only[0])
    given, rest = _split(filters, state)
    return Ask(top_k, {**{name: options[name] for name in both}, **given}, rest, by)


def answered(state: State, ask: Ask, questions: Sequence[Question | np.ndarray]) -> dict[str, Any]:
    """Return what a search answers.

    Raises:
        Refusal: a query cannot be answered (404), or an option is not allowed (400).
    """
    if state.lookup is None:
        raise Refusal(404, "the workspace has no index of its pictures", "q")
    taken_for = [understood(one, state.names) for one in questions]
    for one in taken_for:
        _check(state, one)
    found = _found(state, ask, questions)
    for one, question in zip(taken_for, questions, strict=True):
        if isinstance(question, Question):
            one |= _told(question, ask)
    answers = [_with_items(state, ask, rows) for rows in found]
    of = {"of": max(map(len, found), default=0)} if ask.is_filtered else {}
    return {"state": state.id, "understood": taken_for, **of, "answers": answers}


def _told(question: Question, ask: Ask) -> dict[str, str]:
    """Return what a search made of a query: what words mean, and the style that it chose."""
    told = {}
    if question.understood:
        told = {"kind": "words", "words": question.understood}
    if question.only_style and "style" not in ask.options:
        told["style"] = question.only_style
    return told


def _check(state: State, asked: Mapping[str, str]) -> None:
    """Refuse what is no id of a picture, and no words that mean anything."""
    query, kind = asked["query"], asked["kind"]
    if kind not in ("id", "words") or state.browser.row_of(query) is not None:
        return
    with state.reading:
        unknown = state.lookup.unknown_words(query) if state.lookup else None
    if unknown and kind == "id":
        raise missing(state, query, "q")
    if unknown:
        why = f"no URL, no label and no image_id{unknown.hint}"
        raise Refusal(404, f"q {shorten(query, NAME)!r}: {why}", "q")


def _found(
    state: State, ask: Ask, questions: Sequence[Question | np.ndarray]
) -> list[list[dict[str, Any]]]:
    """Return the answers as a Searcher or a Scanner gives them."""
    top_k = MOST if ask.is_filtered else ask.top_k
    try:
        if ask.by:
            return state.scan(questions, top_k, ask.by, ask.options)
        with state.searchers.lent() as searcher:
            return searcher.search_many(questions, top_k, **ask.options)
    except ValueError as error:
        bad = any(isinstance(one, Question) and one.error for one in questions)
        is_vector = str(error).startswith("a vector")
        field = "q" if bad else "vectors" if is_vector else None
        raise refusal_of(error, 404 if bad else 400, field) from error


def _with_items(state: State, ask: Ask, answers: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return answers with what is known of their pictures, those that fit."""
    rows = rows_of(state, [one["image_id"] for one in answers])
    fits = rows >= 0
    if ask.is_filtered:
        fits &= rows_that_fit(state, ask.rest, rows)
    places = np.flatnonzero(fits)[: ask.top_k].tolist()
    items = items_of(state, rows[places])
    return [
        {
            **item,
            "rank": rank,
            "similarity": answers[place]["score"],
            "percent": answers[place]["percent"],
            "copies": answers[place].get("copies") or 0,
        }
        for rank, (place, item) in enumerate(zip(places, items, strict=True), 1)
    ]
