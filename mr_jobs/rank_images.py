"""Rank every picture, within its label and over all, best first.

    python mr_jobs/rank_images.py -r local --plan PLAN.json --output-dir OUT PREDICTIONS…

Input: `image_id, Prediction` lines (mapsight/records.py).
Output: `[group, rank], Ranked`, where group is a label or `*` (all pictures) and rank is
twelve digits from 000000000001, sorted within a part. PLAN.json holds the fields of
mapsight.labels.ranking.RankPlan.
"""

import json
from pathlib import Path

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep

BEFORE, PICTURE = "0", "1"
KEPT = ("label", "score", "ppi", "width", "height", "source", "shard", "row")
TEXT = ("license", "author", "title", "top_label")


class MRRankImages(MRJob):
    """Hadoop sorts; a reducer streams one range of one group and numbers it.

    Its first rank is the sum of what all mappers counted in the ranges before,
    which they send ahead of the pictures.
    """

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = StandardJSONProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    SORT_VALUES = True
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"
    JOBCONF = {"stream.map.input.ignoreKey": "true"}

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--plan", help="JSON: a RankPlan")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not self.options.plan:
            self.arg_parser.error("--plan is needed")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.load_plan,
                mapper=self.mapper_sort_picture,
                mapper_final=self.mapper_tell_ranges,
                reducer_init=self.load_plan,
                reducer=self.reducer_number_range,
            )
        ]

    def load_plan(self):
        from mapsight.labels.ranking import RangeCounter, RankPlan

        self.plan = RankPlan(**json.loads(Path(self.options.plan).read_text(encoding="utf-8")))
        self.counter = RangeCounter(self.plan)

    def mapper_sort_picture(self, image_id, record):
        from mapsight.labels.ranking import EVERYTHING

        if "error" in record or "orphan" in record:
            return
        text = self.plan.sort_text(record, image_id)
        kept = {name: record[name] for name in (*KEPT, *TEXT) if name in record}
        kept |= {"image_id": image_id, "value": self.plan.value(record)}
        for group in (record["label"], EVERYTHING):
            number = self.counter.add(group, text)
            yield [group, f"{number:06d}"], [PICTURE, text, kept]

    def mapper_tell_ranges(self):
        for group, number, count in self.counter.before():
            yield [group, f"{number:06d}"], [BEFORE, count]

    def reducer_number_range(self, key, values):
        group, _ = key
        rank = 0
        for kind, *rest in values:
            if kind == BEFORE:
                rank += rest[0]
                continue
            rank += 1
            if self.plan.wanted(rank):
                yield [group, f"{rank:012d}"], rest[1]


if __name__ == "__main__":
    MRRankImages.run()
