"""Map features to labels, beside what people verified.

    python mr_jobs/classify_images.py -r local --targets TARGETS.json [--head HEAD.npz] \\
        --output-dir OUT RECORDS…

Input: `image_id, Joined` or `image_id, Feature` lines (mapsight/records.py).
Output: `image_id, Prediction`, sorted by image_id within a part; a record with `error` or
`orphan` passes through. TARGETS.json holds `targets` (MID by label) and `parents` (parents
by MID of the collection's hierarchy); HEAD.npz is of mapsight/labels/head.py.
Counters: images/classified, images/rejected.
"""

import json
from collections import Counter
from pathlib import Path

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep


class MRClassifyImages(MRJob):
    """Predictions are small; Hadoop sorts them by image_id."""

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = StandardJSONProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    SORT_VALUES = True
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"
    JOBCONF = {"stream.map.input.ignoreKey": "true"}

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--targets", help="JSON: targets and parents")
        self.add_file_arg("--head", help="a class head, instead of the classes of the model")
        self.add_passthru_arg(
            "--foreign-head", action="store_true", help="it was fitted on other pictures"
        )
        self.add_passthru_arg("--screen-diagonal", type=float, help="inches, for the usual PPI")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not self.options.targets:
            self.arg_parser.error("--targets is needed")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_predict_label,
                mapper_final=self.mapper_tell_counts,
                reducer=self.reducer_sort,
            )
        ]

    def mapper_start(self):
        from mapsight.labels.classify import Classifier
        from mapsight.labels.head import load_head
        from mapsight.labels.labeler import Labeler

        settings = json.loads(Path(self.options.targets).read_text(encoding="utf-8"))
        labeler = Labeler(settings["targets"], settings["parents"])
        head = load_head(self.options.head) if self.options.head else None
        own = not self.options.foreign_head
        self.classifier = Classifier(labeler, head, self.options.screen_diagonal, own=own)
        self.counts: Counter = Counter()

    def mapper_predict_label(self, image_id, record):
        from mapsight.task_errors import at

        with at(f"picture {image_id}"):
            prediction = self.classifier.predict(record)
        if "orphan" not in prediction:
            self.counts["rejected" if "error" in prediction else "classified"] += 1
        yield image_id, prediction

    def mapper_tell_counts(self):
        for name, count in sorted(self.counts.items()):
            self.increment_counter("images", name, count)

    def reducer_sort(self, image_id, predictions):
        for prediction in predictions:
            yield image_id, prediction


if __name__ == "__main__":
    MRClassifyImages.run()
