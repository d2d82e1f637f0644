"""Fetch the pictures of URL lists into Parquet shards.

    python mr_jobs/fetch_images.py -r local --store FOLDER --output-dir OUT MANIFEST

Input: a manifest, one Split of a listing of URLs a line (mapsight/records.py).
Output: for each chunk of URLs `null, {"split": Split of its shard, "sha256": …,
"failed": URLs that may succeed next time, "same": URLs that gave what another
gave too}`.
Counters: fetch/fetched, fetch/kept and fetch/failed; images/answered is their sum.
"""

import json

from mrjob.job import MRJob
from mrjob.protocol import RawValueProtocol, StandardJSONProtocol
from mrjob.step import MRStep


class MRFetchImages(MRJob):
    """A map task fetches the URLs of its split, a chunk at a time.

    The store outlives the job: what it holds of a chunk is not fetched again. Memory:
    a row group of the listing, the temporary bodies' beginnings (64 kB a URL of a
    chunk), and a row group of pictures.
    """

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = RawValueProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.NLineInputFormat"
    JOBCONF = {
        "mapreduce.input.lineinputformat.linespermap": 1,
        "stream.map.input.ignoreKey": "true",
        "mapreduce.map.speculative": "false",
        "mapreduce.task.timeout": 1800000,
    }

    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--store", help="folder or URI that keeps the shards")
        self.add_passthru_arg(
            "--seconds", type=float, default=120.0, help="for one URL, all retries included"
        )
        self.add_passthru_arg(
            "--connections", type=int, default=16, help="open at once, of each map task"
        )
        self.add_passthru_arg(
            "--per-host",
            type=int,
            default=4,
            help="of those, to one host; it sees them times the tasks that run at once",
        )
        self.add_passthru_arg(
            "--allow-private", action="store_true", help="also addresses that are not public"
        )
        self.add_passthru_arg(
            "--check-md5", action="store_true", help="refuse bodies without the MD5 of their ETag"
        )
        self.add_passthru_arg("--again", action="store_true", help="try all that failed again")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not self.options.store:
            self.arg_parser.error("--store is needed")

    def steps(self):
        return [MRStep(mapper=self.mapper_fetch_split)]

    def mapper_fetch_split(self, _, line):
        from mapsight.inputs.fetch_shards import fetch_chunk
        from mapsight.inputs.splits import listed_chunks
        from mapsight.records import Split
        from mapsight.task_errors import at, place_of
        from mapsight.web.fetch_many import Limits

        options = self.options
        limits = Limits(
            seconds=options.seconds,
            connections=options.connections,
            per_host=options.per_host,
            allow_private=options.allow_private,
            check_md5=options.check_md5,
        )
        split = Split.from_json(line)
        with at(place_of(split)):
            for first, rows in listed_chunks(split):
                chunk = fetch_chunk(
                    rows, options.store, first, limits, again=options.again, told=self.tell
                )
                shard = json.loads(chunk.split.to_json())
                counts = {"failed": chunk.failed, "same": chunk.same}
                yield None, {"split": shard, "sha256": chunk.sha256, **counts}

    def tell(self, name, count):
        self.increment_counter("fetch", name, count)
        self.increment_counter("images", "answered", count)


if __name__ == "__main__":
    MRFetchImages.run()
