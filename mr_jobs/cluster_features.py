"""Cells of rows of vectors by k-means: all of it, its seeds, or a step.

    python mr_jobs/cluster_features.py -r local --below ORDER --seeds K [--iterations N] \\
        --output-dir OUT MANIFEST
    python mr_jobs/cluster_features.py -r local --below ORDER --centres C.npy \\
        [--projection P.npy] --output-dir OUT MANIFEST

Input: a manifest, one JSON object a line: {"uri": file of rows (mapsight/index/rows.py)}.
Only rows whose `order` is below ORDER take part.
Output, seeds: `"axis", vector` for each row of the projection, if there is one, and `"centre",
vector` of the K rows of lowest order that are not equal, in this order.
Output, with --iterations: these with the centres as they are at the end, `"step", {…}` for each
iteration, and `"counts", [pictures of each cell]`.
Output, a step: `"cell", [cell, pictures, new centre, squared shift]` for each cell with
pictures, `"far", [[squared distance, vector], …]` and `"inertia", [pictures, inertia]`.
Vectors are base64 of int16. C.npy holds the centres, (k, d) int16; P.npy the axes, (p, plain_d).
Counters: cluster/iterations.
"""

import json
import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, SplitsJob


class MRClusterFeatures(SplitsJob):
    """Mappers assign and add up, reducers make centres; or a reducer has the sample, and does all.

    Memory: k × d sums (int64) and centres, whatever the input; with --iterations the sample too.
    """

    SORT_VALUES = True

    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--below", default=str(1 << 64), help="take rows of lower order")
        self.add_passthru_arg("--seeds", type=int, help="how many centres to begin with")
        self.add_passthru_arg("--plain-d", type=int, default=0, help="numbers of an embedding")
        self.add_passthru_arg("--projected", type=int, default=0, help="numbers that it is left")
        self.add_passthru_arg("--axes-below", default="0", help="find axes in rows of lower order")
        self.add_passthru_arg("--iterations", type=int, default=0, help="how many are made at most")
        self.add_passthru_arg("--tolerance", type=float, default=0.0, help="least improvement")
        self.add_file_arg("--centres", help=".npy: the centres to improve")
        self.add_file_arg("--projection", help=".npy: that of the vectors, if there is one")

    def load_args(self, args):
        super().load_args(args)
        if bool(self.options.seeds) == bool(self.options.centres):
            self.arg_parser.error("either --seeds or --centres is needed")

    def steps(self):
        if self.options.seeds:
            return [MRStep(mapper=self.mapper_emit_sample, reducer=self.reducer_learn)]
        return [
            MRStep(
                mapper_init=self.load_centres,
                mapper=self.mapper_add_rows,
                mapper_final=self.mapper_emit_sums,
                reducer_init=self.load_centres,
                reducer=self.reducer_make_centre,
            )
        ]

    def mapper_emit_sample(self, _, line):
        from mapsight.index.learn import sample_of

        limits = int(self.options.below), int(self.options.axes_below)
        for batch in sample_of(json.loads(line)["uri"], *limits):
            yield "sample", batch

    def reducer_learn(self, _, batches):
        from mapsight.index.learn import Training, learned

        options = self.options
        training = Training.of(batches, options.projected, options.plain_d)
        yield from training.axes()
        for record in learned(training, options.seeds, options.iterations, options.tolerance):
            if record[0] == "step":
                self.counts["cluster", "iterations"] += 1
                self.report_counts()
            yield record

    def load_centres(self):
        from mapsight.index.kmeans import CellSums, load_centres
        from mapsight.index.projection import load_projection

        self.centres = load_centres(self.options.centres)
        path = self.options.projection
        self.projection = load_projection(path) if path else None
        self.sums = CellSums(self.centres)

    def mapper_add_rows(self, _, line):
        from mapsight.index.rows import vectors_below

        for _, x in vectors_below(json.loads(line)["uri"], int(self.options.below)):
            self.sums.add(self.projection(x) if self.projection else x)

    def mapper_emit_sums(self):
        yield from self.sums.items()

    def reducer_make_centre(self, key, parts):
        from mapsight.index.kmeans import summed

        yield summed(self.centres, key, parts)


if __name__ == "__main__":
    MRClusterFeatures.run()
