"""Fetching a sample in rounds: what turns out to be missing is replaced in the next."""

from __future__ import annotations

import csv
import shutil
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import numpy as np

from driver.pipeline.typed_options import TypedOptions
from driver.runners import pipeline_of
from driver.sample.fetch_sample import COLUMNS, Sample
from driver.sample.sample_folder import SAMPLE_TABLE, URLS_TABLE, SampleFolder
from driver.stages import fetch, plan
from driver.stages.dataset import Inputs
from driver.workspace.workspace import Workspace
from mapsight.openimages.picture_store import Lost
from mapsight.openimages.published_files import picture_url
from mapsight.openimages.sampling import id_of
from mapsight.openimages.tables import copy_image_rows, copy_rows
from mapsight.text import csv_safe

__all__ = ["Rounds"]

STAGES = (plan.STAGE, fetch.STAGE)


class Rounds:
    """The stages plan and fetch, again and again, until nothing is wanted."""

    def __init__(
        self, options: Namespace, workspace: Workspace, folder: SampleFolder, sample: Sample
    ) -> None:
        self._options = TypedOptions(options)
        self._options.fix(plan.Options(splits=None, url_column="url", results=None))
        self._options.fix(replace(self._options[fetch.Options], check_md5=True))
        self._pipeline = pipeline_of(self._options, workspace)
        self._pictures_from: str = options.pictures_from
        self._folder, self._sample = folder, sample
        self._later: dict[int, Lost] = {}
        self._number = 0

    def run(self) -> dict[int, Lost]:
        """Fill the folder; what may come another time."""
        self._folder.settle()  # of a run that was broken off
        with self._pipeline.attended(alone=True):
            while self._round():
                pass
        self._finish()
        return self._later

    def _round(self) -> bool:
        """Fetch what is missing; False if nothing was."""
        self._sample.choose(self._gone())
        stored = self._folder.stored()
        have = np.concatenate([stored, np.fromiter(self._later, np.uint64, len(self._later))])
        wanted = {s: np.setdiff1d(self._sample.ids(s), have) for s in self._sample.chosen}
        if not any(map(len, wanted.values())):
            return False
        self._number += 1
        path = self._pipeline.scratch / f"urls-{self._number}.csv"
        if self._list(path, wanted):
            self._options.fix(Inputs((str(path),), openimages=None))
            self._pipeline.run(STAGES)
            self._later |= {int(lost.image_id, 16): lost for lost in self._folder.settle()}
        self._put_off(wanted)
        return True

    def _gone(self) -> set[int]:
        """What is known to be missing where pictures come from now."""
        base = self._pictures_from
        return {
            int(lost.image_id, 16)
            for lost in self._folder.lost()
            if lost.url in ("", picture_url(lost.subset, lost.image_id, base))
        }

    def _list(self, path: Path, wanted: dict[str, np.ndarray]) -> int:
        """Write a list of URLs; how many there are. What has no row is noted as missing."""
        listed: set[str] = set()
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for subset, ids in wanted.items():
                for row in self._sample.urls(subset, ids):
                    if row[0] not in listed:
                        writer.writerow(row)
                        listed.add(row[0])
        every = ((subset, id_of(number)) for subset, ids in wanted.items() for number in ids)
        reason = ("", "unreadable", "its row of the image list cannot be read")
        lost = [Lost(name, subset, *reason) for subset, name in every if name not in listed]
        if lost:
            self._folder.add_lost(lost)
        return len(listed)

    def _put_off(self, wanted: dict[str, np.ndarray]) -> None:
        """What was asked for and is neither here nor missing is for another time."""
        known = {*self._folder.stored().tolist(), *self._gone(), *self._later}
        for subset, ids in wanted.items():
            for number in set(ids.tolist()) - known:
                url = picture_url(subset, id_of(number), self._pictures_from)
                detail = "came and could not be read"
                self._later[number] = Lost(id_of(number), subset, url, "bad_shard", detail)

    def _finish(self) -> None:
        """The metadata of the pictures that are here, and what the sample is."""
        sample, folder = self._sample, self._folder
        sample.keep(folder.stored())
        sys.stderr.write("writing the metadata of the sample\n")
        self._metadata()
        header = ("ImageID", "Subset", "LabelName", "DisplayName", "Confidence")
        folder.write_table(SAMPLE_TABLE, header, sample.rows())
        urls = (row for subset in sample.chosen for row in sample.urls(subset, sample.ids(subset)))
        folder.write_table(URLS_TABLE, COLUMNS, (map(csv_safe, row) for row in urls))
        names = ("label", "subset", "pictures", "absent")
        counts = [dict(zip(names, row, strict=False)) for row in sample.counts()]
        folder.end({"request": sample.request(), "complete": not self._later, "counts": counts})

    def _metadata(self) -> None:
        metadata = self._sample.metadata
        for file in metadata.files:
            source, part = metadata.path(file), self._pipeline.scratch / file.name
            if file.kind == "images":
                copy_image_rows(source, part, self._sample.ids(file.subset))
            elif file.subset:
                copy_rows(source, part, self._sample.ids(file.subset))
            else:
                shutil.copyfile(source, part)
            self._folder.put(part, file.name)
