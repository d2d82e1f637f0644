"""Count how often a head is right at which score, over the validation pictures.

    python mr_jobs/calibrate_head.py -r local --targets TARGETS.json --head HEAD.npz \\
        --tried TRIED.npy --leaks LEAKS.npz --output-dir OUT JOINED…

Input: `image_id, Joined` lines (mapsight/records.py).
Output: `[kind, number, right], n` for every key of mapsight.labels.calibrate.Tally.
"""

import json
from pathlib import Path

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep


class MRCalibrateHead(MRJob):
    """Sums are combined in the mapper: memory is the head and some histograms."""

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = StandardJSONProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"
    JOBCONF = {"stream.map.input.ignoreKey": "true"}

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--targets", help="JSON: targets and parents")
        self.add_file_arg("--head", help="the head")
        self.add_file_arg("--tried", help="class weights of other strengths")
        self.add_file_arg("--leaks", help=".npz: pictures that lie on two sides")

    def load_args(self, args):
        super().load_args(args)
        named = (self.options.targets, self.options.head, self.options.tried, self.options.leaks)
        # not `required`, for then mrjob's --help asks for it too
        if not all(named):
            self.arg_parser.error("--targets, --head, --tried and --leaks are needed")

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

        settings = json.loads(Path(self.options.targets).read_text(encoding="utf-8"))
        self.labeler = Labeler(settings["targets"], settings["parents"])
        self.leaks = Leaks.load(self.options.leaks)
        tried = np.load(self.options.tried, allow_pickle=False)
        self.tally = Tally(load_head(self.options.head), tried)

    def mapper_score_picture(self, image_id, record):
        from mapsight.labels.examples import example_of
        from mapsight.records import decode_embedding

        example = example_of(record, self.labeler)
        if example and example.split == "validation" and not self.leaks.leave_out(example):
            self.tally.add(decode_embedding(record["embedding"]), example)

    def mapper_emit_counts(self):
        yield from sorted((list(key), n) for key, n in self.tally.counts.items())

    def reducer_sum_counts(self, key, values):
        yield key, sum(values)


if __name__ == "__main__":
    MRCalibrateHead.run()
