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
from pathlib import Path

from mrjob.job import MRJob
from mrjob.protocol import RawValueProtocol, StandardJSONProtocol
from mrjob.step import MRStep


class MRExploreMetadata(MRJob):
    """Rows are summed where they are read; rows of a picture meet in a reducer.

    No task holds more than a bounded number of sums: it hands them over, and the
    next step adds them up again.
    """

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = RawValueProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.NLineInputFormat"
    JOBCONF = {
        "mapreduce.input.lineinputformat.linespermap": 1,
        "stream.map.input.ignoreKey": "true",
    }

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
        for name, number in reader.counters.items():
            self.increment_counter("explore", name, number)

    def reducer_start_pictures(self):
        from mapsight.explore.pictures import PictureCounter

        path = self.options.hierarchy
        parents = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
        self.pictures = PictureCounter(parents)

    def reducer_count_picture(self, key, values):
        from mapsight.explore.sums import merge_values

        if isinstance(key, list) and key[0] != "flags":
            yield key, merge_values(key, values)
            return
        if isinstance(key, list):
            self.pictures.add_flags(key, sum(values))
        else:
            self.pictures.add(key, values)
        if self.pictures.sums.full:
            yield from self.pictures.drain()

    def reducer_emit_pictures(self):
        yield from self.pictures.results()

    def combiner_merge_values(self, key, values):
        from mapsight.explore.sums import merge_values

        yield key, merge_values(key, values)

    def reducer_start_top(self):
        from mapsight.explore.sums import Top

        self.top = Top()

    def reducer_merge_values(self, key, values):
        from mapsight.explore.sums import merge_values

        value = merge_values(key, values)
        if self.top.takes(key):
            self.top.add(key, value)
        else:
            yield key, value

    def reducer_emit_top(self):
        yield from self.top.results()


if __name__ == "__main__":
    MRExploreMetadata.run()
