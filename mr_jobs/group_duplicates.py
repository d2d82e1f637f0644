"""Group duplicates under the picture to be kept.

    python mr_jobs/group_duplicates.py -r local --output-dir OUT PICTURES… EDGES…

Input: `node, ["picture", ROW]` of find_duplicates, whose edges are passed over, and
`node, ["joined", keeper]` of the last round of join_duplicates.
Output: `keeper, FACTS` (mapsight.duplicates.groups.facts), sorted by keeper within a part, of a
group the keeper first and then the others from the one most worth keeping.
Counters: duplicates/groups, duplicates/exact, duplicates/near, duplicates/bytes (of all but
the keepers), duplicates/exact_bytes.
"""

from collections import Counter

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep


class MRGroupDuplicates(MRJob):
    """Pictures meet their edge, then their keeper. Memory: two pictures."""

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = StandardJSONProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    SORT_VALUES = True
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"
    JOBCONF = {"stream.map.input.ignoreKey": "true"}

    def steps(self):
        return [
            MRStep(mapper=self.mapper_drop_edges, reducer=self.reducer_find_keeper),
            MRStep(
                reducer_init=self.reducer_start,
                reducer=self.reducer_describe_group,
                reducer_final=self.reducer_tell_counts,
            ),
        ]

    def mapper_drop_edges(self, node, value):
        if value[0] != "edge":
            yield node, value

    def reducer_find_keeper(self, node, values):
        keeper = node
        for kind, value in values:
            if kind == "joined":
                keeper = value
            else:
                yield keeper, value
                return

    def reducer_start(self):
        self.counts: Counter = Counter()

    def reducer_describe_group(self, keeper, rows):
        from mapsight.duplicates.groups import described

        for facts in described(rows, self.counts):
            yield keeper, facts

    def reducer_tell_counts(self):
        for name, count in sorted(self.counts.items()):
            self.increment_counter("duplicates", name, count)


if __name__ == "__main__":
    MRGroupDuplicates.run()
