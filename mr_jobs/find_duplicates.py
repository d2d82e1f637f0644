"""Find copies of pictures, byte for byte, and near duplicates.

    python mr_jobs/find_duplicates.py -r local [--max-distance 3] [--min-cosine 0.8] \\
        --output-dir OUT RECORDS…

Input: `image_id, Joined` or `image_id, Feature` lines (mapsight/records.py); rejected
pictures and orphans are passed over.
Output: `node, ["edge", node]`, two pictures that belong together, and of every picture with
an edge, perhaps more than once, `node, ["picture", ROW]` (mapsight/duplicates/pairs.py).
Counters: duplicates/pictures, duplicates/distinct, duplicates/edges,
duplicates/cut_buckets.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRFindDuplicates(RecordsJob):
    """Copies meet by SHA-256, and one of each goes on; near duplicates meet by bands of dHash.

    Memory: of copies one, of a bucket two blocks, whatever their number.
    """

    SORT_VALUES = True

    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--max-distance", type=int, default=3, help="bits of dHash, 0 to 3")
        self.add_passthru_arg("--min-cosine", type=float, default=0.8, help="of the embeddings")
        self.add_passthru_arg("--block", type=int, default=2048, help="compared all with all")

    def steps(self):
        return [
            MRStep(mapper=self.mapper_read_picture, reducer=self.reducer_set_copies_aside),
            MRStep(mapper=self.mapper_cut_bands, reducer=self.reducer_compare_bucket),
        ]

    def mapper_read_picture(self, image_id, record):
        from mapsight.duplicates.pairs import SHA256, row_of

        row = row_of(image_id, record)
        if row:
            self.counts["duplicates", "pictures"] += 1
            yield row[SHA256], row

    def reducer_set_copies_aside(self, _, rows):
        from mapsight.duplicates.edges import copy_edges

        yield from copy_edges(rows, self.counts)

    def mapper_cut_bands(self, node, value):
        from mapsight.duplicates.pairs import bands_of

        if value[0] == "distinct":
            yield from bands_of(value[1])
        else:
            yield node, value

    def reducer_compare_bucket(self, key, values):
        from mapsight.duplicates.edges import near_edges

        if isinstance(key, str):
            yield from ((key, value) for value in values)
            return
        rows = (entry[1:] for entry in values)
        limits = self.options.max_distance, self.options.min_cosine
        yield from near_edges(rows, *limits, self.counts, self.options.block)


if __name__ == "__main__":
    MRFindDuplicates.run()
