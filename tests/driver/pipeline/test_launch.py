from __future__ import annotations

import importlib
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from mrjob.job import MRJob

from driver.errors import Failure, undisturbed
from driver.nodes.cluster import applications_of
from driver.pipeline import job_server
from driver.pipeline.cluster import runner_settings
from driver.pipeline.cost import Cost, cost_on_hadoop
from driver.pipeline.jobs import Job, reducers
from driver.pipeline.launch import _Outcome, launch
from driver.pipeline.progress import Progress
from driver.stages import count, ingest, rank
from tests.support.paths import ROOT

SLEEP = 300  # seconds, of a trial that hangs
TRIAL = Job("trial_job")
TRIAL_JOB = """
import os, signal, subprocess, sys, time
from mrjob.job import MRJob

class MRTrialJob(MRJob):
    def mapper(self, _, line):
        self.increment_counter("images", "read", 2)
        if line == "raise":
            raise ValueError("cannot use this line: \\u00fc")
        if line == "noise":
            sys.stderr.buffer.write(b"\\xff\\xfe no UTF-8\\n")
            raise ValueError("after noise")
        if line == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if line == "wait":
            time.sleep(1)
        if line == "take":
            taken = b"x" * (100 << 20)
            while time.process_time() < 1:
                pass
        if line == "sleep":
            child = subprocess.Popen(["sleep", "300"])
            child.wait()
        yield line, 1

    def reducer(self, line, ones):
        yield line, sum(ones)

if __name__ == "__main__":
    MRTrialJob.run()
"""
DRIVER = """
import io, sys
from pathlib import Path
from driver.pipeline.jobs import Job
from driver.pipeline.launch import launch
from driver.pipeline.progress import Progress
launch(Job("trial_job"), sys.argv[2:], Path(sys.argv[1]), Progress("trial", 1))
"""


@pytest.fixture(autouse=True)
def trial_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "trial_job.py").write_text(TRIAL_JOB, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "code"))


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    return tmp_path / "scratch"


def arguments(folder: Path, runner: str, *lines: str) -> list[str]:
    """Arguments of the trial job with a map task for every line."""
    inputs = folder / "inputs"
    inputs.mkdir()
    for number, line in enumerate(lines):
        (inputs / f"{number:03d}.txt").write_text(line + "\n")
    output = str(folder / "output")
    files = sorted(map(str, inputs.iterdir()))  # of a folder mrjob takes any order
    return ["-r", runner, "--no-conf", "--no-read-logs", "--output-dir", output, *files]


def run(folder: Path, scratch: Path, runner: str, *lines: str):
    progress = Progress("trial", 100, io.StringIO())
    return launch(TRIAL, arguments(folder, runner, *lines), scratch, progress)


def failure(folder: Path, scratch: Path, runner: str, *lines: str) -> Failure:
    with pytest.raises(Failure) as caught:
        run(folder, scratch, runner, *lines)
    assert "\n" not in str(caught.value)
    return caught.value


def members(scratch: Path) -> list[psutil.Process]:
    """Return the processes whose standard error goes to a file in this scratch folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if f"{scratch}/" in str(Path(f"/proc/{process.pid}/fd/2").readlink()):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def sleepers(scratch: Path) -> list[psutil.Process]:
    return [process for process in members(scratch) if process.name() == "sleep"]


def ended(process: psutil.Process) -> bool:
    """Whether a process has ended, if nobody has asked yet how."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def server_of(driver: subprocess.Popen[bytes]) -> psutil.Process:
    """Return a driver's only child; psutil leaves some out where the clock was set meanwhile."""
    (pid,) = Path(f"/proc/{driver.pid}/task/{driver.pid}/children").read_text().split()
    return psutil.Process(int(pid))


