"""Join pictures with what the metadata says of them: labels, boxes, author, license.

    python mr_jobs/annotate_images.py -r local --output-dir OUT MANIFEST

Input: a manifest, one JSON object a line: a CsvSplit (mapsight/openimages/dataset.py) of the
metadata, or one of kind "features", a file of `image_id, Feature` lines.
Output: `image_id, Joined` (mapsight/records.py), sorted by image_id within a part;
`image_id, {"orphan": "annotation"}` where there is no picture, and, beside its record,
`image_id, {"orphan": "picture"}` for a picture of which the metadata says nothing.
Options: SELECTION.json holds the fields of mapsight.openimages.join.Selection; --no-metadata says
that the manifest names no metadata, so that pictures are no orphans.
Counters: annotations/rows, annotations/malformed, annotations/without_picture,
images/without_annotation, images/not_selected.
"""

import json
import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, SplitsJob


class MRAnnotateImages(SplitsJob):
    """A join by image_id; what is said of a picture sorts before the picture."""

    SORT_VALUES = True

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--selection", help="JSON: which pictures to go on with (default: all)")
        self.add_passthru_arg(
            "--no-metadata", action="store_true", help="there is none: pictures are no orphans"
        )

    def steps(self):
        return [
            MRStep(
                mapper=self.mapper_read_rows,
                reducer_init=self.reducer_start,
                reducer=self.reducer_join_picture,
            )
        ]

    def mapper_read_rows(self, _, line):
        from mapsight.openimages.dataset import CsvSplit
        from mapsight.openimages.join import FEATURES, PICTURE, annotation_values
        from mapsight.results.predictions import records_of

        split = CsvSplit(**json.loads(line))
        if split.kind == FEATURES:
            for image_id, feature in records_of([split.uri]):
                yield image_id, [PICTURE, feature]
        else:
            yield from annotation_values(split, self.counts)

    def reducer_start(self):
        from mapsight.openimages.join import Selection

        self.selection = Selection(**self.read_json("selection"))

    def reducer_join_picture(self, image_id, values):
        from mapsight.openimages.join import join

        metadata = not self.options.no_metadata
        yield from join(image_id, values, self.selection, self.counts, metadata=metadata)


if __name__ == "__main__":
    MRAnnotateImages.run()
