"""Pack loose picture files into Parquet shards.

    python mr_jobs/pack_images.py -r local --shards SHARDS --output-dir OUT MANIFEST

Input: a manifest, one Split of a listing a line (mapsight/records.py).
Output: for each split `null, {"split": Split of the new shard, "sha256": …}`.
"""

import json
import os

from mrjob.job import MRJob
from mrjob.protocol import RawValueProtocol, StandardJSONProtocol
from mrjob.step import MRStep


class MRPackImages(MRJob):
    """A map task reads the files of its split and writes one shard.

    The shard's name is new for every attempt: only the shards that the
    committed output names are ever read.
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
        from mapsight.pack import write_shard
        from mapsight.records import Split

        split = Split.from_json(line)
        attempt = f"{os.getpid()}-{os.urandom(4).hex()}"
        uri = f"{self.options.shards.rstrip('/')}/{split.first:012d}-{attempt}.parquet"
        shard, sha256 = write_shard(
            split, uri, lambda files: self.increment_counter("images", "packed", files)
        )
        yield None, {"split": json.loads(shard.to_json()), "sha256": sha256}


if __name__ == "__main__":
    MRPackImages.run()