def until(condition: Callable[[], object], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return bool(met)


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_a_job_runs_and_its_counters_come_back(tmp_path, scratch, runner):
    counters, _ = run(tmp_path, scratch, runner, "a", "b", "a")
    parts = sorted((tmp_path / "output").glob("part-*"))
    assert sorted("".join(part.read_text() for part in parts).split("\n")[:-1]) == [
        '"a"\t2',
        '"b"\t1',
    ]
    assert counters["images"] == {"read": 6}
    assert members(scratch) == []


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_a_job_tells_what_it_took(tmp_path, scratch, runner):
    _, cost = run(tmp_path, scratch, runner, "take", "a")
    assert cost.processor_seconds >= 1
    assert 100 << 20 < cost.largest_task_bytes < 600 << 20
    assert cost.shuffled_bytes == (len('"take"\t1\n"a"\t1\n') if runner == "local" else 0)


def test_costs_of_jobs_are_added_but_for_memory():
    counted = {"CPU time spent (ms)": 1500, "Reduce shuffle bytes": 70}
    peaks = {"Peak Map Physical memory (bytes)": 900, "Peak Reduce Physical memory (bytes)": 1000}
    framework = {"Map-Reduce Framework": counted | peaks}
    assert cost_on_hadoop(framework) == Cost(1.5, 1000, 70)
    assert cost_on_hadoop({"images": {"read": 1}}) is None
    assert Cost(1.5, 1000, 70) + Cost(0.25, 2000, 1) == Cost(1.75, 2000, 71)


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_progress_is_told_what_tasks_count(tmp_path, scratch, runner):
    """The last counts may be missed: a runner that is done removes its logs."""
    progress = Progress("trial", 100, io.StringIO())
    launch(TRIAL, arguments(tmp_path, runner, "wait", "wait"), scratch, progress)
    assert progress.done >= 2


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_the_python_error_of_a_task_is_named(tmp_path, scratch, runner):
    failed = failure(tmp_path, scratch, runner, "a", "raise")
    assert str(failed) == "trial_job.py: ValueError: cannot use this line: ü"
    assert "Traceback (most recent call last)" in failed.detail
    assert 'raise ValueError("cannot use this line' in failed.detail
    assert members(scratch) == []


def test_noise_on_stderr_does_not_hide_the_error(tmp_path, scratch):
    failed = failure(tmp_path, scratch, "local", "noise")
    assert str(failed) == "trial_job.py: ValueError: after noise"


def test_a_job_that_cannot_start_says_why(tmp_path, scratch):
    with pytest.raises(Failure) as caught:
        launch(Job("no_such_job"), [], scratch, Progress("trial", None, io.StringIO()))
    why = "no_such_job.py: ModuleNotFoundError: No module named 'no_such_job'"
    assert str(caught.value) == why
    assert "Traceback (most recent call last)" in caught.value.detail


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_a_killed_job_fails_at_once_and_leaves_nothing(tmp_path, scratch, runner):
    killed = []

    def kill() -> None:
        until(lambda: sleepers(scratch), 30)
        leader = min(members(scratch), key=lambda process: process.create_time())
        killed.append(time.monotonic())
        leader.kill()

    threading.Thread(target=kill, daemon=True).start()
    failed = failure(tmp_path, scratch, runner, "sleep", "sleep")
    assert time.monotonic() - killed[0] < SLEEP / 10  # which its tasks would go on
    assert "trial_job.py: the job was ended by signal 9" in str(failed)
    assert until(lambda: not members(scratch), SLEEP / 10)


def test_a_killed_task_fails_the_job_at_once(tmp_path, scratch):
    started = time.monotonic()
    failed = failure(tmp_path, scratch, "local", "die", "sleep", "sleep", "sleep")
    assert time.monotonic() - started < 20
    assert str(failed).startswith("trial_job.py: ")
    assert until(lambda: not members(scratch), 2)


@pytest.mark.parametrize("cores", ["1", "2", "4"])
def test_an_error_does_not_wait_for_other_tasks(tmp_path, scratch, cores):
    lines = ["raise", *["sleep"] * 9]
    typed = ["--num-cores", cores, *arguments(tmp_path, "local", *lines)]
    started = time.monotonic()
    with pytest.raises(Failure, match="ValueError: cannot use this line"):
        launch(TRIAL, typed, scratch, Progress("trial", 100, io.StringIO()))
    assert time.monotonic() - started < 20


def started_driver(scratch: Path, typed: list[str]) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(ROOT), os.environ["PYTHONPATH"]])
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(scratch), *typed],
        env={**os.environ, "PYTHONPATH": path},
    )


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_when_the_driver_is_killed_everything_ends(tmp_path, scratch, runner):
    typed = arguments(tmp_path, runner, "sleep", "sleep")
    driver = started_driver(scratch, typed)
    assert until(lambda: sleepers(scratch), 30)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    assert until(lambda: not members(scratch), SLEEP / 10), members(scratch)


@pytest.fixture
def server() -> Iterator[psutil.Process]:
    """The process that jobs are forked from, new for this test."""
    job_server.close_job_server()
    job_server.start_job_server()
    yield psutil.Process(job_server._server._process.pid)
    job_server.close_job_server()


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_when_the_server_of_jobs_is_killed_everything_ends(tmp_path, scratch, server, runner):
    def kill() -> None:
        until(lambda: sleepers(scratch), 30)
        server.kill()

    threading.Thread(target=kill, daemon=True).start()
    failed = failure(tmp_path, scratch, runner, "sleep", "sleep")
    assert "trial_job.py: the job was ended by signal 9" in str(failed)
    assert until(lambda: not members(scratch), 2)
    assert run(tmp_path / "code", scratch, runner, "a")[0]["images"] == {"read": 2}


def test_when_the_server_and_the_driver_are_killed_everything_ends(tmp_path, scratch):
    driver = started_driver(scratch, arguments(tmp_path, "local", "sleep", "sleep"))
    assert until(lambda: len(sleepers(scratch)) == 2, 30)
    server = server_of(driver)
    tasks = [one for one in members(scratch) if one.name() != "sleep"]
    driver.send_signal(signal.SIGSTOP)
    server.kill()
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    # what a task has started itself ends when its input does, as decoders do; `sleep` has none
    assert until(lambda: all(map(ended, tasks)), 2)
    for process in sleepers(scratch):
        process.kill()


