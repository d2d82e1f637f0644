"""Fetch the pictures of URL lists into Parquet shards.

    python mr_jobs/fetch_images.py -r local --store FOLDER --output-dir OUT MANIFEST

Input: a manifest, one Split of a listing of URLs a line (mapsight/records.py).
Output: for each chunk of URLs `null, {"split": Split of its shard, "sha256": …,
"failed": URLs that may succeed next time, "same": URLs that gave what another
gave too}`.
Counters: fetch/fetched, fetch/kept and fetch/failed; images/answered is their sum.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, SplitsJob

MANNERS = ("user_agent", "host_pause", "ignore_robots")


class MRFetchImages(SplitsJob):
    """A map task fetches the URLs of its split, a chunk at a time.

    The store outlives the job: what it holds of a chunk is not fetched again. Memory:
    a row group of the listing, the temporary bodies' beginnings (64 kB a URL of a
    chunk), a row group of pictures, and the rules of 4,096 hosts.
    """

    JOBCONF = SplitsJob.JOBCONF | {
        "mapreduce.map.speculative": "false",
        "mapreduce.task.timeout": 1800000,
    }

    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--store", needed=True, help="folder or URI that keeps the shards")
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
        self.add_passthru_arg("--user-agent", help="what servers are told (default: name, version)")
        self.add_passthru_arg(
            "--host-pause", type=float, default=0.0, help="seconds between requests to one host"
        )
        self.add_passthru_arg(
            "--ignore-robots", action="store_true", help="heed no robots.txt and X-Robots-Tag"
        )
        self.add_passthru_arg("--again", action="store_true", help="try all that failed again")

    def steps(self):
        return [MRStep(mapper_init=self.mapper_start, mapper=self.mapper_fetch_split)]

    def mapper_start(self):
        from mapsight.web.fetch_many import Limits, manners_of

        names = ("seconds", "connections", "per_host", "allow_private", "check_md5")
        given = {name: getattr(self.options, name) for name in (*names, *MANNERS)}
        self.limits = Limits(**{name: value for name, value in given.items() if value is not None})
        self.manners = manners_of(self.limits)

    def mapper_fetch_split(self, _, line):
        from mapsight.inputs.fetch_shards import fetch_chunk
        from mapsight.inputs.listings import listed_chunks
        from mapsight.records import Split
        from mapsight.task_errors import at, place_of

        split = Split.from_json(line)
        store, how = self.options.store, {"again": self.options.again, "told": self.report}
        how["manners"] = self.manners
        with at(place_of(split)):
            for first, rows in listed_chunks(split):
                yield None, fetch_chunk(rows, store, first, self.limits, **how).record()

    def report(self, name, count):
        self.increment_counter("fetch", name, count)
        self.increment_counter("images", "answered", count)


if __name__ == "__main__":
    MRFetchImages.run()
