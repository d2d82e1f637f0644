"""Pack loose picture files and tar archives into Parquet shards.

    python mr_jobs/pack_images.py -r local --shards SHARDS --output-dir OUT MANIFEST

Input: a manifest, one Split of a listing or of an archive a line (mapsight/records.py).
Output: for each new shard `null, {"split": Split of the shard, "sha256": …}`.
Counters: images/packed, archives/side_files_without_picture.
"""

import json

from mrjob.job import MRJob
from mrjob.protocol import RawValueProtocol, StandardJSONProtocol
from mrjob.step import MRStep

TELL_EVERY = 32


class MRPackImages(MRJob):
    """A map task reads the files or the archive of its split and writes shards.

    Their names are new for every attempt: only the shards that the committed
    output names are ever read.
    """

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = RawValueProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.NLineInputFormat"
    JOBCONF = {
        "mapreduce.input.lineinputformat.linespermap": 1,
        "stream.map.input.ignoreKey": "true",
        "mapreduce.map.speculative": "false",
    }

    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--shards", help="folder or URI for the shards")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not self.options.shards:
            self.arg_parser.error("--shards is needed")

    def steps(self):
        return [MRStep(mapper=self.mapper_pack_split)]

    def mapper_pack_split(self, _, line):
        from mapsight.inputs.pack import image_rows, pack_rows
        from mapsight.records import Split
        from mapsight.task_errors import at, place_of

        split = Split.from_json(line)
        with at(place_of(split)):
            counts = {"alone": 0}
            rows = self.told(image_rows(split, counts))
            for shard, sha256 in pack_rows(rows, self.options.shards, split.first):
                yield None, {"split": json.loads(shard.to_json()), "sha256": sha256}
        if counts["alone"]:
            self.increment_counter("archives", "side_files_without_picture", counts["alone"])
            yield None, {"side_file": f"{split.source}#{counts['first']}"}

    def told(self, rows):
        number = 0
        for number, row in enumerate(rows, 1):
            yield row
            if number % TELL_EVERY == 0:
                self.increment_counter("images", "packed", TELL_EVERY)
        self.increment_counter("images", "packed", number % TELL_EVERY)


if __name__ == "__main__":
    MRPackImages.run()
