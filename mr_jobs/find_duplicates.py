"""Find copies of pictures: byte for byte, saved again, mirrored, turned, or parts of another.

    python mr_jobs/find_duplicates.py -r local [--max-distance 8] [--min-cosine 0.8] \\
        [--pivots P.json] --output-dir OUT RECORDS…

Input: `image_id, Joined` or `image_id, Feature` lines (mapsight/records.py); rejected
pictures and orphans are passed over.
Output: `node, ["edge", node]`, two pictures that belong together, and of every picture with
an edge, perhaps more than once, `node, ["picture", ROW]` (mapsight/duplicates/rows.py).
Counters: duplicates/pictures, duplicates/distinct, duplicates/flat (of one
colour, compared byte for byte alone), duplicates/edges, duplicates/cut_buckets.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRFindDuplicates(RecordsJob):
    """Copies meet by SHA-256, and one of each goes on; others meet by bands of their hash, and at
    the pivots next to their embeddings.

    Memory: of copies one, of a bucket two blocks, whatever their number; the pivots.
    """

    SORT_VALUES = True

    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--max-distance", type=int, default=8, help="bits of hash, 0 to 8")
        self.add_passthru_arg("--min-cosine", type=float, default=0.8, help="of the embeddings")
        self.add_passthru_arg("--block", type=int, default=2048, help="compared all with all")
        self.add_file_arg("--pivots", help="JSON: embeddings, where not all are compared")

    def steps(self):
        return [
            MRStep(mapper=self.mapper_read_picture, reducer=self.reducer_set_copies_aside),
            MRStep(
                mapper_init=self.load_pivots,
                mapper=self.mapper_find_buckets,
                mapper_final=self.mapper_flush,
                reducer=self.reducer_compare_bucket,
            ),
        ]

    def mapper_read_picture(self, image_id, record):
        from mapsight.duplicates.rows import SHA256, row_of

        row = row_of(image_id, record)
        if row:
            self.counts["duplicates", "pictures"] += 1
            yield row[SHA256], row

    def reducer_set_copies_aside(self, _, rows):
        from mapsight.duplicates.edges import copy_edges

        yield from copy_edges(rows, self.counts)

    def load_pivots(self):
        from mapsight.duplicates.keys import Pivots

        self.pivots = Pivots(self.read_json("pivots") or [])

    def mapper_find_buckets(self, node, value):
        from mapsight.duplicates.keys import bands_of, is_flat

        if value[0] != "distinct":
            yield node, value
        elif is_flat(value[1]):
            self.counts["duplicates", "flat"] += 1
        else:
            yield from bands_of(value[1])
            yield from self.pivots.add(value[1])

    def mapper_flush(self):
        yield from self.pivots.rest()

    def reducer_compare_bucket(self, key, values):
        from mapsight.duplicates.bucket import Cells, HashBuckets, Window
        from mapsight.duplicates.edges import edges_in
        from mapsight.duplicates.keys import CELL

        if isinstance(key, str):
            yield from ((key, value) for value in values)
            return
        options = self.options
        window: Window = HashBuckets(options.max_distance, options.block)
        if key[0] == CELL:
            window = Cells(options.min_cosine, options.block)
        yield from edges_in(window, values, self.counts, options.block)


if __name__ == "__main__":
    MRFindDuplicates.run()
