"""Join what belongs together: one round of large-star and small-star.

    python mr_jobs/join_duplicates.py -r local --output-dir OUT EDGES…

Input: `node, ["edge", node]` of find_duplicates, or `node, ["joined", node]` of the round
before; pictures are passed over.
Output: `node, ["joined", lesser node]`. When a round counts nothing that changed, every edge
leads from a node to the least of its component (mapsight/duplicates/components.py).
Counters: duplicates/changed.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRJoinDuplicates(RecordsJob):
    """Hadoop sorts the neighbours of a node; a reducer streams them.

    Memory: two nodes, whatever the component.
    """

    SORT_VALUES = True

    def steps(self):
        return [
            MRStep(mapper=self.mapper_see_both_sides, reducer=self.reducer_large_star),
            MRStep(mapper=self.mapper_look_down, reducer=self.reducer_small_star),
        ]

    def mapper_see_both_sides(self, node, value):
        kind, other = value
        if kind in ("edge", "joined"):
            yield node, other
            yield other, node

    def mapper_look_down(self, node, other):
        yield max(node, other), min(node, other)

    def reducer_large_star(self, node, neighbours):
        from mapsight.duplicates.components import large_star

        yield from self.counted(large_star(node, neighbours))

    def reducer_small_star(self, node, neighbours):
        from mapsight.duplicates.components import small_star

        for one, other in self.counted(small_star(node, neighbours)):
            yield one, ["joined", other]

    def counted(self, star):
        for one, other, new in star:
            if new:
                self.counts["duplicates", "changed"] += 1
            yield one, other


if __name__ == "__main__":
    MRJoinDuplicates.run()
