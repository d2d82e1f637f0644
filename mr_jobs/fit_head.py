"""Fit a class head, a style head and principal components in one pass.

    python mr_jobs/fit_head.py -r local --targets TARGETS.json --plan PLAN.json \\
        --leaks LEAKS.npz --output-dir OUT JOINED…

Input: `image_id, Joined` lines (mapsight/records.py).
Output: `"head", HEAD` and `"tried", TRIED`: the head (mapsight/labels/head.py) as .npz and the
class weights of all strengths as .npy, in base64. PLAN.json holds a FitPlan
(mapsight/labels/fit_sums.py), LEAKS.npz what mapsight.labels.examples.Leaks saves.
Counters: examples/fitted, examples/left_out, examples/without_label.
"""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep

if TYPE_CHECKING:
    from mapsight.labels.fit_sums import FitSums


class MRFitHead(MRJob):
    """Mappers sum; all sums meet in one reducer, which solves.

    Memory: three Gram matrices (d²), whatever the input.
    """

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = StandardJSONProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"
    JOBCONF = {"stream.map.input.ignoreKey": "true"}

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--targets", help="JSON: targets and parents")
        self.add_file_arg("--plan", help="JSON: classes and how many examples they have")
        self.add_file_arg("--leaks", help=".npz: pictures that lie on two sides")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not (self.options.targets and self.options.plan and self.options.leaks):
            self.arg_parser.error("--targets, --plan and --leaks are needed")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_add_picture,
                mapper_final=self.mapper_emit_sums,
                reducer_init=self.reducer_start,
                reducer=self.reducer_solve,
            )
        ]

    def reducer_start(self):
        from mapsight.labels.fit_sums import FitPlan

        self.plan = FitPlan(**json.loads(Path(self.options.plan).read_text(encoding="utf-8")))
        self.sums: FitSums | None = None

    def mapper_start(self):
        from mapsight.labels.examples import Leaks
        from mapsight.labels.labeler import Labeler

        settings = json.loads(Path(self.options.targets).read_text(encoding="utf-8"))
        self.labeler = Labeler(settings["targets"], settings["parents"])
        self.leaks = Leaks.load(self.options.leaks)
        self.counts: Counter = Counter()
        self.reducer_start()

    def mapper_add_picture(self, image_id, record):
        from mapsight.labels.examples import example_of
        from mapsight.records import decode_embedding

        example = example_of(record, self.labeler)
        if not (example and example.useful and example.split == "train"):
            return
        if self.leaks.leave_out(example):
            self.counts["left_out"] += 1
            return
        x = decode_embedding(record["embedding"])
        used = self.sums_of(len(x)).add(x, example)
        self.counts["fitted" if used else "without_label"] += 1

    def sums_of(self, d: int) -> "FitSums":
        from mapsight.labels.fit_sums import FitSums

        self.sums = self.sums or FitSums(self.plan, d)
        return self.sums

    def mapper_emit_sums(self):
        for name, count in sorted(self.counts.items()):
            self.increment_counter("examples", name, count)
        if self.sums:
            for row in self.sums.rows():
                yield "head", [self.sums.d, row]

    def reducer_solve(self, _, rows):
        from mapsight.labels.head import head_text, tried_text
        from mapsight.labels.solve import solve_head

        for d, row in rows:
            sums = self.sums_of(d)
            sums.add_rows([row])
        head, tried = solve_head(sums)
        yield "head", head_text(head)
        yield "tried", tried_text(tried)


if __name__ == "__main__":
    MRFitHead.run()
