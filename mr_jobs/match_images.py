"""Find the pictures that a search index has already, by id.

    python mr_jobs/match_images.py -r local --plan PLAN.json --output-dir OUT RECORDS…

Input: `image_id, record` lines of any kind (mapsight/records.py); rejected pictures and
orphans are passed over.
PLAN.json names the index's files of ids (mapsight/index/known_ids.py); `--removed R.arrow` lists
pictures that it hides (mapsight/index/removed_ids.py).
Output: `null, image_id` of each picture that is there.
Counters: images/known.
"""

from pathlib import Path

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep


class MRMatchImages(MRJob):
    """Mappers sort ids into buckets, a reducer compares a bucket with the index's."""

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = StandardJSONProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"
    JOBCONF = {"stream.map.input.ignoreKey": "true"}

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--plan", help="JSON: buckets, and files of ids")
        self.add_file_arg("--removed", help="Arrow file of pictures that are hidden")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not self.options.plan:
            self.arg_parser.error("--plan is needed")

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

        self.plan = KnownPlan.from_json(Path(self.options.plan).read_text(encoding="utf-8"))
        self.removed = IdList(self.options.removed)

    def mapper_find_bucket(self, image_id, record):
        if "error" not in record and "orphan" not in record:
            yield f"{self.plan.bucket(image_id):06d}", image_id

    def reducer_compare(self, bucket, image_ids):
        from mapsight.index.known_ids import known_among

        for image_id in known_among(image_ids, int(bucket), self.plan, self.removed):
            self.increment_counter("images", "known")
            yield None, image_id


if __name__ == "__main__":
    MRMatchImages.run()
