"""The part of WordNet 3.0 that ImageNet's classes need: their words, and the kinds above them.

Miller, WordNet: a lexical database for English, CACM 38 (11), 1995. `mapsight/data/wordnet.csv` is
made by `benchmarks/words/vocabulary.py`; its licence stands beside it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from mapsight.labels.above import with_above

__all__ = ["Synset", "synsets", "wnids_above"]

TABLE = "wordnet.csv"


@dataclass(frozen=True)
class Synset:
    """A meaning.

    Args:
        lemmas: its words, each with its place among the meanings of that word, from 1 on.
        parents: wnids of the meanings directly above it.
    """

    lemmas: Sequence[tuple[str, int]]
    parents: Sequence[str]


@cache
def synsets() -> Mapping[str, Synset]:
    """Return all meanings of the table by wnid."""
    text = resources.files("mapsight").joinpath("data", TABLE).read_text(encoding="utf-8")
    return {
        row["wnid"]: Synset(list(map(_lemma, row["lemmas"].split("|"))), row["parents"].split())
        for row in csv.DictReader(text.splitlines())
    }


def _lemma(text: str) -> tuple[str, int]:
    word, _, place = text.partition(":")
    return word, int(place or 1)


@cache
def wnids_above(wnid: str) -> Sequence[str]:
    """Return a meaning and all that are above it, the nearest first; none that is not there."""
    if wnid not in synsets():
        return []
    return with_above([wnid], lambda name: synsets()[name].parents)
