"""Map images to features: dimensions, quality measures, ImageNet top 5, embedding.

    python mr_jobs/extract_features.py -r local --model FILE.tflite --output-dir OUT MANIFEST

Input: a manifest, one Split of image shards a line (mapsight/records.py).
Output: `image_id, Feature`, sorted by image_id within a part. A picture that
could not be used is a Feature with `error` and `detail`. Of several pictures
with one id the first that can be used keeps it, the others are errors
(`duplicate_id`). Without --names-are-ids several pictures with one 16-digit name
get ids of their own, and a part is then not sorted: `settle_ids.py` is to follow.
Counters: images/read (map), images/extracted and images/<error code> (reduce),
ids/shared: pictures whose name others have.
"""

from collections import Counter

from mrjob.job import MRJob
from mrjob.protocol import RawValueProtocol, StandardJSONProtocol
from mrjob.step import MRStep

TELL_EVERY = 16


class MRExtractFeatures(MRJob):
    """The one job with a model: loaded once a task, used on every row of its splits."""

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = RawValueProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    SORT_VALUES = True
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.NLineInputFormat"
    JOBCONF = {
        "mapreduce.input.lineinputformat.linespermap": 1,
        "stream.map.input.ignoreKey": "true",
        "mapreduce.map.speculative": "false",
    }

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--model", help="LiteRT file, or weights for keras")
        self.add_passthru_arg("--model-sha256", help="refuse a model file with another SHA-256")
        self.add_passthru_arg("--engine", choices=["litert", "keras"], default="litert")
        self.add_passthru_arg("--alpha", type=float, default=1.0, help="for keras")
        self.add_passthru_arg("--resolution", type=int, default=224, help="for keras")
        self.add_passthru_arg("--image-column", help="column of foreign Parquet files")
        self.add_passthru_arg(
            "--names-are-ids", action="store_true", help="a 16-digit file name is the id"
        )
        self.add_passthru_arg("--part", type=int, help="number of the addition they belong to")

    def load_args(self, args):
        super().load_args(args)
        # not `required`, for then mrjob's --help asks for it too
        if not self.options.model:
            self.arg_parser.error("--model is needed")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_load_model,
                mapper=self.mapper_extract_split,
                mapper_final=self.mapper_stop_decoder,
                reducer_init=self.reducer_start_counts,
                reducer=self.reducer_keep_first,
                reducer_final=self.reducer_tell_counts,
            )
        ]

    def mapper_load_model(self):
        from mapsight.features.decoder_process import Decoder
        from mapsight.features.engines import load_model

        options = self.options
        self.model = load_model(
            options.engine,
            options.model,
            options.model_sha256,
            alpha=options.alpha,
            resolution=options.resolution,
        )
        self.decoder = Decoder(side=self.model.resolution)

    def mapper_extract_split(self, _, line):
        from mapsight.features.extract import extract_features
        from mapsight.features.same_ids import order_of
        from mapsight.inputs.shards import read_images
        from mapsight.records import Split
        from mapsight.task_errors import at, place_of

        split = Split.from_json(line)
        images = read_images(split, self.options.image_column)
        done = rejected = 0
        with at(place_of(split)):
            for image, feature in extract_features(images, self.model, self.decoder):
                if self.options.part:
                    feature["part"] = self.options.part
                named = image.named and not self.options.names_are_ids
                order = order_of(feature, image.ordinal, named=named)
                yield image.image_id, [order, feature, image.named]
                done, rejected = done + 1, rejected + ("error" in feature)
                if done == TELL_EVERY:
                    self.tell(done, rejected)
                    done = rejected = 0
        self.tell(done, rejected)

    def tell(self, done, rejected):
        self.increment_counter("images", "read", done)
        self.increment_counter("progress", "rejected", rejected)

    def mapper_stop_decoder(self):
        self.decoder.close()

    def reducer_start_counts(self):
        self.counts: Counter = Counter()

    def reducer_tell_counts(self):
        for (group, name), count in sorted(self.counts.items()):
            if count:
                self.increment_counter(group, name, count)

    def reducer_keep_first(self, image_id, values):
        from mapsight.features.same_ids import with_own_ids

        for own_id, feature, shared in with_own_ids(image_id, values):
            self.counts["images", feature.get("error", "extracted")] += 1
            self.counts["ids", "shared"] += shared
            yield own_id, feature


if __name__ == "__main__":
    MRExtractFeatures.run()
