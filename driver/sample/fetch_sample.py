"""What the command fetch is to get: the first pictures of each label that are not gone."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from driver.sample.openimages_metadata import Metadata
from mapsight.openimages.published_files import picture_url
from mapsight.openimages.sample import Draw, Key, draw
from mapsight.openimages.sampling import id_of
from mapsight.openimages.tables import image_rows

__all__ = ["COLUMNS", "Sample"]

URL_COLUMNS = {
    "license": "License",
    "author": "Author",
    "author_url": "AuthorProfileURL",
    "title": "Title",
    "original_url": "OriginalURL",
    "landing_url": "OriginalLandingURL",
}
COLUMNS = ("image_id", "url", "subset", *URL_COLUMNS)
"""Of the lists of URLs."""

Chosen = dict[str, dict[Key, np.ndarray]]


class Sample:
    """Which pictures each label has in each subset; `chosen` is kept up by `choose`.

    Memory: the ids of the sample.
    """

    def __init__(self, options: Namespace, metadata: Metadata, labels: Mapping[str, str]) -> None:
        self.options, self.metadata, self.labels = options, metadata, dict(labels)
        self.negatives, self.dry = options.with_negatives, options.dry_run
        self._draws: dict[str, Draw] = {}
        self.chosen: Chosen = {}
        if self.dry:
            self.choose(())

    def request(self) -> dict[str, Any]:
        """What was asked for, and of which metadata, for `fetch.json`."""
        return {
            "labels": dict(sorted((mid, name) for name, mid in self.labels.items())),
            "subsets": self.options.subset,
            "per_label": self.options.per_label,
            "with_negatives": self.negatives,
            "no_depictions": self.options.no_depictions,
            "metadata": {name: record.sha256 for name, record in self.metadata.records.items()},
        }

    def choose(self, gone: Collection[int]) -> None:
        """Choose the first of each label that are not gone."""
        count = self.options.per_label
        for subset in self.options.subset:
            drawn = self._draws.get(subset)
            if drawn is None or drawn.spent(count, gone):
                drawn = self._draw(subset, gone)
                self._draws[subset] = drawn
            self.chosen[subset] = drawn.chosen(count, gone)

    def _draw(self, subset: str, gone: Collection[int]) -> Draw:
        return draw(
            self.metadata.of(subset),
            sorted(self.labels.values()),
            self.options.per_label,
            negatives=self.negatives,
            depictions=not self.options.no_depictions,
            gone=gone,
        )

    def keep(self, stored: np.ndarray) -> None:
        """Leave out of `chosen` what is not stored."""
        self.chosen = {
            subset: {key: ids[np.isin(ids, stored)] for key, ids in keys.items()}
            for subset, keys in self.chosen.items()
        }

    def ids(self, subset: str) -> np.ndarray:
        """The chosen ids of a subset, each once, sorted."""
        return np.unique(np.concatenate([np.empty(0, np.uint64), *self.chosen[subset].values()]))

    def total(self) -> int:
        """How many different pictures are chosen."""
        return sum(len(self.ids(subset)) for subset in self.chosen)

    def counts(self) -> Iterator[tuple[Any, ...]]:
        """(label, subset, pictures, and with negatives those without it), in order of names."""
        for name, mid in sorted(self.labels.items()):
            for subset, keys in self.chosen.items():
                kinds = (True, False) if self.negatives else (True,)
                yield name, subset, *(len(keys[mid, present]) for present in kinds)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """The lines of `sample.csv`: a picture for each label that it was chosen for."""
        names = {mid: name for name, mid in self.labels.items()}
        for subset, keys in self.chosen.items():
            for (mid, present), ids in sorted(keys.items(), key=lambda item: item[0]):
                for number in ids:
                    yield id_of(number), subset, mid, names[mid], str(int(present))

    def urls(self, subset: str, wanted: np.ndarray) -> Iterator[list[str]]:
        """The lines of a list of URLs for some pictures of a subset, as COLUMNS."""
        rows = image_rows(self.metadata.of(subset).images, wanted)
        header = next(rows)
        places = [header.index(name) if name in header else -1 for name in URL_COLUMNS.values()]
        at = header.index("ImageID")
        for cells in rows:
            image_id = cells[at].lower()
            url = picture_url(subset, image_id, self.options.pictures_from)
            known = (cells[place] if place >= 0 else "" for place in places)
            yield [image_id, url, subset, *known]
