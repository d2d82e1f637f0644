"""Find the best answers to queries in some cells of the search index.

    python mr_jobs/probe_index.py -r local --queries Q.arrow --output-dir OUT MANIFEST

Input: a manifest, one JSON object a line, for a task each (mapsight/search/probe_plan.py): `reads`,
the byte ranges of files with rows, and `wants`, which queries want which cells.
Q.arrow holds the queries (mapsight/search/queries.py); `--plain-d D` counts the first D numbers
of vectors alone; `--removed R.arrow` lists pictures that are hidden
(mapsight/index/removed_ids.py).
Output: `query number, [[score, image_id, fields], …]` best first, ties by image_id.
Counters: index/blocks, index/rows, index/bytes that were read.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, SplitsJob


class MRProbeIndex(SplitsJob):
    """Each map task keeps the best of the cells it reads, a reducer the best of those."""

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--queries", needed=True, help="Arrow file of queries")
        self.add_file_arg("--removed", help="Arrow file of pictures that are hidden")
        self.add_passthru_arg("--plain-d", type=int, help="how many numbers of vectors count")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_score_cells,
                mapper_final=self.mapper_emit_best,
                reducer_init=self.load_queries,
                reducer=self.reducer_merge_best,
            )
        ]

    def load_queries(self):
        from mapsight.search.queries import Queries

        self.queries = Queries(self.options.queries)

    def mapper_start(self):
        from mapsight.index.removed_ids import IdList
        from mapsight.search.probe import Probe

        self.load_queries()
        self.probe = Probe(self.queries, self.options.plain_d)
        self.removed = IdList(self.options.removed)

    def mapper_score_cells(self, _, line):
        from mapsight.search.probe_plan import reads_of

        wanted = list(reads_of(line))
        self.probe.read(wanted, self.removed)
        self.counts["index", "blocks"] += len(wanted)
        self.counts["index", "rows"] += sum(block.rows for block, _ in wanted)
        self.counts["index", "bytes"] += sum(block.bytes for block, _ in wanted)

    def mapper_emit_best(self):
        for number, answers in self.probe.answers():
            if answers:
                yield f"{number:09d}", answers

    def reducer_merge_best(self, number, lists):
        from mapsight.search.probe import merged

        yield number, merged(self.queries[int(number)], lists)


if __name__ == "__main__":
    MRProbeIndex.run()
