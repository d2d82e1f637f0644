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

from mrjob.job import MRJob
from mrjob.protocol import RawValueProtocol, StandardJSONProtocol
from mrjob.step import MRStep


class MRProbeIndex(MRJob):
    """Each map task keeps the best of the cells it reads, a reducer the best of those."""

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
        self.add_file_arg("--queries", help="Arrow file of queries")
        self.add_file_arg("--removed", help="Arrow file of pictures that are hidden")
        self.add_passthru_arg("--plain-d", type=int, help="how many numbers of vectors count")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not self.options.queries:
            self.arg_parser.error("--queries is needed")

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
        from mapsight.search.probe import Probe
        from mapsight.search.queries import Queries

        self.queries = Queries(self.options.queries)
        self.probe = Probe(self.queries, self.options.plain_d)

    def mapper_start(self):
        from mapsight.index.removed_ids import IdList

        self.load_queries()
        self.removed = IdList(self.options.removed)

    def mapper_score_cells(self, _, line):
        from mapsight.index.rows import read_block
        from mapsight.search.probe_plan import reads_of
        from mapsight.storage.uri import open_uri

        for uri, blocks in reads_of(line):
            with open_uri(uri) as file:
                rows = (
                    (self.removed.shown(read_block(file, block), block.part), block, wants)
                    for block, wants in blocks
                )
                self.probe.add_blocks(row for row in rows if row[0].num_rows)
            self.increment_counter("index", "blocks", len(blocks))
            for unit in ("rows", "bytes"):
                self.increment_counter("index", unit, sum(getattr(b, unit) for b, _ in blocks))

    def mapper_emit_best(self):
        for number, found in self.probe.answers():
            if found:
                yield f"{number:09d}", found

    def reducer_merge_best(self, number, lists):
        from mapsight.search.probe import merged

        yield number, merged(self.queries[int(number)], lists)


if __name__ == "__main__":
    MRProbeIndex.run()
