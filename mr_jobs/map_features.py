"""Map features to new features: the rows of which cells and the search index are made.

    python mr_jobs/map_features.py -r local --targets TARGETS.json [--head HEAD.npz] \\
        --rows ROWS --output-dir OUT RECORDS…

Input: `image_id, Joined` or `image_id, Feature` lines (mapsight/records.py).
Output: for each file of rows (mapsight/index/rows.py) that a task wrote into the folder
ROWS `null, {"file": its name, "rows": …}`. Rejected pictures have no row.
Counters: images/rows.
"""

import json
from pathlib import Path

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep


class MRMapFeatures(MRJob):
    """A map task writes the rows of its pictures to a file whose name is new each time."""

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"
    JOBCONF = {"stream.map.input.ignoreKey": "true", "mapreduce.map.speculative": "false"}

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--targets", help="JSON: targets and parents")
        self.add_file_arg("--head", help="the class head that the pictures are labelled with")
        self.add_passthru_arg("--screen-diagonal", type=float, help="inches, for the usual PPI")
        self.add_passthru_arg("--rows", help="folder or URI for the files")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not (self.options.targets and self.options.rows):
            self.arg_parser.error("--targets and --rows are needed")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_add_picture,
                mapper_final=self.mapper_name_file,
            )
        ]

    def mapper_start(self):
        from mapsight.index.vectors import RowsFile
        from mapsight.labels.classify import Classifier
        from mapsight.labels.head import load_head
        from mapsight.labels.labeler import Labeler

        settings = json.loads(Path(self.options.targets).read_text(encoding="utf-8"))
        labeler = Labeler(settings["targets"], settings["parents"])
        head = load_head(self.options.head) if self.options.head else None
        classifier = Classifier(labeler, head, self.options.screen_diagonal)
        self.file = RowsFile(self.options.rows, classifier)

    def mapper_add_picture(self, image_id, record):
        self.file.add(image_id, record)

    def mapper_name_file(self):
        self.file.close()
        self.increment_counter("images", "rows", self.file.rows)
        if self.file.rows:
            yield None, {"file": self.file.name, "rows": self.file.rows}


if __name__ == "__main__":
    MRMapFeatures.run()
