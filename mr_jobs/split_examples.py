"""Split examples into training, validation and test; find pictures that lie on two sides.

    python mr_jobs/split_examples.py -r local --targets TARGETS.json --output-dir OUT JOINED…

Input: `image_id, Joined` lines (mapsight/records.py).
Output: `["class", split, label, style], n` and `["style", split, style], n` of the
training, validation and test examples, `["left_out", split], n`, and for each picture left
out because one of equal dHash stays in another split, `["twin", image_id],
[dhash, split, split of the other]`. TARGETS.json is that of classify.
"""

import sys
from collections import Counter
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRSplitExamples(RecordsJob):
    """Pictures of equal dHash meet in a reducer, those of the test split first."""

    SORT_VALUES = True

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--targets", needed=True, help="JSON: targets and parents")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_find_examples,
                reducer_init=self.reducer_start,
                reducer=self.reducer_count_twins,
                reducer_final=self.reducer_emit_counts,
            )
        ]

    def mapper_start(self):
        from mapsight.labels.labeler import Labeler

        self.labeler = Labeler.load(self.options.targets)

    def mapper_find_examples(self, image_id, record):
        from mapsight.labels.examples import SPLITS, example_of

        example = example_of(record, self.labeler)
        if example and example.useful:
            labels = list(example.present or ())
            yield example.dhash, [SPLITS.index(example.split), image_id, labels, example.style]

    def reducer_start(self):
        self.examples: Counter = Counter()

    def reducer_count_twins(self, dhash, rows):
        from mapsight.labels.examples import count_examples

        for image_id, split, kept in count_examples(rows, self.examples):
            yield ["twin", image_id], [dhash, split, kept]

    def reducer_emit_counts(self):
        yield from sorted(self.examples.items())


if __name__ == "__main__":
    MRSplitExamples.run()
