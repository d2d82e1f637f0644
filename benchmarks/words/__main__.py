"""How many of ten answers to words show what the words say, by three ways of ranking.

    python -m benchmarks.words --workspace DONE --truth truth.csv

`truth.csv` has the columns ImageID and name: of each picture what it shows, a name of ImageNet, of
WordNet or of Open Images. A picture shows a class or a kind if its name stands for it or for
something below it. Queries are the 50 classes with most pictures (of as many the first by the hash
of their names), and kinds of ten pictures or more. Of n < ten pictures the first n answers count.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

import mapsight
from mapsight.features.mobilenet import wnids
from mapsight.labels.labeler import class_matches
from mapsight.words.forms import forms, tokens
from mapsight.words.understand import understand
from mapsight.words.wordnet import synsets, wnids_above

CLASSES, LEAST, ANSWERS = 50, 10, 10
KINDS = (
    "big cat", "feline", "dog", "elephant", "hunting dog", "terrier", "bird", "aquatic bird",
    "reptile", "insect", "ungulate", "bovid", "vehicle", "wheeled vehicle", "motor vehicle",
    "clothing", "musical instrument", "furniture", "food", "container",
)  # fmt: skip
BY_HAND = {"giraffe": "n01886756", "deer": "n02399000"}
"""Of names that are in no table of words the nearest kind above."""

Truth = Mapping[str, Collection[str]]
Way = Callable[[str], Sequence[str]]


def kinds_of_names(names: Iterable[str]) -> dict[str, Collection[str]]:
    """Return for each name the wnids of what it stands for and of all above it.

    Raises:
        ValueError: a name stands for nothing.
    """
    by_form: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for wnid, synset in synsets().items():
        for lemma, place in synset.lemmas:
            by_form[next(forms(tokens(lemma)))].append((place, wnid))
    own = {match.name: wnid for wnid, match in reversed(class_matches().items())}
    return {name: wnids_above(own.get(name) or _wnid(name, by_form)) for name in names}


def _wnid(name: str, by_form: Mapping[str, Sequence[tuple[int, str]]]) -> str:
    if name.casefold() in BY_HAND:
        return BY_HAND[name.casefold()]
    for form in forms(tokens(name)):
        if form in by_form:
            return min(by_form[form])[1]
    raise ValueError(f"{name}: no class and no kind")


def read_truth(path: Path) -> Truth:
    """Return the wnids of all that each picture shows, by image_id."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = kinds_of_names({row["name"] for row in rows})
    return {row["ImageID"]: kinds[row["name"]] for row in rows}


def queries(truth: Truth) -> Iterator[tuple[str, str, str]]:
    """Yield (sort, words, wnid): classes, then kinds."""
    counts = Counter(wnid for shown in truth.values() for wnid in shown)
    order = sorted(
        (wnid for wnid in wnids() if counts[wnid]),
        key=lambda wnid: (-counts[wnid], hashlib.sha256(wnid.encode()).hexdigest()),
    )
    for wnid in order[:CLASSES]:
        yield "class", _plain_name(wnid), wnid
    for kind in KINDS:
        named = ((w, place) for w, s in synsets().items() for k, place in s.lemmas if k == kind)
        named = ((w, place) for w, s in synsets().items() for k, place in s.lemmas if k == kind)
        wnid = min(named, key=lambda pair: pair[1])[0]
        if counts[wnid] < LEAST:
            raise ValueError(f"{kind}: {counts[wnid]} pictures, fewer than {LEAST}")
        yield "kind", kind, wnid


def _plain_name(wnid: str) -> str:
    return class_matches()[wnid].name.replace("_", " ")


def precision(answers: Sequence[str], wnid: str, truth: Truth) -> float:
    """Return the share of the first answers that show a kind."""
    n = min(ANSWERS, sum(wnid in shown for shown in truth.values()))
    return sum(wnid in truth[one] for one in answers[:n]) / n


class Exact:
    """Ranks all pictures, without cells: what ways of ranking are worth by themselves."""

    def __init__(self, workspace: mapsight.OpenedWorkspace) -> None:
        pictures = workspace.searcher._pictures
        self.words, self.directions = pictures.vocabulary, pictures.directions
        ids, x = workspace.features(kind="plain")
        self.ids, self.x = np.array(ids), np.rint(x * 32767).astype(np.int16)

    def _classes(self, text: str) -> Sequence[int]:
        return understand(text, self.words).things[0].classes

    def _best(self, scores: np.ndarray) -> list[str]:
        order = np.lexsort((self.ids, -scores))[:ANSWERS]
        return self.ids[order].tolist()

    def by_mean(self, text: str) -> list[str]:
        """Rank by the cosine with the mean direction of the classes."""
        mean = self.directions.vectors(self._classes(text), len(wnids())).astype(float).mean(axis=0)
        return self._best(self.x @ mean)

    def by_nearest(self, text: str) -> list[str]:
        """Rank by the cosine with the nearest direction of a class."""
        vectors = self.directions.vectors(self._classes(text), len(wnids())).astype(float)
        return self._best((self.x @ vectors.T).max(axis=1))

    def by_classifier(self, text: str) -> list[str]:
        """Rank by the classifier's odds."""
        return self._best(self.directions.log_odds(self.x, self._classes(text)))


def measure(ways: Mapping[str, Way], truth: Truth) -> Iterator[dict[str, object]]:
    """Yield a line for each way and sort of queries, and one for each query of the last way."""
    asked = list(queries(truth))
    for name, way in ways.items():
        found = [(sort, words, precision(way(words), w, truth)) for sort, words, w in asked]
        for sort in ("class", "kind"):
            some = [share for kind, _, share in found if kind == sort]
            mean = round(float(np.mean(some)), 3)
            mean = round(float(np.mean(some)), 3)
            yield {"way": name, "queries": f"{len(some)} {sort}", "precision": mean}
    yield {"below 1": {words: round(share, 2) for _, words, share in found if share < 1}}


def main() -> None:
    """Measure, and print a line of JSON for each figure."""
    parser = argparse.ArgumentParser("benchmarks.words", description=__doc__)
    parser.add_argument("--workspace", required=True, help="that a run has finished")
    parser.add_argument("--truth", required=True, type=Path, help="CSV: ImageID,name")
    options = parser.parse_args()
    workspace, truth = mapsight.open(options.workspace), read_truth(options.truth)
    exact, searcher = Exact(workspace), workspace.searcher

    def search(text: str) -> list[str]:
        return [row["image_id"] for row in searcher.search(text, ANSWERS, style="any")]

    ways = {
        "mean direction, all pictures": exact.by_mean,
        "nearest direction, all pictures": exact.by_nearest,
        "classifier, all pictures": exact.by_classifier,
        "mapsight search, by the index": search,
    }
    for line in measure(ways, truth):
        sys.stdout.write(f"{json.dumps(line, default=float)}\n")


if __name__ == "__main__":
    main()
