"""Makes the table of words that searches understand, from the files of WordNet 3.0.

    python -m benchmarks.words.vocabulary /usr/share/wordnet > mapsight/data/wordnet.csv

The folder has `data.noun` and `index.noun` (Debian: package `wordnet-base`). Of 82,115 synsets
the table keeps ImageNet's 1,000 classes and all that are above them: `wnid`, `parents` (their
wnids) and `lemmas`, each with its place among the meanings of that word where it is not the first.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mapsight.labels.labeler import class_matches

HYPERNYMS = ("@", "@i")


@dataclass(frozen=True)
class Synset:
    """A meaning: its words, and the wnids of the meanings directly above it."""

    lemmas: Sequence[str]
    parents: Sequence[str]


def synset_of(line: str) -> Synset:
    """Return what a line of `data.noun` says (WordNet's wndb(5WN)).

    >>> synset_of("02084071 05 n 01 dog 0 001 @ 02083346 n 0000 | a canine")
    Synset(lemmas=['dog'], parents=['n02083346'])
    """
    fields = line.partition(" | ")[0].split()
    words = int(fields[3], 16)
    lemmas = fields[4 : 4 + 2 * words : 2]
    pointers = fields[5 + 2 * words :]
    quads = zip(*(pointers[i::4] for i in range(4)), strict=False)
    return Synset(lemmas, [f"n{offset}" for kind, offset, *_ in quads if kind in HYPERNYMS])


def read_synsets(path: Path) -> dict[str, Synset]:
    """Return all meanings of nouns by wnid."""
    lines = path.read_text("ascii").splitlines()
    return {f"n{line[:8]}": synset_of(line) for line in lines if line[:1].isdigit()}


def read_senses(path: Path) -> dict[str, list[str]]:
    """Return the wnids of the meanings of each word, the most frequent first (`index.noun`)."""
    senses = {}
    for line in path.read_text("ascii").splitlines():
        if not line.startswith(" "):
            lemma, _, count, *rest = line.split()
            senses[lemma] = [f"n{offset}" for offset in rest[-int(count) :]]
    return senses


def above(wnids: Sequence[str], synsets: Mapping[str, Synset]) -> list[str]:
    """Return some meanings and all that are above them, by wnid."""
    queue = list(wnids)
    seen = set(queue)
    for wnid in queue:
        fresh = [parent for parent in synsets[wnid].parents if parent not in seen]
        seen.update(fresh)
        queue += fresh
    return sorted(seen)


def rows(
    wnids: Sequence[str], synsets: Mapping[str, Synset], senses: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the table."""
    for wnid in above(wnids, synsets):
        synset = synsets[wnid]
        places = (senses[lemma.lower()].index(wnid) + 1 for lemma in synset.lemmas)
        words = (
            lemma.replace("_", " ") + (f":{place}" if place > 1 else "")
            for lemma, place in zip(synset.lemmas, places, strict=True)
        )
        yield wnid, " ".join(synset.parents), "|".join(words)


def main() -> None:
    """Write the table to standard output."""
    parser = argparse.ArgumentParser("benchmarks.words.vocabulary", description=__doc__)
    parser.add_argument("folder", type=Path, help="with data.noun and index.noun of WordNet 3.0")
    folder = parser.parse_args().folder
    synsets = read_synsets(folder / "data.noun")
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("wnid", "parents", "lemmas"))
    out.writerows(rows(list(class_matches()), synsets, read_senses(folder / "index.noun")))


if __name__ == "__main__":
    main()
