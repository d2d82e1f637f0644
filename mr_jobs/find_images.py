"""Pick the records of some images by id.

    python mr_jobs/find_images.py -r local --ids IDS.json --output-dir OUT RECORDS…

Input: `image_id, record` lines of any kind (mapsight/records.py).
Output: those whose image_id is in the list IDS.json.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRFindImages(RecordsJob):
    """A filter: memory is the wanted ids."""

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--ids", needed=True, help="JSON list of image ids")

    def steps(self):
        return [MRStep(mapper_init=self.mapper_load_ids, mapper=self.mapper_pick)]

    def mapper_load_ids(self):
        self.ids = frozenset(self.read_json("ids"))

    def mapper_pick(self, image_id, record):
        if image_id in self.ids:
            yield image_id, record


if __name__ == "__main__":
    MRFindImages.run()
