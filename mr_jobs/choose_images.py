"""Choose pictures of some groups that are as unlike each other as can be.

    python mr_jobs/choose_images.py -r local --plan PLAN.json --candidates C.arrow \\
        --output-dir OUT MANIFEST

Input: a manifest, one JSON object a line, as probe_index reads it (mapsight/search/probe_plan.py):
the byte ranges of blocks of the index.
PLAN.json holds the fields of mapsight.choose.cores.SpreadPlan, C.arrow which rows may be chosen and
their groups (mapsight/choose/candidates.py); `--removed R.arrow` lists pictures that are hidden.
Output: `group, [image_id, …]` in the order in which they were chosen.
Counters: choose/rows that were read, choose/cores rows that were compared.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, SplitsJob


class MRChooseImages(SplitsJob):
    """Each map task takes a core of every block, a reducer farthest-first of those of a group.

    Memory: some blocks; of a group its core, whatever its size.
    """

    SORT_VALUES = True

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--plan", needed=True, help="JSON: a SpreadPlan")
        self.add_file_arg("--candidates", needed=True, help="Arrow file of rows that may be chosen")
        self.add_file_arg("--removed", help="Arrow file of pictures that are hidden")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_take_cores,
                reducer_init=self.read_plan,
                reducer=self.reducer_spread_group,
            )
        ]

    def read_plan(self):
        from mapsight.choose.cores import SpreadPlan

        self.plan = SpreadPlan(**self.read_json("plan"))

    def mapper_start(self):
        from mapsight.choose.candidates import Candidates
        from mapsight.index.removed_ids import IdList

        self.read_plan()
        self.candidates = Candidates(self.options.candidates)
        self.removed = IdList(self.options.removed)

    def mapper_take_cores(self, _, line):
        from mapsight.choose.cores import core_rows
        from mapsight.index.blocks import read_blocks
        from mapsight.search.probe_plan import reads_of

        blocks = [block for block, _ in reads_of(line)]
        for block, batch in zip(blocks, read_blocks(blocks), strict=True):
            shown = self.removed.shown(batch, block.part)
            self.counts["choose", "rows"] += shown.num_rows
            for group, row in core_rows(block, shown, self.candidates, self.plan):
                self.counts["choose", "cores"] += 1
                yield f"{group:09d}", row

    def reducer_spread_group(self, group, rows):
        from mapsight.choose.cores import spread_group

        yield group, spread_group(int(group), rows, self.plan)


if __name__ == "__main__":
    MRChooseImages.run()
