"""Find copies of pictures, byte for byte, and near duplicates.

    python mr_jobs/find_duplicates.py -r local [--max-distance 3] [--min-cosine 0.8] \\
        --output-dir OUT RECORDS…

Input: `image_id, Joined` or `image_id, Feature` lines (mapsight/records.py); rejected
pictures and orphans are passed over.
Output: `node, ["edge", node]`, two pictures that belong together, and of every picture with
an edge, perhaps more than once, `node, ["picture", ROW]` (mapsight/duplicates/pairs.py).
Counters: duplicates/pictures, duplicates/distinct, duplicates/edges,
duplicates/cut_buckets.
"""

from collections import Counter

from mrjob.job import MRJob
from mrjob.protocol import StandardJSONProtocol
from mrjob.step import MRStep


class MRFindDuplicates(MRJob):
    """Copies meet by SHA-256, and one of each goes on; near duplicates meet by bands of dHash.

    Memory: of copies one, of a bucket two blocks, whatever their number.
    """

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = StandardJSONProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    SORT_VALUES = True
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.CombineTextInputFormat"
    JOBCONF = {"stream.map.input.ignoreKey": "true"}

    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--max-distance", type=int, default=3, help="bits of dHash, 0 to 3")
        self.add_passthru_arg("--min-cosine", type=float, default=0.8, help="of the embeddings")
        self.add_passthru_arg("--block", type=int, default=2048, help="compared all with all")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.start,
                mapper=self.mapper_read_picture,
                mapper_final=self.tell_counts,
                reducer_init=self.start,
                reducer=self.reducer_set_copies_aside,
                reducer_final=self.tell_counts,
            ),
            MRStep(
                mapper=self.mapper_cut_bands,
                reducer_init=self.start,
                reducer=self.reducer_compare_bucket,
                reducer_final=self.tell_counts,
            ),
        ]

    def start(self):
        self.counts: Counter = Counter()

    def mapper_read_picture(self, image_id, record):
        from mapsight.duplicates.pairs import row_of

        row = row_of(image_id, record)
        if row:
            self.counts["pictures"] += 1
            yield row[1], row

    def reducer_set_copies_aside(self, _, rows):
        kept = next(rows)
        self.counts["distinct"] += 1
        yield kept[0], ["distinct", kept]
        for number, row in enumerate(rows):
            if number == 0:
                yield kept[0], ["picture", kept]
            self.counts["edges"] += 1
            yield row[0], ["edge", kept[0]]
            yield row[0], ["picture", row]

    def mapper_cut_bands(self, node, value):
        from mapsight.duplicates.pairs import bands_of

        if value[0] == "distinct":
            yield from bands_of(value[1])
        else:
            yield node, value

    def reducer_compare_bucket(self, key, values):
        from mapsight.duplicates.pairs import near_pairs

        if isinstance(key, str):
            for value in values:
                yield key, value
            return
        rows = (entry[1:] for entry in values)
        options = self.options
        pairs = near_pairs(rows, options.max_distance, options.min_cosine, options.block)
        for pair in pairs:
            if pair is None:
                self.counts["cut_buckets"] += 1
                continue
            one, other = pair
            self.counts["edges"] += 1
            yield one[0], ["edge", other[0]]
            for row in pair:
                yield row[0], ["picture", row]

    def tell_counts(self):
        for name, count in sorted(self.counts.items()):
            self.increment_counter("duplicates", name, count)


if __name__ == "__main__":
    MRFindDuplicates.run()
