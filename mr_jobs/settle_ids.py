"""Sort features again, some of which have got other ids.

    python mr_jobs/settle_ids.py -r local --output-dir OUT RECORDS…

Input: `image_id, Feature` lines of extract_features (mapsight/records.py), not sorted.
Output: the same, sorted by image_id within a part, and of one id no two that can be used.
Counters: images/extracted and images/<error code>.
"""

from collections import Counter

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep


class MRSettleIds(MRJob):
    """Hadoop sorts; a reducer holds two records."""

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
                mapper=self.mapper_order,
                reducer_init=self.reducer_start_counts,
                reducer=self.reducer_keep_first,
                reducer_final=self.reducer_tell_counts,
            )
        ]

    def mapper_order(self, image_id, feature):
        from mapsight.features.same_ids import order_of

        yield image_id, [order_of(feature, 0, named=False), feature["source"], feature]

    def reducer_start_counts(self):
        self.counts: Counter = Counter()

    def reducer_keep_first(self, image_id, values):
        from mapsight.features.same_ids import with_own_ids

        ordered = ((order, feature, False) for order, _, feature in values)
        for _, feature, _ in with_own_ids(image_id, ordered):
            self.counts[feature.get("error", "extracted")] += 1
            yield image_id, feature

    def reducer_tell_counts(self):
        for name, count in sorted(self.counts.items()):
            self.increment_counter("images", name, count)


if __name__ == "__main__":
    MRSettleIds.run()
