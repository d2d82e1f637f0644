"""Count labels, verified hits and misses, rejections; keep examples; draw a sample for ranking.

    python mr_jobs/count_labels.py -r local --output-dir OUT PREDICTIONS…

Input: `image_id, Prediction` lines (mapsight/records.py).
Output: `[kind, …], count` for every key of mapsight.evaluation.accuracy.tally and
mapsight.evaluation.counts,
`["error", code], count`; `["suspects"], rows` and `["confused", verified, given], rows` of
pictures to look at; `["sample"], rows` for mapsight.labels.ranking.plan_ranking.
"""

import sys
from collections import Counter
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob

SAMPLE = ["sample"]


class MRCountLabels(RecordsJob):
    """Sums are combined in the mapper: memory is one entry a label pair, class or bin."""

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_count_picture,
                mapper_final=self.mapper_emit_counts,
                reducer=self.reducer_sum_counts,
            )
        ]

    def mapper_start(self):
        from mapsight.evaluation.counts import Evaluation
        from mapsight.labels.ranking import Sample

        self.labels: Counter = Counter()
        self.evaluation = Evaluation()
        self.sample = Sample()

    def mapper_count_picture(self, image_id, record):
        from mapsight.evaluation.accuracy import tally

        if "error" in record:
            self.labels["error", record["error"]] += 1
        elif "orphan" not in record:
            self.labels.update(tally(record))
            self.evaluation.add(image_id, record)
            self.sample.add(image_id, record)

    def mapper_emit_counts(self):
        yield from sorted(self.labels.items())
        yield from self.evaluation.items()
        yield SAMPLE, self.sample.rows()

    def reducer_sum_counts(self, key, values):
        from mapsight.evaluation.counts import EXAMPLES, merge_examples
        from mapsight.labels.ranking import merge_samples

        if key == SAMPLE:
            yield key, merge_samples(values)
        elif key[0] in EXAMPLES:
            yield key, merge_examples(key[0], values)
        else:
            yield key, sum(values)


if __name__ == "__main__":
    MRCountLabels.run()
