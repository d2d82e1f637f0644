"""Where jobs run: what the pipeline asks of this machine, of Hadoop and of EMR."""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from driver.errors import Failure
from driver.pipeline.jobs import Job
from driver.pipeline.progress import Progress
from mapsight.application import project_file

__all__ = ["Cluster", "RunnerOptions", "ThisMachine", "runner_settings"]

SLOTS = 16
"""Tasks that run at once on a cluster that cannot be asked."""


@dataclass(frozen=True)
class RunnerOptions:
    """What a user says of where jobs run; the later ones are of clusters, the last of EMR's."""

    runner: str = "local"
    mrjob_conf: str | None = None
    processes: int | None = None
    parallel_jobs: int = 3
    node_python: str | None = None
    cluster_id: str | None = None
    instance_type: str | None = None
    num_core_instances: int | None = None
    spot: float | None = None


def runner_settings(runner: str, own: str | None = None) -> list[str]:
    """Return the options of a job that say where it runs, and with which settings.

    They are those of mrjob.conf (of the checkout, or the installed copy), and of a
    file of the user's, which wins.
    """
    ours = project_file("mrjob.conf")
    if not ours.is_file():
        raise Failure("this installation has no mrjob.conf; install Mapsight again")
    files = [str(ours), *([str(Path(own).resolve())] if own else [])]
    paths = (part for path in files for part in ("--conf-path", path))
    return ["-r", runner, *paths, "--no-read-logs"]


class Cluster(ABC):
    """Machines on which jobs run.

    `runner` is mrjob's name for them. `remote`: they do not see the files of this one. `prepares`
    is the module whose `install` readies mrjob in the process of a job, or empty. `at_once`: how
    many stages may run at the same time.
    """

    runner: str
    remote: bool
    prepares = ""
    at_once = 1

    @contextlib.contextmanager
    def attended(self, *, alone: bool) -> Iterator[None]:
        """Enclose the time in which jobs run; none of them outlives it, however it ends.

        Args:
            alone: the workspace's lock is held, so that whatever runs for it now was
                left by a run that died.

        Raises:
            Failure: jobs cannot run.
        """
        yield

    @abstractmethod
    def settings(self, job: Job, shuffled: int) -> list[str]:
        """Return what can be said of a job's options before anything is sent or started."""

    @abstractmethod
    def arguments(self, job: Job, shuffled: int) -> list[str]:
        """Return a job's options, with all there that it needs.

        Args:
            job: which one.
            shuffled: about how many bytes go to reducers; they decide how many there are.
        """

    def slots(self) -> int:
        """Return about how many tasks run at once."""
        return SLOTS

    def progress(self, job: Job, total: int | None) -> Progress:
        """Return what shows how far a job is, of `total` pictures."""
        return Progress(job.title, total)

    def second_try(self, scratch: Path, target: str) -> list[str]:
        """Return options with which a failed job is tried once more; empty if it is not.

        Args:
            scratch: the job's folder, with its log.
            target: its output, which is removed for a second try.
        """
        return []

    def explained(self, error: Failure, path: str) -> Failure:
        """Return a failed job's error in terms of Python and pictures, where that is known."""
        return error

    def applications(self, scratch: Path) -> list[str]:
        """Return what the cluster called the job that ran with this scratch folder."""
        return []

    def described(self) -> str:
        """Return a line on machines that are to be started; empty where none are."""
        return ""


class ThisMachine(Cluster):
    """Jobs in processes of this machine, which end with the driver."""

    remote = False

    def __init__(self, options: RunnerOptions) -> None:
        self._options, self.runner = options, options.runner
        if self.runner == "local":  # their tasks share the cores
            self.at_once = options.processes or os.cpu_count() or 1

    def slots(self) -> int:
        """Return how many tasks run at once."""
        return self._options.processes or os.cpu_count() or 1

    def settings(self, job: Job, shuffled: int) -> list[str]:
        """Return the options of the runner, `inline` or `local`."""
        return runner_settings(self.runner, self._options.mrjob_conf)

    def arguments(self, job: Job, shuffled: int) -> list[str]:
        """Return these, and how many tasks run at once."""
        settings, processes = self.settings(job, shuffled), self._options.processes
        if self.runner == "local" and processes:
            settings += ["--num-cores", str(processes)]
        return settings
