"""Map features to labels, beside what people verified.

    python mr_jobs/classify_images.py -r local --targets TARGETS.json \\
        --output-dir OUT FEATURES… [ANNOTATIONS…]

Input: `image_id, Feature` and `image_id, Annotation` lines (mapsight/records.py).
Output: `image_id, Prediction`, sorted by image_id within a part; a Feature with
`error` passes through. TARGETS.json holds `targets` (MID by label) and
`parents` (parents by MID of the collection's hierarchy).
Counters: images/classified, images/rejected, annotations/without_picture.
"""

import itertools
import json
from collections import Counter
from pathlib import Path

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep

ANNOTATION, PICTURE, REJECTED = 0, 1, 2


class MRClassifyImages(MRJob):
    """A join by image_id; the annotation sorts before the pictures."""

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
        self.add_passthru_arg("--screen-diagonal", type=float, help="inches, for the usual PPI")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not self.options.targets:
            self.arg_parser.error("--targets is needed")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.load_targets,
                mapper=self.mapper_predict_label,
                reducer_init=self.reducer_start,
                reducer=self.reducer_join_truth,
                reducer_final=self.reducer_tell_counts,
            )
        ]

    def load_targets(self):
        from mapsight.labels import Labeler

        settings = json.loads(Path(self.options.targets).read_text(encoding="utf-8"))
        self.labeler = Labeler(settings["targets"], settings["parents"])

    def reducer_start(self):
        self.load_targets()
        self.counts: Counter = Counter()

    def reducer_tell_counts(self):
        for (group, name), count in sorted(self.counts.items()):
            self.increment_counter(group, name, count)

    def mapper_predict_label(self, image_id, record):
        from mapsight.classify import predict
        from mapsight.where import at

        if "labels" in record:
            yield image_id, [ANNOTATION, record]
        else:
            with at(f"picture {image_id}"):
                prediction = predict(record, self.labeler, self.options.screen_diagonal)
            yield image_id, [REJECTED if "error" in prediction else PICTURE, prediction]

    def reducer_join_truth(self, image_id, values):
        from mapsight.classify import annotated

        kind, first = next(values)
        known = first if kind == ANNOTATION else {}
        alone = [] if kind == ANNOTATION else [first]
        joined = 0
        pictures = itertools.chain(alone, (record for _, record in values))
        for record in annotated(pictures, known, self.labeler):
            joined += 1
            self.counts["images", "rejected" if "error" in record else "classified"] += 1
            yield image_id, record
        if not joined:
            self.counts["annotations", "without_picture"] += 1


if __name__ == "__main__":
    MRClassifyImages.run()
