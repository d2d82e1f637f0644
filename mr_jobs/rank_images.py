"""Rank every picture, within its label and over all, best first.

    python mr_jobs/rank_images.py -r local --plan PLAN.json --output-dir OUT PREDICTIONS…

Input: `image_id, Prediction` lines (mapsight/records.py).
Output: `[group, rank], Ranked`, where group is a label or `*` (all pictures) and rank is
twelve digits from 000000000001, sorted within a part. PLAN.json holds the fields of
mapsight.labels.ranking.RankPlan.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRRankImages(RecordsJob):
    """Hadoop sorts; a reducer streams one range of one group and numbers it.

    Its first rank is the sum of what all mappers counted in the ranges before,
    which they send ahead of the pictures.
    """

    SORT_VALUES = True

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--plan", needed=True, help="JSON: a RankPlan")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.start,
                mapper=self.mapper_sort_picture,
                mapper_final=self.mapper_send_headers,
                reducer_init=self.start,
                reducer=self.reducer_number_range,
            )
        ]

    def start(self):
        from mapsight.labels.ranking import RangeCounter, RankPlan

        self.plan = RankPlan(**self.read_json("plan"))
        self.counter = RangeCounter(self.plan)

    def mapper_sort_picture(self, image_id, record):
        yield from self.counter.entries(image_id, record)

    def mapper_send_headers(self):
        yield from self.counter.headers()

    def reducer_number_range(self, key, values):
        from mapsight.labels.ranking import numbered

        for rank, picture in numbered(values, self.plan):
            yield [key[0], rank], picture


if __name__ == "__main__":
    MRRankImages.run()
