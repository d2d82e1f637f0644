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

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, SplitsJob

REPORT_EVERY = 16


class MRExtractFeatures(SplitsJob):
    """The one job with a model: loaded once a task, used on every row of its splits."""

    SORT_VALUES = True
    JOBCONF = SplitsJob.JOBCONF | {"mapreduce.map.speculative": "false"}

    def configure_args(self):
        super().configure_args()
        self.add_file_arg(
            "--model",
            needed=True,
            help="LiteRT file that says how it is understood, or weights for keras",
        )
        self.add_passthru_arg("--model-sha256", help="refuse a model file with another SHA-256")
        self.add_passthru_arg("--engine", choices=["litert", "keras"], default="litert")
        self.add_passthru_arg("--alpha", type=float, default=1.0, help="for keras")
        self.add_passthru_arg("--resolution", type=int, default=224, help="for keras")
        self.add_passthru_arg("--image-column", help="column of foreign Parquet files")
        self.add_passthru_arg(
            "--names-are-ids", action="store_true", help="a 16-digit file name is the id"
        )
        self.add_passthru_arg("--part", type=int, help="number of the addition they belong to")

    def steps(self):
        return [
            MRStep(
                mapper_init=self.mapper_load_model,
                mapper=self.mapper_extract_split,
                mapper_final=self.mapper_stop_decoder,
                reducer=self.reducer_keep_first,
            )
        ]

    def mapper_load_model(self):
        from mapsight.features.decoder_process import Decoder
        from mapsight.features.engines import load_model

        options = self.options
        file = options.engine, options.model, options.model_sha256
        # before the model, which is then not in the memory of the decoder's process
        self.decoder = Decoder(fork=True).__enter__()
        self.model = load_model(*file, alpha=options.alpha, resolution=options.resolution)
        self.decoder.side, self.decoder.resize = self.model.resolution, self.model.resize

    def mapper_extract_split(self, _, line):
        from mapsight.features.extract import extract_features
        from mapsight.inputs.shards import read_images
        from mapsight.records import Split
        from mapsight.task_errors import at, place_of

        split = Split.from_json(line)
        images = read_images(split, self.options.image_column)
        with at(place_of(split)):
            for image, feature in extract_features(images, self.model, self.decoder):
                yield self.keyed(image, feature)
                self.count(rejected="error" in feature)
        self.count(0)

    def keyed(self, image, feature):
        from mapsight.features.same_ids import order_of

        if self.options.part:
            feature["part"] = self.options.part
        named = image.named and not self.options.names_are_ids
        order = order_of(feature, image.ordinal, named=named)
        return image.image_id, [order, feature, image.named]

    def count(self, read=1, rejected=0):
        self.counts["images", "read"] += read
        self.counts["progress", "rejected"] += rejected
        if self.counts["images", "read"] == REPORT_EVERY:
            self.report_counts()

    def mapper_stop_decoder(self):
        self.decoder.close()

    def reducer_keep_first(self, image_id, values):
        from mapsight.features.same_ids import with_own_ids

        for own_id, feature, shared in with_own_ids(image_id, values):
            self.counts["images", feature.get("error", "extracted")] += 1
            if shared:
                self.counts["ids", "shared"] += 1
            yield own_id, feature


if __name__ == "__main__":
    MRExtractFeatures.run()
