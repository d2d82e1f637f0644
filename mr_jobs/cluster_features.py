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

from mrjob.job import MRJob
from mrjob.protocol import RawValueProtocol, StandardJSONProtocol
from mrjob.step import MRStep


class MRClusterFeatures(MRJob):
    """Mappers assign and add up, reducers make centres.

    Memory: k × d sums (int64) and centres, whatever the input.
    """

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = RawValueProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    SORT_VALUES = True
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.NLineInputFormat"
    JOBCONF = {
        "mapreduce.input.lineinputformat.linespermap": 1,
        "stream.map.input.ignoreKey": "true",
    }

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

    def vectors(self, line):
        from mapsight.index.rows import vectors_below

        return vectors_below(json.loads(line)["uri"], int(self.options.below))

    def mapper_emit_rows(self, _, line):
        from mapsight.index.kmeans import encode_vector

        for orders, x in self.vectors(line):
            for order, vector in zip(orders.tolist(), x, strict=True):
                yield "seed", [f"{order:020d}", encode_vector(vector)]

    def reducer_take_seeds(self, _, rows):
        seeds: set[str] = set()
        for order, vector in rows:
            if vector not in seeds and len(seeds) < self.options.seeds:
                seeds.add(vector)
                yield order, vector

    def load_centres(self):
        from mapsight.index.kmeans import CellSums, load_centres

        self.centres = load_centres(self.options.centres)
        self.sums = CellSums(self.centres)

    def mapper_add_rows(self, _, line):
        for _, x in self.vectors(line):
            self.sums.add(x)

    def mapper_emit_sums(self):
        for cell, pictures, sums in self.sums.cells():
            yield f"{cell:06d}", [pictures, sums]
        yield "far", self.sums.far
        yield "inertia", [self.sums.rows, self.sums.inertia]

    def reducer_make_centre(self, key, parts):
        from mapsight.index.kmeans import encode_vector, farthest, moved

        if key == "far":
            yield key, farthest(row for part in parts for row in part)
        elif key == "inertia":
            yield key, [sum(column) for column in zip(*parts, strict=True)]
        else:
            pictures, centre, shift = moved(self.centres, int(key), parts)
            yield "cell", [int(key), pictures, encode_vector(centre), shift]


if __name__ == "__main__":
    MRClusterFeatures.run()
