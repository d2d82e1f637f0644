"""What all jobs share, tried on a job that counts letters."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mapsight.job import MapsightJob, MRStep, RecordsJob, SplitsJob
from tests.support.jobs import read_parts, run_and_read, write_json, write_records
from tests.support.paths import ROOT

JOBS = sorted(path.stem for path in (ROOT / "mr_jobs").glob("*_*.py") if path.stem != "__init__")
SENT_ALONG = """\
from mapsight.job import MRStep, RecordsJob

class MRSentAlong(RecordsJob):
    def steps(self):
        return [MRStep(mapper=self.mapper)]

    def mapper(self, key, value):
        import mapsight.records
        yield key, mapsight.records.__file__

if __name__ == "__main__":
    MRSentAlong.run()
"""


class MRLetters(RecordsJob):
    """Counts the letters of texts that are not left out."""

    def configure_args(self):
        super().configure_args()
        self.add_file_arg("--left-out", needed=True, help="JSON list of keys")
        self.add_file_arg("--weights", help="JSON: weight by letter")
        self.add_passthru_arg("--least", needed=True, type=int)

    def steps(self):
        return [MRStep(mapper=self.mapper_cut, reducer=self.reducer_sum)]

    def mapper_cut(self, key, text):
        if key in self.read_json("left_out"):
            self.counts["texts", "left_out"] += 1
            return
        for letter in text:
            self.counts["letters", "read"] += 1
            if self.counts["letters", "read"] == 2:
                self.report_counts()
            yield letter, self.read_json("weights").get(letter, 1)

    def reducer_sum(self, letter, numbers):
        self.counts["letters", "distinct"] += 1
        yield letter, sum(numbers)


def job_class(name: str) -> type[MapsightJob]:
    module = importlib.import_module(f"mr_jobs.{name}")
    (found,) = (
        each
        for each in vars(module).values()
        if inspect.isclass(each) and each.__module__ == module.__name__
    )
    return found


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    return write_records(tmp_path / "in.jsonl", [("a", "abba"), ("b", "xyz"), ("c", "c")])


def count(folder: Path, texts: Path, *options: object):
    left_out = write_json(folder / "left.json", ["b"])
    return run_and_read(folder, MRLetters, "--left-out", left_out, "--least", 1, *options, texts)


def test_counts_are_reported_when_a_task_ends_and_in_between(tmp_path, texts):
    records, counters = count(tmp_path, texts)
    assert dict(records) == {"a": 2, "b": 2, "c": 1}
    assert counters == {"texts": {"left_out": 1}, "letters": {"read": 5, "distinct": 3}}


def test_a_side_file_is_read_where_it_is_given(tmp_path, texts):
    weights = write_json(tmp_path / "weights.json", {"a": 10})
    assert dict(count(tmp_path, texts, "--weights", weights)[0]) == {"a": 20, "b": 2, "c": 1}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ([], "--left-out, --least"),
        (["--left-out", "x"], "--least"),
        (["--least", "1"], "--left-out"),
    ],
)
def test_a_missing_option_is_named_in_a_line_with_status_2(given, missing, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["letters.py", *given])
    with pytest.raises(SystemExit) as ended:
        MRLetters.run()
    assert ended.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"letters.py: error: the following arguments are required: {missing}"


def test_help_needs_no_option(capsys):
    with pytest.raises(SystemExit) as ended:
        MRLetters(["--help"])
    assert (ended.value.code, "--left-out" in capsys.readouterr().out) == (0, True)


@pytest.mark.parametrize("name", JOBS)
def test_every_job_sends_the_library_along(name):
    given = object.__new__(job_class(name))
    assert given.dirs() == [f"{ROOT / 'mapsight'}#mapsight"]


def test_a_job_of_another_folder_sends_its_own_folders_too():
    class MRMore(MRLetters):
        DIRS = ("more#more",)

    sent = object.__new__(MRMore).dirs()
    assert sent == [str(Path(__file__).with_name("more#more")), f"{ROOT / 'mapsight'}#mapsight"]


@pytest.mark.whole
def test_tasks_import_the_library_that_was_sent_along(tmp_path, texts):
    (tmp_path / "sent_along.py").write_text(SENT_ALONG)
    how = ["-r", "local", "--conf-path", ROOT / "mrjob.conf", "--output-dir", "out"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "sent_along.py", *how, texts]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    files = {Path(file) for _, file in read_parts(tmp_path / "out")}
    assert [file.parts[-2:] for file in files] == [("mapsight", "records.py")]
    assert not any(ROOT in file.parents for file in files)


@pytest.mark.parametrize("name", JOBS)
def test_every_job_is_over_records_or_over_splits(name):
    (base,) = {RecordsJob, SplitsJob} & {*job_class(name).__mro__}
    job = object.__new__(job_class(name))
    assert job.JOBCONF.items() >= base.JOBCONF.items()
    assert (job.INPUT_PROTOCOL, job.OUTPUT_PROTOCOL) == (base.INPUT_PROTOCOL, base.OUTPUT_PROTOCOL)
    assert job.HADOOP_INPUT_FORMAT == base.HADOOP_INPUT_FORMAT


def test_a_line_of_a_manifest_is_a_task_and_comes_as_it_is():
    line = json.dumps({"uri": "ü"}).encode()
    assert SplitsJob.INPUT_PROTOCOL().read(line) == (None, line.decode())
    assert SplitsJob.JOBCONF["mapreduce.input.lineinputformat.linespermap"] == 1
    assert SplitsJob.HADOOP_INPUT_FORMAT.endswith(".NLineInputFormat")
    assert RecordsJob.HADOOP_INPUT_FORMAT.endswith(".CombineTextInputFormat")
