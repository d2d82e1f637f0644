"""Leave out the records of pictures on a list.

    python mr_jobs/drop_images.py -r local --removed LIST.arrow --output-dir OUT RECORDS…

Input: `image_id, record` lines of any kind (mapsight/records.py).
LIST.arrow says in which parts of an index pictures are hidden (mapsight/index/removed_ids.py).
Output: the records of the others. Rejected pictures and orphans stay.
"""

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep


class MRDropImages(MRJob):
    """A filter: the list is mapped, not read."""

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"
    JOBCONF = {"stream.map.input.ignoreKey": "true"}

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--removed", help="Arrow file of pictures to leave out")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not self.options.removed:
            self.arg_parser.error("--removed is needed")

    def steps(self):
        return [MRStep(mapper_init=self.mapper_start, mapper=self.mapper_keep_others)]

    def mapper_start(self):
        from mapsight.index.removed_ids import IdList

        self.removed = IdList(self.options.removed)

    def mapper_keep_others(self, image_id, record):
        whole = "error" not in record and "orphan" not in record
        if not (whole and self.removed.hides(image_id, record.get("part", 0))):
            yield image_id, record


if __name__ == "__main__":
    MRDropImages.run()
