"""Pick the records of some images by id.

    python mr_jobs/find_images.py -r local --ids IDS.json --output-dir OUT RECORDS…

Input: `image_id, record` lines of any kind (mapsight/records.py).
Output: those whose image_id is in the list IDS.json.
"""

import json
from pathlib import Path

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep


class MRFindImages(MRJob):
    """A filter: memory is the wanted ids."""

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"
    JOBCONF = {"stream.map.input.ignoreKey": "true"}

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--ids", help="JSON list of image ids")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not self.options.ids:
            self.arg_parser.error("--ids is needed")

    def steps(self):
        return [MRStep(mapper_init=self.mapper_load_ids, mapper=self.mapper_pick)]

    def mapper_load_ids(self):
        self.ids = frozenset(json.loads(Path(self.options.ids).read_text(encoding="utf-8")))

    def mapper_pick(self, image_id, record):
        if image_id in self.ids:
            yield image_id, record


if __name__ == "__main__":
    MRFindImages.run()
