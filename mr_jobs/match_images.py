"""Find the pictures that a search index has already, by id.

    python mr_jobs/match_images.py -r local --plan PLAN.json --output-dir OUT RECORDS…

Input: `image_id, record` lines of any kind (mapsight/records.py); rejected pictures and
orphans are passed over.
PLAN.json names the index's files of ids (mapsight/index/known_ids.py); `--removed R.arrow` lists
pictures that it hides (mapsight/index/removed_ids.py).
Output: `null, image_id` of each picture that is there.
Counters: images/known.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRMatchImages(RecordsJob):
    """Mappers sort ids into buckets, a reducer compares a bucket with the index's."""

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--plan", needed=True, help="JSON: buckets, and files of ids")
        self.add_file_arg("--removed", help="Arrow file of pictures that are hidden")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.start,
                mapper=self.mapper_find_bucket,
                reducer_init=self.start,
                reducer=self.reducer_compare,
            )
        ]

    def start(self):
        from mapsight.index.known_ids import KnownPlan
        from mapsight.index.removed_ids import IdList

        self.plan = KnownPlan(**self.read_json("plan"))
        self.removed = IdList(self.options.removed)

    def mapper_find_bucket(self, image_id, record):
        from mapsight.records import is_picture

        if is_picture(record):
            yield f"{self.plan.bucket(image_id):06d}", image_id

    def reducer_compare(self, bucket, image_ids):
        from mapsight.index.known_ids import known_among

        for image_id in known_among(image_ids, int(bucket), self.plan, self.removed):
            self.counts["images", "known"] += 1
            yield None, image_id


if __name__ == "__main__":
    MRMatchImages.run()
