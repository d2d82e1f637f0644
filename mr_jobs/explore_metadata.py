"""Explore the metadata: every measure of docs/explore.md in one pass over all CSV files.

    python mr_jobs/explore_metadata.py -r local [--hierarchy PARENTS.json] --output-dir OUT MANIFEST

Input: a manifest, one CsvSplit a line (mapsight/openimages/dataset.py). PARENTS.json holds the
classes directly above each class, by MID.
Between the steps: `[family, …], sum or first entries` (mapsight/explore/sums.py), several
for a key. Before the first reducer also `image_id, part of a picture`
(mapsight/explore/rows.py).
Output: the same with one value a key; of families with keys without bound the largest sums
of each part, and `["distinct", family], keys` and `["total", family], sum`.
Counters: explore/rows, explore/unreadable, explore/unusable.
"""

import json
import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, SplitsJob


class MRExploreMetadata(SplitsJob):
    """Rows are summed where they are read; rows of a picture meet in a reducer.

    No task holds more than a bounded number of sums: it hands them over, and the
    next step adds them up again.
    """

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--hierarchy", help="JSON: parents by MID")

    def steps(self):
        return [
            MRStep(
                mapper=self.mapper_read_rows,
                reducer_init=self.reducer_start_pictures,
                reducer=self.reducer_count_picture,
                reducer_final=self.reducer_emit_pictures,
            ),
            MRStep(
                combiner=self.combiner_merge_values,
                reducer_init=self.reducer_start_top,
                reducer=self.reducer_merge_values,
                reducer_final=self.reducer_emit_top,
            ),
        ]

    def mapper_read_rows(self, _, line):
        from mapsight.explore.rows import SplitReader
        from mapsight.openimages.dataset import CsvSplit

        reader = SplitReader(CsvSplit(**json.loads(line)))
        yield from reader.parts()
        self.counts.update({("explore", name): n for name, n in reader.counters.items()})

    def reducer_start_pictures(self):
        from mapsight.explore.pictures import PictureCounter

        self.pictures = PictureCounter(self.read_json("hierarchy"))

    def reducer_count_picture(self, key, values):
        yield from self.pictures.take(key, values)

    def reducer_emit_pictures(self):
        yield from self.pictures.results()

    def combiner_merge_values(self, key, values):
        from mapsight.explore.sums import merge_values

        yield key, merge_values(key, values)

    def reducer_start_top(self):
        from mapsight.explore.sums import Top

        self.top = Top()

    def reducer_merge_values(self, key, values):
        yield from self.top.take(key, values)

    def reducer_emit_top(self):
        yield from self.top.results()


if __name__ == "__main__":
    MRExploreMetadata.run()
