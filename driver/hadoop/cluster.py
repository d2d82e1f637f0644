"""A Hadoop cluster as one run uses it: what its jobs are given, and what is taken away after."""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from driver.errors import Failure, undisturbed
from driver.hadoop.progress import YarnProgress
from driver.hadoop.submitted_jobs import staged
from driver.hadoop.yarn import Application, Yarn
from driver.nodes.archive import packed_environment
from driver.pipeline.jobs import Job, reducers
from driver.pipeline.launch import runner_settings
from driver.workspace.cleaning import RUN_ID
from driver.workspace.workspace import SEARCH, Workspace
from mapsight.storage.hadoop_conf import default_fs, hadoop_command, read_conf
from mapsight.storage.uri import resolve

__all__ = ["HadoopCluster", "full_uri", "python_name"]

ARCHIVES = "environments"
SEARCH_SECONDS = 86400.0  # no search takes as long


def python_name() -> str:
    """The interpreter that nodes must have, where no other is named: python3.11 and the like."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def _staging(conf: Mapping[str, str]) -> str:
    """The folder where YARN keeps the files of this user's jobs until they end."""
    base = conf.get("yarn.app.mapreduce.am.staging-dir", "/tmp/hadoop-yarn/staging")
    base = base if "://" in base else f"{default_fs(conf).rstrip('/')}{base}"
    return f"{base}/{os.environ.get('HADOOP_USER_NAME') or getpass.getuser()}/.staging"


def full_uri(uri: str, conf: Mapping[str, str]) -> str:
    """An address with its host: a folder has one tag, however it is spelled."""
    default = urlsplit(default_fs(conf))
    found = urlsplit(uri)
    same = found.scheme == default.scheme and found.netloc.lower() in ("", default.netloc.lower())
    return f"{default_fs(conf).rstrip('/')}{found.path}" if same else uri


class HadoopCluster:
    """Jobs on YARN, from the configuration that the `hadoop` command here uses.

    They carry a tag of the run, by which it ends what it has started, and if it
    holds the workspace one of that, by which the next one ends what this one left.
    A search holds no workspace, and nobody ends what is somebody else's.
    """

    def __init__(self, options: Namespace, workspace: Workspace, scratch: Path) -> None:
        """`scratch` is the local folder in which each job has its own, with its log."""
        self._options, self._workspace, self._local = options, workspace, scratch
        self._conf = read_conf()
        self.yarn = Yarn(self._conf)
        self.tag = f"mapsight-run-{workspace.run_id}"
        where = hashlib.sha256(full_uri(workspace.uri(), self._conf).encode()).hexdigest()[:16]
        self._workspace_tag = f"mapsight-workspace-{where}"
        self._tags = [self.tag]
        self._archive: str | None = None

    @contextlib.contextmanager
    def attended(self, *, alone: bool) -> Iterator[None]:
        """The time in which jobs run; none of them outlives it, however it ends.

        Args:
            alone: the workspace's lock is held, so that whatever runs for it
                now was left by a run that died.

        Raises:
            Failure: the cluster cannot be reached, or has no node.
        """
        self.yarn.check()
        if alone:
            self._tags.append(self._workspace_tag)
            for name in self._end(self._workspace_tag):
                _say(f"ended {name}, which an earlier run left")
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
            _say(f"the jobs of this run could not be ended: {error}")
        if alone:
            with contextlib.suppress(OSError, Failure):
                self._workspace.clean()

    def _end(self, tag: str) -> list[str]:
        """End jobs by tag, and remove what YARN keeps in HDFS of those it ends; their ids."""
        names = self.yarn.kill(tag)
        self._unstage(Application(name).job for name in names)
        return names

    def _unstage(self, jobs: Iterable[str]) -> None:
        """Remove what YARN keeps in HDFS of jobs that have ended, or were never submitted."""
        for job in jobs:
            with contextlib.suppress(OSError, ValueError, ImportError):
                file_system, path = resolve(f"{_staging(self._conf)}/{job}")
                file_system.rm(path, recursive=True)

    def _drop_left(self) -> None:
        """Remove temporary folders of runs that died; of searches, which may be alive, old ones."""
        workspace, (parent, _) = self._workspace, self._scratch
        long_ago = (time.time() - SEARCH_SECONDS) * 1000
        with contextlib.suppress(FileNotFoundError):
            for entry in workspace.fs.ls(workspace.path(parent), detail=True):
                name = entry["name"].rsplit("/", 1)[-1]
                old = entry["modificationTime"] < long_ago
                if RUN_ID.fullmatch(name) and (old or not name.startswith(SEARCH)):
                    workspace.drop(parent, name)

    def _drop_folder(self) -> None:
        """Remove the folder of temporary folders, if nobody else has one in it."""
        workspace = self._workspace
        with contextlib.suppress(OSError):
            workspace.fs.rmdir(workspace.path(self._scratch[0]))

    @property
    def _scratch(self) -> tuple[str, ...]:
        return (".jobs", self._workspace.run_id)

    def arguments(self, job: Job, shuffled: int) -> list[str]:
        """Options of a job for mrjob's hadoop runner.

        Args:
            job: which one.
            shuffled: about how many bytes go to reducers; they decide how many there are.
        """
        return [*self.job_settings(job, shuffled), *self._python()]

    def job_settings(self, job: Job, shuffled: int) -> list[str]:
        """Those of a job's options that need no archive."""
        jobconf = {
            "mapreduce.job.name": f"mapsight {job.title}",
            "mapreduce.job.tags": ",".join(self._tags),
            "mapreduce.job.reduces": str(reducers(job, shuffled)),
        }
        return [
            *runner_settings("hadoop", self._options.mrjob_conf),
            *("--hadoop-bin", str(hadoop_command())),
            "--no-check-input-paths",  # there may be hundreds, which we have listed
            *("--hadoop-tmp-dir", self._workspace.uri(*self._scratch)),
            *(part for name, value in jobconf.items() for part in ("-D", f"{name}={value}")),
            *(part for pair in self._environment() for part in ("--cmdenv", pair)),
        ]

    def _environment(self) -> Iterator[str]:
        yield "OMP_NUM_THREADS=1"
        yield "OPENBLAS_NUM_THREADS=1"
        if sys.version_info < (3, 12):
            yield "SETUPTOOLS_USE_DISTUTILS=stdlib"

    def _python(self) -> list[str]:
        """How tasks find their libraries: in an environment of the nodes, or one sent along."""
        if self._options.node_python:
            return ["--task-python-bin", self._options.node_python]
        archive = ["--archives", f"{self._sent()}#env", "--cmdenv", "PYTHONPATH=env"]
        return ["--task-python-bin", python_name(), *archive]

    def _sent(self) -> str:
        """Where the packed environment is; it is uploaded once."""
        if self._archive is None:
            path = Path(packed_environment(say=_say).path)
            kept = self._workspace.keep(path, ARCHIVES, path.name)
            self._archive = self._workspace.uri(kept)
        return self._archive

    def progress(self, stage: str, total: int | None) -> YarnProgress:
        """What to show while a job runs."""
        return YarnProgress(stage, total, self.yarn, self.tag)

    def explained(self, error: Failure, path: str) -> Failure:
        """A failed job's error in terms of Python and pictures, where that can be found out."""
        found = self.yarn.failure(error.detail)
        return Failure(f"{path}: {found.line}", found.detail) if found else error


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
