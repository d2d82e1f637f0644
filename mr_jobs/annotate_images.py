"""Collect what the metadata says of each image: labels, author, license.

    python mr_jobs/annotate_images.py -r local --output-dir OUT MANIFEST

Input: a manifest, one CsvSplit a line (mapsight/openimages.py).
Output: `image_id, Annotation`, sorted by image_id within a part.
Counters: annotations/rows, annotations/malformed.
"""

import json

from mrjob.job import MRJob
from mrjob.protocol import RawValueProtocol, StandardJSONProtocol
from mrjob.step import MRStep


class MRAnnotateImages(MRJob):
    """Rows of several files about one image meet in a reducer."""

    DIRS = ["../mapsight#mapsight"]
    INPUT_PROTOCOL = RawValueProtocol
    INTERNAL_PROTOCOL = StandardJSONProtocol
    OUTPUT_PROTOCOL = StandardJSONProtocol
    HADOOP_INPUT_FORMAT = "org.apache.hadoop.mapred.lib.NLineInputFormat"
    JOBCONF = {
        "mapreduce.input.lineinputformat.linespermap": 1,
        "stream.map.input.ignoreKey": "true",
    }

    def steps(self):
        return [
            MRStep(
                mapper=self.mapper_read_rows,
                combiner=self.reducer_merge_rows,
                reducer=self.reducer_merge_rows,
            )
        ]

    def mapper_read_rows(self, _, line):
        from mapsight.openimages import CsvSplit, annotation_rows

        rows = malformed = 0
        for found in annotation_rows(CsvSplit(**json.loads(line))):
            rows += 1
            if found is None:
                malformed += 1
            else:
                yield found
        self.increment_counter("annotations", "rows", rows)
        self.increment_counter("annotations", "malformed", malformed)

    def reducer_merge_rows(self, image_id, parts):
        from mapsight.openimages import merge_annotations

        yield image_id, merge_annotations(parts)


if __name__ == "__main__":
    MRAnnotateImages.run()
