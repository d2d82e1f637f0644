"""A full disk, and files that may not grow: the system's own message, with the folder."""

from __future__ import annotations

import errno
import io
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from driver.errors import Failure
from driver.pipeline.job_server import close_job_server
from driver.pipeline.launch import Job, launch
from driver.pipeline.progress import Progress
from driver.unwritable import full_folder, reason_of
from mapsight.files import write_whole

JOB = """
from mrjob.job import MRJob

class MRCopiesJob(MRJob):
    def mapper(self, _, line):
        for number in range(20_000):
            yield number, line

    def reducer(self, number, lines):
        yield number, list(lines)

if __name__ == "__main__":
    MRCopiesJob.run()
"""


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The time in which this process and its children can write no larger files."""
    close_job_server()  # a limit is inherited
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        close_job_server()


@pytest.mark.parametrize("runner", ["inline", "local"])
@pytest.mark.parametrize("size", [0, 100, 1000, 20_000, 200_000])
def test_a_job_that_cannot_write_says_why_and_where(tmp_path, monkeypatch, runner, size):
    (tmp_path / "copies_job.py").write_text(JOB, encoding="utf-8")
    (tmp_path / "in.txt").write_text("a line of text\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    typed = ["-r", runner, "--no-conf", "--no-read-logs", "--output-dir", str(tmp_path / "out")]
    progress = Progress("copies", None, io.StringIO())
    with files_of_at_most(size), pytest.raises((Failure, OSError)) as caught:
        launch(
            Job("copies_job"),
            [*typed, str(tmp_path / "in.txt")],
            tmp_path / "s",
            progress,
        )
    said = str(caught.value) if isinstance(caught.value, Failure) else reason_of(caught.value)
    assert "File too large" in said and str(tmp_path / "s") in said


def test_a_folder_that_takes_no_data_is_named(tmp_path):
    (tmp_path / "one").mkdir()
    with files_of_at_most(1000):
        assert full_folder([tmp_path / "one"]) == f"File too large: {tmp_path / 'one'}"
    assert full_folder([tmp_path / "one", tmp_path / "nowhere"]) == ""


def test_a_file_that_is_not_written_whole_is_named(tmp_path: Path):
    with files_of_at_most(1000), pytest.raises(OSError) as caught:
        write_whole(tmp_path / "stage.json", bytes(2000))
    assert caught.value.filename == str(tmp_path / "stage.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), "a/b: No space left on device"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "Disk quota exceeded"),
        (OSError(errno.EROFS, "Read-only file system", b"x"), "x: Read-only file system"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "p"), "p: Is a directory"),
        (KeyError("name"), "KeyError: 'name'"),
    ],
)
def test_errors_of_the_system_are_told_in_its_words(error, said):
    assert reason_of(error) == said


def test_where_the_disk_is_full_that_is_the_reason(tmp_path):
    with files_of_at_most(1000):
        told = reason_of(OSError("125000 requested and 1234 written"))
    assert told.startswith("File too large: ")
