"""A Hadoop cluster as one run uses it: what its jobs are given, and what is taken away after."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from driver.errors import Failure, undisturbed
from driver.hadoop.progress import YarnProgress
from driver.hadoop.submitted_jobs import failed_in_its_master, staged
from driver.hadoop.yarn import Application, Yarn
from driver.nodes.cluster import NodesCluster, report
from driver.pipeline.cluster import RunnerOptions
from driver.pipeline.jobs import Job
from driver.workspace.workspace import Workspace
from mapsight.storage.hadoop_conf import default_fs, hadoop_command, read_conf
from mapsight.storage.uri import resolve

__all__ = ["HadoopCluster", "full_uri"]

SEARCH_SECONDS = 86400.0  # no search takes as long


def _staging(conf: Mapping[str, str]) -> str:
    """Return the folder where YARN keeps the files of this user's jobs until they end."""
    base = conf.get("yarn.app.mapreduce.am.staging-dir", "/tmp/hadoop-yarn/staging")
    base = base if "://" in base else f"{default_fs(conf).rstrip('/')}{base}"
    return f"{base}/{os.environ.get('HADOOP_USER_NAME') or getpass.getuser()}/.staging"


def full_uri(uri: str, conf: Mapping[str, str]) -> str:
    """Return an address with its host: a folder has one tag, however it is spelled."""
    default = urlsplit(default_fs(conf))
    url = urlsplit(uri)
    same = url.scheme == default.scheme and url.netloc.lower() in ("", default.netloc.lower())
    return f"{default_fs(conf).rstrip('/')}{url.path}" if same else uri


class HadoopCluster(NodesCluster):
    """Jobs on YARN, from the configuration that the `hadoop` command here uses.

    They carry a tag of the run, by which it ends what it has started, and if it
    holds the workspace one of that, by which the next one ends what this one left.
    A search holds no workspace, and nobody ends what is somebody else's.
    """

    runner = "hadoop"
    prepares = "driver.hadoop.mrjob_runner"

    def __init__(self, options: RunnerOptions, workspace: Workspace, scratch: Path) -> None:
        """Take `scratch`, the local folder in which each job has its own, with its log."""
        super().__init__(options, workspace)
        self._local = scratch
        self.at_once = options.parallel_jobs
        self._conf = read_conf()
        self.yarn = Yarn(self._conf)
        self.tag = f"mapsight-run-{workspace.run_id}"
        where = hashlib.sha256(full_uri(workspace.uri(), self._conf).encode()).hexdigest()[:16]
        self._workspace_tag = f"mapsight-workspace-{where}"
        self._tags = [self.tag]

    @contextlib.contextmanager
    def attended(self, *, alone: bool) -> Iterator[None]:
        """Enclose the time in which jobs run; what they leave on YARN and in HDFS goes with it.

        Raises:
            Failure: the cluster cannot be reached, or has no node.
        """
        self.yarn.check()
        if alone:
            self._tags.append(self._workspace_tag)
            left = self._end(self._workspace_tag)
            for name in left:
                report(f"ended {name}, which an earlier run left")
            if left:  # until now they may have begun tasks, each with a folder for its output
                self._workspace.clean()
            self._drop_left()
        try:
            yield
        except BaseException:
            with undisturbed():
                self._give_up(alone)
            raise
        finally:
            with undisturbed():
                self._workspace.drop(*self._scratch)
                self._drop_folder()

    def _give_up(self, alone: bool) -> None:
        """End this run's jobs, and with the lock held remove what they had written so far."""
        try:
            self._end(self.tag)
            self._unstage(staged(self._local))
        except Failure as error:
            report(f"the jobs of this run could not be ended: {error}")
        if alone:
            with contextlib.suppress(OSError, Failure):
                self._workspace.clean()

    def _end(self, tag: str) -> list[str]:
        """End jobs by tag, and remove what YARN keeps of them in HDFS; return their ids."""
        names = self.yarn.kill(tag)
        self._unstage(Application(name).job for name in names)
        return names

    def _unstage(self, jobs: Iterable[str]) -> None:
        """Remove what YARN keeps in HDFS of jobs that have ended, or were never submitted."""
        for job in jobs:
            with contextlib.suppress(OSError, ValueError, ImportError):
                file_system, path = resolve(f"{_staging(self._conf)}/{job}")
                file_system.rm(path, recursive=True)

    def _is_old(self, entry: Mapping[str, Any]) -> bool:
        return entry["modificationTime"] < (time.time() - SEARCH_SECONDS) * 1000

    def _drop_folder(self) -> None:
        """Remove the folder of temporary folders, if nobody else has one in it."""
        workspace = self._workspace
        with contextlib.suppress(OSError):
            workspace.fs.rmdir(workspace.path(self._scratch[0]))

    def _job_tags(self) -> str:
        return ",".join(self._tags)

    def _runner_settings(self) -> list[str]:
        return [
            *("--hadoop-bin", str(hadoop_command())),
            "--no-check-input-paths",  # there may be hundreds, which we have listed
            *("--hadoop-tmp-dir", self._workspace.uri(*self._scratch)),
        ]

    def slots(self) -> int:
        """Return how many tasks run beside the master of their job, as far as YARN says."""
        cores = self.yarn.cores()
        return max(cores - 1, 1) if cores else super().slots()

    def progress(self, job: Job, total: int | None) -> YarnProgress:
        """Return what shows how far a job on YARN is."""
        return YarnProgress(job.title, total, self.yarn, self.tag)

    def second_try(self, scratch: Path, target: str) -> list[str]:
        """Return what puts the tasks of a job into containers, if they failed in its master.

        There a task has one attempt only, and the memory that the master leaves it.
        """
        if not failed_in_its_master(scratch / "log"):
            return []
        file_system, path = resolve(target)
        with contextlib.suppress(FileNotFoundError):
            file_system.rm(path, recursive=True)
        report("a job failed in the container of its master, it is run again in its own")
        return ["-D", "mapreduce.job.ubertask.enable=false"]

    def explained(self, error: Failure, path: str) -> Failure:
        """Return a failed job's error in terms of Python and pictures, where YARN knows."""
        cause = self.yarn.failure(error.detail)
        return Failure(f"{path}: {cause.line}", cause.detail) if cause else error
