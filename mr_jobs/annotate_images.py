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
from collections import Counter
from pathlib import Path

from mrjob.job import MRJob
from mrjob.protocol import RawValueProtocol, StandardJSONProtocol
from mrjob.step import MRStep


class MRAnnotateImages(MRJob):
    """A join by image_id; what is said of a picture sorts before the picture."""

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = RawValueProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    SORT_VALUES = True
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.NLineInputFormat"
    JOBCONF = {
        "mapreduce.input.lineinputformat.linespermap": 1,
        "stream.map.input.ignoreKey": "true",
    }

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
                reducer_final=self.reducer_tell_counts,
            )
        ]

    def mapper_read_rows(self, _, line):
        from mapsight.openimages.dataset import CsvSplit, annotation_rows
        from mapsight.openimages.join import ANNOTATION, FEATURES, PICTURE
        from mapsight.results.predictions import records_of

        split = CsvSplit(**json.loads(line))
        if split.kind == FEATURES:
            for image_id, feature in records_of([split.uri]):
                yield image_id, [PICTURE, feature]
            return
        rows = malformed = 0
        for found in annotation_rows(split):
            rows += 1
            if found is None:
                malformed += 1
            else:
                yield found[0], [ANNOTATION, found[1]]
        self.increment_counter("annotations", "rows", rows)
        self.increment_counter("annotations", "malformed", malformed)

    def reducer_start(self):
        from mapsight.openimages.join import Selection

        path = self.options.selection
        settings = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
        self.selection = Selection(**settings)
        self.counts: Counter = Counter()

    def reducer_join_picture(self, image_id, values):
        from mapsight.openimages.join import join

        known = not self.options.no_metadata
        yield from join(image_id, values, self.selection, self.counts, metadata=known)

    def reducer_tell_counts(self):
        for (group, name), count in sorted(self.counts.items()):
            self.increment_counter(group, name, count)


if __name__ == "__main__":
    MRAnnotateImages.run()
