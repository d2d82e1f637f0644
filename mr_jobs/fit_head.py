"""Fit a class head, a style head and principal components in one pass.

    python mr_jobs/fit_head.py -r local --targets TARGETS.json --plan PLAN.json \\
        --leaks LEAKS.npz --output-dir OUT JOINED…

Input: `image_id, Joined` lines (mapsight/records.py).
Output: `"head", HEAD` and `"tried", TRIED`: the head (mapsight/labels/head.py) as .npz and the
class weights of all strengths as .npy, in base64. PLAN.json holds a FitPlan
(mapsight/labels/fit_sums.py), LEAKS.npz what mapsight.labels.examples.Leaks saves.
Counters: examples/fitted, examples/left_out, examples/without_label.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRFitHead(RecordsJob):
    """Mappers sum; all sums meet in one reducer, which solves.

    Memory: three Gram matrices (d²), whatever the input.
    """

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--targets", needed=True, help="JSON: targets and parents")
        self.add_file_arg(
            "--plan", needed=True, help="JSON: classes and how many examples they have"
        )
        self.add_file_arg("--leaks", needed=True, help=".npz: pictures that lie on two sides")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_add_picture,
                mapper_final=self.mapper_emit_sums,
                reducer_init=self.load_plan,
                reducer=self.reducer_solve,
            )
        ]

    def load_plan(self):
        from mapsight.labels.fit_sums import FitPlan

        self.plan = FitPlan(**self.read_json("plan"))

    def mapper_start(self):
        from mapsight.labels.examples import Leaks
        from mapsight.labels.labeler import Labeler

        self.load_plan()
        self.labeler = Labeler.load(self.options.targets)
        self.leaks = Leaks.load(self.options.leaks)
        self.sums = None

    def mapper_add_picture(self, image_id, record):
        from mapsight.labels.examples import example_in

        example = example_in("train", record, self.labeler)
        if example and self.leaks.leave_out(example):
            self.counts["examples", "left_out"] += 1
        elif example:
            used = self.add(record["embedding"], example)
            self.counts["examples", "fitted" if used else "without_label"] += 1

    def add(self, embedding, example):
        from mapsight.labels.fit_sums import FitSums
        from mapsight.records import decode_embedding

        x = decode_embedding(embedding)
        self.sums = self.sums or FitSums(self.plan, len(x))
        return self.sums.add(x, example)

    def mapper_emit_sums(self):
        if self.sums:
            for row in self.sums.rows():
                yield "head", [self.sums.d, row]

    def reducer_solve(self, _, rows):
        from mapsight.labels.fit_sums import sums_of
        from mapsight.labels.head import head_text, tried_text
        from mapsight.labels.solve import solve_head

        head, tried = solve_head(sums_of(rows, self.plan))
        yield "head", head_text(head)
        yield "tried", tried_text(tried)


if __name__ == "__main__":
    MRFitHead.run()
