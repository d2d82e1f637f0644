"""Find the best answers to queries, one or many in one pass.

    python mr_jobs/search_images.py -r local --queries Q.jsonl --targets TARGETS.json \\
        --output-dir OUT FEATURES…

Input: `image_id, Feature` lines, or `image_id, Prediction` lines with `--by label`.
Output: `query number, [[score, image_id, fields], …]` best first, ties by image_id.
Q.jsonl holds mapsight.search.exact.Query records; `--removed R.arrow` lists pictures that are
hidden (mapsight/index/removed_ids.py).
"""

import json
from pathlib import Path

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep


class MRSearchImages(MRJob):
    """Each map task keeps the best of its share, a reducer the best of those."""

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = StandardJSONProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"
    JOBCONF = {"stream.map.input.ignoreKey": "true"}

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--queries", help="one Query a line")
        self.add_file_arg("--targets", help="JSON: targets and parents")
        self.add_file_arg("--head", help="the class head that the pictures were labelled with")
        self.add_file_arg("--removed", help="Arrow file of pictures that are hidden")
        self.add_passthru_arg("--by", choices=["features", "label"], default="features")
        self.add_passthru_arg("--screen-diagonal", type=float, help="inches, for the usual PPI")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not (self.options.queries and self.options.targets):
            self.arg_parser.error("--queries and --targets are needed")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_collect,
                mapper_final=self.mapper_emit_best,
                reducer_init=self.load_queries,
                reducer=self.reducer_merge_best,
            )
        ]

    def load_queries(self):
        from mapsight.labels.classify import Classifier
        from mapsight.labels.head import load_head
        from mapsight.labels.labeler import Labeler
        from mapsight.search.exact import Search, read_queries

        settings = json.loads(Path(self.options.targets).read_text(encoding="utf-8"))
        labeler = Labeler(settings["targets"], settings["parents"])
        head = load_head(self.options.head) if self.options.head else None
        classifier = Classifier(labeler, head, self.options.screen_diagonal)
        self.search = Search(read_queries(self.options.queries), self.options.by, classifier)

    def mapper_start(self):
        from mapsight.index.removed_ids import IdList

        self.load_queries()
        self.removed = IdList(self.options.removed)

    def mapper_collect(self, image_id, record):
        if not self.removed.hides(image_id, record.get("part", 0)):
            self.search.add(image_id, record)

    def mapper_emit_best(self):
        for number, answers in self.search.answers():
            if answers:
                yield f"{number:09d}", answers

    def reducer_merge_best(self, number, lists):
        yield number, self.search.merged(int(number), lists)


if __name__ == "__main__":
    MRSearchImages.run()
