"""Build the search index: rows sorted by cell, in files of which a query opens a few.

    python mr_jobs/build_index.py -r local --plan PLAN.json --centres C.npy --index FOLDER \\
        --output-dir OUT MANIFEST

Input: a manifest, one JSON object a line: {"uri": file of rows (mapsight/index/rows.py)}.
PLAN.json holds `files` (the number of each cell's file), `buckets` (files of ids), `plain_d`
and `dtype`; C.npy the centres of the cells, (k, d) int16.
Output: `"block", [cell, file, offset, bytes, rows, sha256]`, `"cell", {…}` and `"ids", {…}`
(mapsight/index/build.py); the files are in FOLDER.
Counters: index/rows.
"""

import json
from pathlib import Path

from mrjob.job import MRJob
from mrjob.protocol import RawValueProtocol, StandardJSONProtocol
from mrjob.step import MRStep


class MRBuildIndex(MRJob):
    """Mappers find the cell of each row; a reducer writes files, whose names are new each time."""

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = RawValueProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    SORT_VALUES = True
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.NLineInputFormat"
    JOBCONF = {
        "mapreduce.input.lineinputformat.linespermap": 1,
        "stream.map.input.ignoreKey": "true",
        "mapreduce.reduce.speculative": "false",
    }

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--plan", help="JSON: files, buckets, plain_d, dtype")
        self.add_file_arg("--centres", help=".npy: the centres of the cells")
        self.add_passthru_arg("--index", help="folder or URI for the files")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not (self.options.plan and self.options.centres and self.options.index):
            self.arg_parser.error("--plan, --centres and --index are needed")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.start,
                mapper=self.mapper_find_cells,
                reducer_init=self.start,
                reducer=self.reducer_write_file,
            )
        ]

    def start(self):
        from mapsight.index.kmeans import load_centres

        self.plan = json.loads(Path(self.options.plan).read_text(encoding="utf-8"))
        self.centres = load_centres(self.options.centres)

    def mapper_find_cells(self, _, line):
        from mapsight.index.build import rows_by_file

        uri = json.loads(line)["uri"]
        yield from rows_by_file(uri, self.centres, self.plan["files"], self.plan["buckets"])

    def reducer_write_file(self, key, rows):
        from mapsight.index.build import CellsWriter, write_ids

        kind, number = key.split()
        if kind == "ids":
            yield kind, write_ids(self.options.index, int(number), rows)
            return
        form = self.plan["plain_d"], self.plan["dtype"]
        writer = CellsWriter(self.options.index, int(number), self.centres, *form)
        for name, value in writer.write(rows):
            if name == "cell":
                self.increment_counter("index", "rows", value["rows"])
            yield name, value


if __name__ == "__main__":
    MRBuildIndex.run()
