"""Map features to labels, beside what people verified.

    python mr_jobs/classify_images.py -r local --targets TARGETS.json [--head HEAD.npz] \\
        --output-dir OUT RECORDS…

Input: `image_id, Joined` or `image_id, Feature` lines (mapsight/records.py).
Output: `image_id, Prediction`, sorted by image_id within a part; a record with `error` or
`orphan` passes through. TARGETS.json holds `targets` (MID by label) and `parents` (parents
by MID of the collection's hierarchy); HEAD.npz is of mapsight/labels/head.py.
Counters: images/classified, images/rejected.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRClassifyImages(RecordsJob):
    """Predictions are small; Hadoop sorts them by image_id."""

    SORT_VALUES = True

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--targets", needed=True, help="JSON: targets and parents")
        self.add_file_arg("--head", help="a class head, instead of the classes of the model")
        self.add_passthru_arg(
            "--foreign-head", action="store_true", help="it was fitted on other pictures"
        )
        self.add_passthru_arg("--screen-diagonal", type=float, help="inches, for the usual PPI")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_predict_label,
                reducer=self.reducer_sort,
            )
        ]

    def mapper_start(self):
        from mapsight.labels.classify import Classifier

        files = self.options.targets, self.options.head
        own = not self.options.foreign_head
        self.classifier = Classifier.load(*files, self.options.screen_diagonal, own=own)

    def mapper_predict_label(self, image_id, record):
        from mapsight.task_errors import at

        with at(f"picture {image_id}"):
            prediction = self.classifier.predict(record)
        if "orphan" not in prediction:
            self.counts["images", "rejected" if "error" in prediction else "classified"] += 1
        yield image_id, prediction

    def reducer_sort(self, image_id, predictions):
        for prediction in predictions:
            yield image_id, prediction


if __name__ == "__main__":
    MRClassifyImages.run()
