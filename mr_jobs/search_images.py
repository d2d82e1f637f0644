"""Find the best answers to queries, one or many in one pass.

    python mr_jobs/search_images.py -r local --queries Q.jsonl --targets TARGETS.json \\
        --output-dir OUT FEATURES…

Input: `image_id, Feature` lines, or `image_id, Prediction` lines with `--by label`.
Output: `query number, [[score, image_id, fields], …]` best first, ties by image_id.
Q.jsonl holds mapsight.search.exact.Query records; `--removed R.arrow` lists pictures that are
hidden (mapsight/index/removed_ids.py).
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRSearchImages(RecordsJob):
    """Each map task keeps the best of its share, a reducer the best of those."""

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--queries", needed=True, help="one Query a line")
        self.add_file_arg("--targets", needed=True, help="JSON: targets and parents")
        self.add_file_arg("--head", help="the class head that the pictures were labelled with")
        self.add_file_arg("--removed", help="Arrow file of pictures that are hidden")
        self.add_passthru_arg("--by", choices=["features", "label"], default="features")
        self.add_passthru_arg("--screen-diagonal", type=float, help="inches, for the usual PPI")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_collect,
                mapper_final=self.mapper_emit_best,
                reducer_init=self.start,
                reducer=self.reducer_merge_best,
            )
        ]

    def start(self):
        from mapsight.labels.classify import Classifier
        from mapsight.search.exact import Search, read_queries

        files = self.options.targets, self.options.head
        classifier = Classifier.load(*files, self.options.screen_diagonal)
        self.search = Search(read_queries(self.options.queries), self.options.by, classifier)

    def mapper_start(self):
        from mapsight.index.removed_ids import IdList

        self.start()
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
