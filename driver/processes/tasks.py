"""Tasks of `-r local`: forked from the process of their job, as many at once as there are cores.

mrjob starts an interpreter for each, with all its imports, and its pool of processes waits for ever
when one of them is killed.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

from mrjob.job import MRJob
from mrjob.local import LocalMRJobRunner, _TaskFailedException

from driver.processes.child import fork, use_environment, use_streams
from driver.processes.slots import CoreSlots
from mapsight.job import SplitsJob

__all__ = ["ForkingRunner", "TaskFailed"]

CORES = "cores"
POLL_SECONDS = 0.01
SPLIT = 300  # letters of a manifest line


class TaskFailed(_TaskFailedException):
    """A task has ended before it was done; its text says which, and how."""

    def __str__(self) -> str:
        return self.reason


class ForkingRunner(LocalMRJobRunner):
    """Runs each task in a child, with what it has imported.

    `job_class` is the job's. `shared`: the cores are those of all jobs whose temporary folders are
    in the same folder. `task_bytes`: of input; below, a second task costs more than it saves.
    """

    job_class: type[MRJob]
    shared = False
    task_bytes = 1 << 20
    shuffled_bytes = 0

    def _invoke_task_func(self, task_type: str, step_num: int, task_num: int) -> Any:
        arguments = self._args_for_task(step_num, task_type)
        return partial(_be_task, self.job_class, arguments)

    def _run_mappers_and_combiners(self, step_num: int, map_splits: list[Any]) -> None:
        self._kind, self._step, self._splits = "mapper", step_num, map_splits
        super()._run_mappers_and_combiners(step_num, map_splits)

    def _run_reducers(self, step_num: int, num_reducer_tasks: int) -> None:
        self._kind, self._step = "reducer", step_num
        self.shuffled_bytes += Path(self._sorted_reducer_input_path(step_num)).stat().st_size
        super()._run_reducers(step_num, num_reducer_tasks)

    def _run_multiple(
        self, funcs: Iterable[Callable[[], None]], num_processes: int | None = None
    ) -> None:
        own = Path(self._get_local_tmp_dir())
        folder = Path(os.environ["TMPDIR"]).parent if self.shared else own
        with _Tasks(CoreSlots(folder / CORES, self._num_cores()), self._failed) as tasks:
            for number, live in enumerate(funcs):
                tasks.start(number, live, f"{self._kind} {number}")
            while tasks:
                tasks.wait()

    def _failed(self, number: int, status: int) -> Exception:
        """Return the error of a task that ended with a status other than 0."""
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else "failed"
        return TaskFailed(
            reason=f"{self._task_name(number)} {how}",
            step_num=self._step,
            num_steps=self._num_steps(),
            task_type=self._kind,
            task_num=number,
        )

    def _task_name(self, number: int) -> str:
        """Return what people call a task: with the split that a map task read."""
        if self._kind == "reducer":
            return f"reduce task {number}"
        if issubclass(self.job_class, SplitsJob):
            path = Path(self._task_input_path("mapper", self._step, number))
            return f"map task {number}, of {path.read_text(encoding='utf-8')[:SPLIT].strip()},"
        split = self._splits[number]
        begin, end = split["start"], split["start"] + split["length"]
        return f"map task {number}, of {split['file']}, bytes {begin:,} to {end:,},"

    def _pick_mapper_split_size(self, input_paths: list[str], step_num: int) -> int:
        """Return a split's bytes: as many splits as cores, none below `task_bytes`."""
        size = sum(Path(path).stat().st_size for path in input_paths)
        return max(math.ceil(size / self._num_cores()), self.task_bytes)

    def _num_reducers(self, step_num: int) -> float:
        """Return half as many reducers as there will be, for mrjob takes twice as many."""
        size = Path(self._sorted_reducer_input_path(step_num)).stat().st_size
        return min(self._num_cores(), max(size // self.task_bytes, 1)) / 2


class _Tasks:
    """Children, each with a core; on leaving the context those that are left are killed."""

    def __init__(self, slots: CoreSlots, failed: Callable[[int, int], Exception]) -> None:
        self._slots, self._failed = slots, failed
        self._running: dict[int, tuple[int, int]] = {}

    def __enter__(self) -> _Tasks:
        return self

    def __bool__(self) -> bool:
        return bool(self._running)

    def start(self, number: int, live: Callable[[], None], name: str) -> None:
        """Start a task as soon as there is a core for it."""

        def run() -> int:
            live()
            return 0

        while (slot := self._slots.take()) is None:
            self.wait()
        self._running[fork(run, name)] = number, slot

    def wait(self) -> None:
        """Take note of the tasks that have ended; wait a moment if none has.

        Raises:
            Exception: one has failed, as `failed` says.
        """
        # one by one: this process may have other children
        ended = [found for pid in self._running if (found := os.waitpid(pid, os.WNOHANG))[0]]
        for pid, status in ended:
            number, slot = self._running.pop(pid)
            self._slots.give_back(slot)
            if code := os.waitstatus_to_exitcode(status):
                raise self._failed(number, code)
        if not ended:
            time.sleep(POLL_SECONDS)

    def __exit__(self, *_: object) -> None:
        for pid in self._running:
            os.kill(pid, signal.SIGKILL)
        for pid in self._running:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _be_task(
    job_class: type[MRJob],
    arguments: list[str],
    stdin: IO[bytes],
    stdout: IO[bytes],
    stderr: IO[bytes],
    folder: str,
    environment: Mapping[str, str],
) -> None:
    """Run a task in this process, which is a child of its job's, with these streams."""
    use_streams(stdin.fileno(), stdout.fileno(), stderr.fileno())
    use_environment(environment, folder)
    job_class(arguments).execute()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
