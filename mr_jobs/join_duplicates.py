"""Join what belongs together: one round of large-star and small-star.

    python mr_jobs/join_duplicates.py -r local --output-dir OUT EDGES…

Input: `node, ["edge", node]` of find_duplicates, or `node, ["joined", node]` of the round
before; pictures are passed over.
Output: `node, ["joined", lesser node]`. When a round counts nothing that changed, every edge
leads from a node to the least of its component (mapsight/duplicates/components.py).
Counters: duplicates/changed.
"""

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep


class MRJoinDuplicates(MRJob):
    """Hadoop sorts the neighbours of a node; a reducer streams them.

    Memory: two nodes, whatever the component.
    """

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = StandardJSONProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    SORT_VALUES = True
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"
    JOBCONF = {"stream.map.input.ignoreKey": "true"}

    def steps(self):
        return [
            MRStep(
                mapper=self.mapper_see_both_sides,
                reducer_init=self.reducer_start,
                reducer=self.reducer_large_star,
                reducer_final=self.reducer_tell_changes,
            ),
            MRStep(
                mapper=self.mapper_look_down,
                reducer_init=self.reducer_start,
                reducer=self.reducer_small_star,
                reducer_final=self.reducer_tell_changes,
            ),
        ]

    def mapper_see_both_sides(self, node, value):
        kind, other = value
        if kind in ("edge", "joined"):
            yield node, other
            yield other, node

    def mapper_look_down(self, node, other):
        yield max(node, other), min(node, other)

    def reducer_start(self):
        self.changed = 0

    def reducer_large_star(self, node, neighbours):
        from mapsight.duplicates.components import large_star

        for one, other, new in large_star(node, neighbours):
            self.changed += new
            yield one, other

    def reducer_small_star(self, node, neighbours):
        from mapsight.duplicates.components import small_star

        for one, other, new in small_star(node, neighbours):
            self.changed += new
            yield one, ["joined", other]

    def reducer_tell_changes(self):
        if self.changed:
            self.increment_counter("duplicates", "changed", self.changed)


if __name__ == "__main__":
    MRJoinDuplicates.run()
