"""One step of k-means over rows of vectors, or its seeds.

    python mr_jobs/cluster_features.py -r local --below ORDER --seeds K --output-dir OUT MANIFEST
    python mr_jobs/cluster_features.py -r local --below ORDER --centres C.npy \\
        --output-dir OUT MANIFEST

Input: a manifest, one JSON object a line: {"uri": file of rows (mapsight/index/rows.py)}.
Only rows whose `order` is below ORDER take part.
Output, seeds: `order, vector` of the K of lowest order that are not equal.
Output, a step: `"cell", [cell, pictures, new centre, squared shift]` for each cell with
pictures, `"far", [[squared distance, vector], …]` and `"inertia", [pictures, inertia]`.
Vectors are base64 of int16. C.npy holds the centres, (k, d) int16.
"""

import json
import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, SplitsJob


class MRClusterFeatures(SplitsJob):
    """Mappers assign and add up, reducers make centres.

    Memory: k × d sums (int64) and centres, whatever the input.
    """

    SORT_VALUES = True

    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--below", default=str(1 << 64), help="take rows of lower order")
        self.add_passthru_arg("--seeds", type=int, help="how many centres to begin with")
        self.add_file_arg("--centres", help=".npy: the centres to improve")

    def load_args(self, args):
        super().load_args(args)
        if bool(self.options.seeds) == bool(self.options.centres):
            self.arg_parser.error("either --seeds or --centres is needed")

    def steps(self):
        if self.options.seeds:
            return [MRStep(mapper=self.mapper_emit_rows, reducer=self.reducer_take_seeds)]
        return [
            MRStep(
                mapper_init=self.load_centres,
                mapper=self.mapper_add_rows,
                mapper_final=self.mapper_emit_sums,
                reducer_init=self.load_centres,
                reducer=self.reducer_make_centre,
            )
        ]

    def mapper_emit_rows(self, _, line):
        from mapsight.index.kmeans import seed_rows

        for row in seed_rows(json.loads(line)["uri"], int(self.options.below)):
            yield "seed", row

    def reducer_take_seeds(self, _, rows):
        from mapsight.index.kmeans import first_distinct

        yield from first_distinct(rows, self.options.seeds)

    def load_centres(self):
        from mapsight.index.kmeans import CellSums, load_centres

        self.centres = load_centres(self.options.centres)
        self.sums = CellSums(self.centres)

    def mapper_add_rows(self, _, line):
        from mapsight.index.rows import vectors_below

        for _, x in vectors_below(json.loads(line)["uri"], int(self.options.below)):
            self.sums.add(x)

    def mapper_emit_sums(self):
        yield from self.sums.items()

    def reducer_make_centre(self, key, parts):
        from mapsight.index.kmeans import summed

        yield summed(self.centres, key, parts)


if __name__ == "__main__":
    MRClusterFeatures.run()
