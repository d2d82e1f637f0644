"""Extract at its edges: which of two pictures with one id is the first."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mapsight.records import ORDINALS_PER_FILE, Split
from mr_jobs.extract_features import MRExtractFeatures
from tests.support.pictures import encoded, scribble

SIXTEEN_DIGITS = 10**15 // ORDINALS_PER_FILE + 1
"""The first input file whose ordinals are that long."""


def one_picture(folder: Path, file: int) -> Path:
    """A manifest of one split: the `file`-th input, a picture with the id "twin"."""
    path = folder / f"{file}.parquet"
    columns = {"image_id": ["twin"], "image": [encoded(scribble(file))]}
    pq.write_table(pa.table(columns), path)
    size = path.stat().st_size
    split = Split(str(path), str(path), 0, 1, 1, size, file * ORDINALS_PER_FILE)
    manifest = folder / f"{file}.txt"
    manifest.write_text(split.to_json() + "\n")
    return manifest


def test_the_first_of_two_equal_ids_is_so_among_a_quarter_million_files(tmp_path, model_file):
    late, early = (one_picture(tmp_path, SIXTEEN_DIGITS - early) for early in (0, 1))
    words = ["--no-conf", "--model", model_file.path, "--output-dir", tmp_path / "out", late, early]
    job = MRExtractFeatures([str(word) for word in words])
    with job.sandbox().make_runner() as runner:
        runner.run()
        lines = b"".join(runner.cat_output()).splitlines()
    records = [json.loads(line.split(b"\t")[1]) for line in lines]
    kept = [record["source"] for record in records if "error" not in record]
    assert kept == [f"{early.with_suffix('.parquet')}#0"]
