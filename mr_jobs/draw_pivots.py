"""Draw pictures whose embeddings divide a collection into cells.

    python mr_jobs/draw_pivots.py -r local --wanted K --pictures N --output-dir OUT RECORDS…

Input: `image_id, Joined` or `image_id, Feature` lines (mapsight/records.py) of N pictures.
Output: `sha256, vector`, about K of them by SHA-256, each once, sorted within a part: the embedding
as find_duplicates compares it, int8, base64.
"""

import sys
from pathlib import Path

if not __package__:  # run alone: the library is beside this folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mapsight.job import MRStep, RecordsJob


class MRDrawPivots(RecordsJob):
    """Mappers draw by SHA-256, so that any split draws the same. Memory: one picture."""

    def configure_args(self):
        super().configure_args()
        self.add_passthru_arg("--wanted", type=int, needed=True, help="how many pivots, about")
        self.add_passthru_arg("--pictures", type=int, needed=True, help="of how many pictures")

    def steps(self):
        return [MRStep(mapper=self.mapper_draw, reducer=self.reducer_take_one)]

    def mapper_draw(self, image_id, record):
        from mapsight.duplicates.keys import is_pivot
        from mapsight.duplicates.rows import SHA256, VECTOR, row_of

        row = row_of(image_id, record)
        if row and is_pivot(row, self.options.wanted, self.options.pictures):
            yield row[SHA256], row[VECTOR]

    def reducer_take_one(self, sha256, vectors):
        yield sha256, min(vectors)


if __name__ == "__main__":
    MRDrawPivots.run()
