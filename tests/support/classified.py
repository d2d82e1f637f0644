"""The job that labels pictures, run on records."""

from __future__ import annotations

from pathlib import Path

from mr_jobs.classify_images import MRClassifyImages
from tests.support.jobs import Records, run_and_read, write_records


def classify(folder: Path, targets: Path, records: Records, *extra: object):
    """(records, counters)"""
    joined = write_records(folder / "joined.jsonl", records)
    return run_and_read(folder, MRClassifyImages, "--targets", targets, *extra, joined)
