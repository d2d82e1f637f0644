"""Count how often a head is right at which score, over the validation pictures.

    python mr_jobs/calibrate_head.py -r local --targets TARGETS.json --head HEAD.npz \\
        --tried TRIED.npy --leaks LEAKS.npz --output-dir OUT JOINED…

Input: `image_id, Joined` lines (mapsight/records.py).
Output: `[kind, number, right], n` for every key of mapsight.labels.calibrate.Tally.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRCalibrateHead(RecordsJob):
    """Sums are combined in the mapper: memory is the head and some histograms."""

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--targets", needed=True, help="JSON: targets and parents")
        self.add_file_arg("--head", needed=True, help="the head")
        self.add_file_arg("--tried", needed=True, help="class weights of other strengths")
        self.add_file_arg("--leaks", needed=True, help=".npz: pictures that lie on two sides")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_score_picture,
                mapper_final=self.mapper_emit_counts,
                reducer=self.reducer_sum_counts,
            )
        ]

    def mapper_start(self):
        import numpy as np

        from mapsight.labels.calibrate import Tally
        from mapsight.labels.examples import Leaks
        from mapsight.labels.head import load_head
        from mapsight.labels.labeler import Labeler

        self.labeler = Labeler.load(self.options.targets)
        self.leaks = Leaks.load(self.options.leaks)
        tried = np.load(self.options.tried, allow_pickle=False)
        self.tally = Tally(load_head(self.options.head), tried)

    def mapper_score_picture(self, image_id, record):
        from mapsight.labels.examples import example_in
        from mapsight.records import decode_embedding

        example = example_in("validation", record, self.labeler)
        if example and not self.leaks.leave_out(example):
            self.tally.add(decode_embedding(record["embedding"]), example)

    def mapper_emit_counts(self):
        yield from sorted(self.tally.counts.items())

    def reducer_sum_counts(self, key, values):
        yield key, sum(values)


if __name__ == "__main__":
    MRCalibrateHead.run()
