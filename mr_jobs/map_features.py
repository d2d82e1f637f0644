"""Map features to new features: the rows of which cells and the search index are made.

    python mr_jobs/map_features.py -r local --targets TARGETS.json [--head HEAD.npz] \\
        --rows ROWS --output-dir OUT RECORDS…

Input: `image_id, Joined` or `image_id, Feature` lines (mapsight/records.py).
Output: for each file of rows (mapsight/index/rows.py) that a task wrote into the folder
ROWS `["file"], {"file": its name, "rows": …}`; for each label but `other` `["label", name],
[rows, sum of squared lengths, sum of vectors]` (mapsight/index/oddness.py). Rejected pictures
have no row.
Counters: images/rows.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRMapFeatures(RecordsJob):
    """A map task writes the rows of its pictures to a file whose name is new each time."""

    JOBCONF = RecordsJob.JOBCONF | {"mapreduce.map.speculative": "false"}

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--targets", needed=True, help="JSON: targets and parents")
        self.add_file_arg("--head", help="the class head that the pictures are labelled with")
        self.add_passthru_arg("--screen-diagonal", type=float, help="inches, for the usual PPI")
        self.add_passthru_arg("--rows", needed=True, help="folder or URI for the files")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_start,
                mapper=self.mapper_add_picture,
                mapper_final=self.mapper_name_file,
                reducer=self.reducer_sum_labels,
            )
        ]

    def mapper_start(self):
        from mapsight.index.vectors import RowsFile
        from mapsight.labels.classify import Classifier

        files = self.options.targets, self.options.head
        classifier = Classifier.load(*files, self.options.screen_diagonal)
        self.file = RowsFile(self.options.rows, classifier)

    def mapper_add_picture(self, image_id, record):
        self.file.add(image_id, record)

    def mapper_name_file(self):
        self.file.close()
        self.counts["images", "rows"] += self.file.rows
        if self.file.rows:
            yield ["file"], {"file": self.file.name, "rows": self.file.rows}
        for label, sums in self.file.sums.items():
            yield ["label", label], sums

    def reducer_sum_labels(self, key, values):
        from mapsight.index.oddness import summed

        if key == ["file"]:
            yield from ((key, value) for value in values)
        else:
            yield key, summed(values)


if __name__ == "__main__":
    MRMapFeatures.run()
