"""Pack loose picture files and tar archives into Parquet shards.

    python mr_jobs/pack_images.py -r local --shards SHARDS --output-dir OUT MANIFEST

Input: a manifest, one Split of a listing or of an archive a line (mapsight/records.py).
Output: for each new shard `null, {"split": Split of the shard, "sha256": …}`.
Counters: images/packed, archives/side_files_without_picture.
"""

import json
import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, SplitsJob

REPORT_EVERY = 32


class MRPackImages(SplitsJob):
    """A map task reads the files or the archive of its split and writes shards.

    Their names are new for every attempt: only the shards that the committed
    output names are ever read.
    """

    JOBCONF = SplitsJob.JOBCONF | {"mapreduce.map.speculative": "false"}

    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--shards", needed=True, help="folder or URI for the shards")

    def steps(self):
        return [MRStep(mapper=self.mapper_pack_split)]

    def mapper_pack_split(self, _, line):
        from mapsight.inputs.pack import image_rows, pack_rows
        from mapsight.records import Split
        from mapsight.task_errors import at, place_of

        split = Split.from_json(line)
        with at(place_of(split)):
            counts = {"alone": 0}
            rows = self.counted(image_rows(split, counts))
            for shard, sha256 in pack_rows(rows, self.options.shards, split.first):
                yield None, {"split": json.loads(shard.to_json()), "sha256": sha256}
        if counts["alone"]:
            self.counts["archives", "side_files_without_picture"] += counts["alone"]
            yield None, {"side_file": f"{split.source}#{counts['first']}"}

    def counted(self, rows):
        self.counts["images", "packed"] += 0
        for row in rows:
            yield row
            self.counts["images", "packed"] += 1
            if self.counts["images", "packed"] == REPORT_EVERY:
                self.report_counts()


if __name__ == "__main__":
    MRPackImages.run()
