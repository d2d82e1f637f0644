"""Count the most probable class of every picture, for labels that a collection chooses itself.

    python mr_jobs/count_classes.py -r local --output-dir OUT RECORDS…

Input: `image_id, Joined` or `image_id, Feature` lines (mapsight/records.py).
Output: `class, pictures`, where a class is a wnid of ImageNet or a MID.
"""

import sys
from collections import Counter
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRCountClasses(RecordsJob):
    """Sums are combined in the mapper: memory is one entry a class."""

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
        self.classes: Counter = Counter()

    def mapper_count_picture(self, image_id, record):
        from mapsight.records import is_picture

        if is_picture(record) and record["top5"]:
            self.classes[record["top5"][0][0]] += 1

    def mapper_emit_counts(self):
        yield from sorted(self.classes.items())

    def reducer_sum_counts(self, name, counts):
        yield name, sum(counts)


if __name__ == "__main__":
    MRCountClasses.run()
