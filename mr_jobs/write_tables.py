"""Write tables of results as folders of Parquet parts.

    python mr_jobs/write_tables.py -r local --plan PLAN.json --tables FOLDER --output-dir OUT \\
        PREDICTIONS… RANKS…

Input: `image_id, Prediction` and `[group, rank], Ranked` lines (mapsight/records.py), of one kind
or of both. PLAN.json holds the fields of mapsight.results.table_parts.PartsPlan.
Output: `[table, part, key], record` for the records that are no rows and those that PLAN asks for,
and after those of a part `[table, part], {"file": name, "rows": number}`, sorted; the files are in
FOLDER/TABLE.
Counters: tables/rows.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRWriteTables(RecordsJob):
    """Hadoop sorts; a reducer writes files, whose names are new for every attempt."""

    SORT_VALUES = True
    JOBCONF = RecordsJob.JOBCONF | {"mapreduce.reduce.speculative": "false"}

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--plan", needed=True, help="JSON: a PartsPlan")
        self.add_passthru_arg("--tables", needed=True, help="folder or URI for the tables")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.start,
                mapper=self.mapper_find_part,
                reducer_init=self.start,
                reducer=self.reducer_write_part,
            )
        ]

    def start(self):
        from mapsight.results.table_parts import PartsPlan

        self.plan = PartsPlan(**self.read_json("plan"))

    def mapper_find_part(self, key, record):
        yield self.plan.entry(key, record)

    def reducer_write_part(self, part, entries):
        from mapsight.results.part_file import write_part

        for key, value in write_part(self.options.tables, part, entries, self.plan):
            self.counts["tables", "rows"] += value["rows"] if len(key) == 2 else 0
            yield key, value


if __name__ == "__main__":
    MRWriteTables.run()
