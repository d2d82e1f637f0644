"""Sort features again, some of which have got other ids.

    python mr_jobs/settle_ids.py -r local --output-dir OUT RECORDS…

Input: `image_id, Feature` lines of extract_features (mapsight/records.py), not sorted.
Output: the same, sorted by image_id within a part, and of one id no two that can be used.
Counters: images/extracted and images/<error code>.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRSettleIds(RecordsJob):
    """Hadoop sorts; a reducer holds two records."""

    SORT_VALUES = True

    def steps(self):
        return [MRStep(mapper=self.mapper_order, reducer=self.reducer_keep_first)]

    def mapper_order(self, image_id, feature):
        from mapsight.features.same_ids import order_of

        yield image_id, [order_of(feature, 0, named=False), feature["source"], feature]

    def reducer_keep_first(self, image_id, values):
        from mapsight.features.same_ids import with_own_ids

        ordered = ((order, feature, False) for order, _, feature in values)
        for _, feature, _ in with_own_ids(image_id, ordered):
            self.counts["images", feature.get("error", "extracted")] += 1
            yield image_id, feature


if __name__ == "__main__":
    MRSettleIds.run()
