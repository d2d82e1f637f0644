"""Leave out the records of pictures on a list.

    python mr_jobs/drop_images.py -r local --removed LIST.arrow --output-dir OUT RECORDS…

Input: `image_id, record` lines of any kind (mapsight/records.py).
LIST.arrow says in which parts of an index pictures are hidden (mapsight/index/removed_ids.py).
Output: the records of the others. Rejected pictures and orphans stay.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRDropImages(RecordsJob):
    """A filter: the list is mapped, not read."""

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--removed", needed=True, help="Arrow file of pictures to leave out")

    def steps(self):
        return [MRStep(mapper_init=self.mapper_start, mapper=self.mapper_keep_others)]

    def mapper_start(self):
        from mapsight.index.removed_ids import IdList

        self.removed = IdList(self.options.removed)

    def mapper_keep_others(self, image_id, record):
        from mapsight.records import is_picture

        if not (is_picture(record) and self.removed.hides(image_id, record.get("part", 0))):
            yield image_id, record


if __name__ == "__main__":
    MRDropImages.run()
