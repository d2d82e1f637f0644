"""Group duplicates under the picture to be kept.

    python mr_jobs/group_duplicates.py -r local --output-dir OUT PICTURES… EDGES…

Input: `node, ["picture", ROW]` of find_duplicates, whose edges are passed over, and
`node, ["joined", keeper]` of the last round of join_duplicates.
Output: `keeper, FACTS` (mapsight.duplicates.groups.facts), sorted by keeper within a part, of a
group the keeper first and then the others from the one most worth keeping.
Counters: duplicates/groups, one for each kind (exact, near, mirrored, turned, cropped), and
duplicates/bytes (of all but the keepers), duplicates/exact_bytes.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRGroupDuplicates(RecordsJob):
    """Pictures meet their edge, then their keeper. Memory: two pictures."""

    SORT_VALUES = True

    def steps(self):
        return [
            MRStep(mapper=self.mapper_drop_edges, reducer=self.reducer_find_keeper),
            MRStep(reducer=self.reducer_describe_group),
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

    def reducer_describe_group(self, keeper, rows):
        from mapsight.duplicates.groups import described

        for facts in described(rows, self.counts):
            yield keeper, facts


if __name__ == "__main__":
    MRGroupDuplicates.run()