def test_the_server_of_jobs_ends_with_the_driver_and_has_one_thread(tmp_path, scratch):
    driver = started_driver(scratch, arguments(tmp_path, "local", "sleep"))
    assert until(lambda: sleepers(scratch), 30)
    server = server_of(driver)
    assert server.num_threads() == 1
    driver.kill()
    driver.wait()
    assert until(lambda: ended(server), SLEEP / 10)


def test_jobs_of_two_threads_run_side_by_side(tmp_path, scratch):
    done = {}

    def work(name: str) -> None:
        (tmp_path / name).mkdir()
        done[name] = run(tmp_path / name, scratch / name, "local", "wait", name)

    threads = [threading.Thread(target=work, args=[name]) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: counters["images"] for name, (counters, _) in done.items()} == {
        "one": {"read": 4},
        "two": {"read": 4},
    }


@pytest.mark.parametrize("line", ["die"])
def test_a_killed_map_task_is_told_with_what_it_read(tmp_path, scratch, line):
    failed = failure(tmp_path, scratch, "local", "a", line)
    file = tmp_path / "inputs" / "001.txt"
    assert str(failed) == (
        f"trial_job.py: map task 1, of {file}, bytes 0 to 4, was ended by SIGKILL"
    )


class Impatient(Progress):
    """Stands for the user's Ctrl-C, as soon as tasks run."""

    def update(self, scratch: Path) -> None:
        if sleepers(scratch):
            raise KeyboardInterrupt


def test_when_the_driver_is_interrupted_everything_ends(tmp_path, scratch):
    typed = arguments(tmp_path, "local", "sleep", "sleep")
    with pytest.raises(KeyboardInterrupt):
        launch(TRIAL, typed, scratch, Impatient("trial", 1, io.StringIO()))
    assert until(lambda: not members(scratch), 2)


def test_an_outcome_of_before_is_not_believed(tmp_path, scratch):
    run(tmp_path, scratch, "inline", "a")
    with pytest.raises(Failure, match="ModuleNotFoundError"):
        launch(Job("no_such_job"), [], scratch, Progress("trial", None, io.StringIO()))


def named_jobs() -> list[str]:
    """Modules of jobs, as often as the driver names them."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "driver").rglob("*.py")]
    return [name for text in sources for name in re.findall(r'Job\("(mr_jobs\.\w+)"', text)]


def test_every_job_is_named_once():
    files = {path.stem for path in (ROOT / "mr_jobs").glob("*_*.py")} - {"__init__"}
    assert sorted(named_jobs()) == sorted(f"mr_jobs.{name}" for name in files)


@pytest.mark.parametrize("module", named_jobs())
def test_a_job_is_the_class_that_its_module_names(module):
    job = Job(module)
    assert issubclass(getattr(importlib.import_module(module), job.name), MRJob)
    assert (ROOT / job.path).is_file()


def test_the_cluster_settings_are_found():
    (conf,) = (word for word in runner_settings("local") if word.endswith(".conf"))
    assert "runners:" in Path(conf).read_text()


def test_applications_are_found_in_the_log_of_a_job(tmp_path):
    log = "Submitted application application_1700000000000_0007\n application_1700000000000_0007\n"
    (tmp_path / "log").write_text(
        log + "mrjob.emr: Waiting for Step 1 of 1 (s-0123ABCDE) to complete"
    )
    assert applications_of(tmp_path) == ["application_1700000000000_0007", "s-0123ABCDE"]
    assert applications_of(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("job", "shuffled", "expected"),
    [(ingest.JOB, 10**12, 0), (count.JOB, 0, 1), (rank.JOB, 10**9, 8)],
)
def test_reducers_follow_the_bytes_and_maps_alone_have_none(job, shuffled, expected):
    assert reducers(job, shuffled) == expected


def test_nobody_is_stopped_in_a_time_that_is_undisturbed():
    with undisturbed():
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN


def test_what_a_job_tells_may_come_late_on_a_busy_machine():
    with _Outcome() as outcome:
        end = os.dup(outcome.descriptor)
        late = threading.Timer(0.5, lambda: (os.write(end, b'{"counters": {}}'), os.close(end)))
        late.start()
        assert outcome.text(60) == b'{"counters": {}}'
        late.join()


def test_a_job_that_told_all_is_not_waited_for_until_others_end():
    with _Outcome() as outcome:
        stays = os.dup(outcome.descriptor)  # as a process that the job has left would have
        os.write(stays, b'{"counters": {}}')
        began = time.monotonic()
        assert outcome.text(60) == b'{"counters": {}}'
        assert time.monotonic() - began < 30
        os.close(stays)
