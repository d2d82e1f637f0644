"""Build the search index: rows sorted by cell, in files of which a query opens a few.

    python mr_jobs/build_index.py -r local --plan PLAN.json --centres C.npy \\
        [--projection P.npy] [--kinds KINDS.json] --index FOLDER --output-dir OUT MANIFEST

Input: a manifest, one JSON object a line: {"uri": file of rows (mapsight/index/rows.py)}.
PLAN.json holds `files` (the number of each cell's file), `buckets` (files of ids), `d`,
`plain_d` and `dtype`; KINDS.json what `mapsight.index.oddness.kinds_of` returns; C.npy the
centres of the cells, P.npy the projection of rows, if any.
Output: `"block", [cell, file, offset, bytes, rows, sha256]`, `"cell", {…}` and `"ids", {…}`
(mapsight/index/build.py); the files are in FOLDER.
Counters: index/rows.
"""

import json
import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, SplitsJob


class MRBuildIndex(SplitsJob):
    """Mappers find the cell of each row; a reducer writes files, whose names are new each time."""

    SORT_VALUES = True
    JOBCONF = SplitsJob.JOBCONF | {"mapreduce.reduce.speculative": "false"}

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--plan", needed=True, help="JSON: files, buckets, d, plain_d, dtype")
        self.add_file_arg("--centres", needed=True, help=".npy: the centres of the cells")
        self.add_file_arg("--kinds", help="JSON: mean and limit of each label, to tell odd rows")
        self.add_file_arg("--projection", help=".npy: that of the rows, if there is one")
        self.add_passthru_arg("--index", needed=True, help="folder or URI for the files")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_find_cells,
                reducer_init=self.read_plan,
                reducer=self.reducer_write_file,
            )
        ]

    def read_plan(self):
        self.plan = self.read_json("plan")

    def mapper_start(self):
        from mapsight.index.kmeans import load_centres
        from mapsight.index.oddness import Kinds

        self.read_plan()
        self.centres = load_centres(self.options.centres, self.options.projection)
        self.kinds = Kinds(self.read_json("kinds") if self.options.kinds else {})

    def mapper_find_cells(self, _, line):
        from mapsight.index.build import rows_by_file

        uri = json.loads(line)["uri"]
        files, buckets = self.plan["files"], self.plan["buckets"]
        yield from rows_by_file(uri, self.centres, files, buckets, self.kinds)

    def reducer_write_file(self, key, rows):
        from mapsight.index.build import CellsWriter, write_ids

        kind, number = key.split()
        if kind == "ids":
            yield kind, write_ids(self.options.index, int(number), rows)
            return
        form = (self.plan[name] for name in ("d", "plain_d", "dtype"))
        means = bool(self.options.projection)
        writer = CellsWriter(self.options.index, int(number), *form, means=means)
        for name, value in writer.write(rows):
            self.counts["index", "rows"] += value["rows"] if name == "cell" else 0
            yield name, value


if __name__ == "__main__":
    MRBuildIndex.run()
