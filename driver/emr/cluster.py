"""An EMR cluster as one run uses it: made for its first job, ended with it."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from driver.emr.account import LIVING, Account
from driver.emr.progress import EmrProgress
from driver.emr.settings import (
    BOOTSTRAP,
    GLIBC,
    S3,
    check_instances,
    conf_paths,
    instances,
    settings,
)
from driver.emr.step import SAID, TASK
from driver.errors import Failure, undisturbed
from driver.hadoop.cluster import ARCHIVES, python_name
from driver.hadoop.failures import python_error, why_ended, why_refused
from driver.nodes.archive import packed_environment
from driver.pipeline.jobs import Job, reducers
from driver.pipeline.launch import runner_settings
from driver.workspace.cleaning import RUN_ID
from driver.workspace.workspace import SEARCH, Workspace

__all__ = ["EmrCluster"]


class EmrCluster:
    """Jobs as steps of one cluster on EMR.

    It is made when the first job needs it, and is ended with the run, however
    that ends; should the driver be killed, EMR ends it when it has been idle
    (mrjob.conf). Its name holds the workspace, by which the next run finds it.
    A cluster of the user's (`--cluster-id`) is left as it was.
    """

    def __init__(self, options: Namespace, workspace: Workspace) -> None:
        self._options, self._workspace = options, workspace
        self._settings = settings(options.mrjob_conf)
        self._account = Account(self._settings.get("region"))
        where = hashlib.sha256(workspace.uri().encode()).hexdigest()[:16]
        self._tags = {"mapsight-workspace": where, "mapsight-run": workspace.run_id}
        self._mine = f"mapsight-{where}-"
        self.tag = f"{self._mine}{workspace.run_id}"
        self._id: str | None = options.cluster_id
        self._asked = False
        self._archive: str | None = None
        self._jobs = 0

    @contextlib.contextmanager
    def attended(self, *, alone: bool) -> Iterator[None]:
        """The time in which jobs run; neither cluster nor step outlives it, however it ends.

        Args:
            alone: the workspace's lock is held, so that a cluster with its name
                was left by a run that died.

        Raises:
            Failure: AWS cannot be asked, or the user's cluster does not run.
        """
        if alone:
            self._end(self._mine, "an earlier run left")
            self._drop_left()
        else:
            self.tag = f"mapsight-search-{self._workspace.run_id}"
        if self._id:
            state = self._account.state(self._id)
            if state not in LIVING:
                raise Failure(f"--cluster-id {self._id}: it is {state}")
        try:
            yield
        except BaseException:
            with undisturbed():
                self._cancel()
                try:
                    self._give_back()
                except (Failure, OSError) as error:  # why the run failed is said after it
                    _say(str(error))
            raise
        with undisturbed():
            self._give_back()

    def _cancel(self) -> None:
        """End this run's steps on a cluster of the user's."""
        if self._id and not self._asked:
            try:
                self._account.cancel(self._id, self.tag)
            except Failure as error:
                _say(f"the steps of this run on {self._id} could not be ended: {error}")

    def _give_back(self) -> None:
        """End the cluster that this run started, and remove its temporary folder.

        Raises:
            Failure: the cluster may still run; the message names it.
        """
        try:
            if self._asked:
                # one that was asked for without an answer is found by its name
                known = [self._id] if self._id else self._account.clusters(self.tag)
                self._terminate(known, "this run started")
        except Failure as error:
            name = self._id or f"named {self.tag}…"
            line = f"EMR cluster {name} may still run and cost money: end it yourself; {error}"
            raise Failure(line, error.detail) from error
        finally:
            self._workspace.drop(*self._scratch)

    def _end(self, prefix: str, whose: str) -> None:
        self._terminate(self._account.clusters(prefix), whose)

    def _terminate(self, clusters: list[str], whose: str) -> None:
        self._account.terminate(clusters)
        for name in clusters:
            _say(f"ended EMR cluster {name}, which {whose}")

    def _drop_left(self) -> None:
        """Remove temporary folders of runs that died; a search may be alive."""
        workspace, (parent, _) = self._workspace, self._scratch
        with contextlib.suppress(FileNotFoundError):
            for entry in workspace.fs.ls(workspace.path(parent), detail=False):
                name = entry.rstrip("/").rsplit("/", 1)[-1]
                if RUN_ID.fullmatch(name) and not name.startswith(SEARCH):
                    workspace.drop(parent, name)

    @property
    def _scratch(self) -> tuple[str, ...]:
        return (".jobs", self._workspace.run_id)

    def arguments(self, job: Job, shuffled: int) -> list[str]:
        """Options of a job for mrjob's emr runner, on a cluster that runs.

        Args:
            job: which one.
            shuffled: about how many bytes go to reducers; they decide how many there are.
        """
        python = self._python()
        if self._id is None:
            self._id = self._start()
        return [*self.job_settings(job, shuffled), "--cluster-id", self._id, *python]

    def job_settings(self, job: Job, shuffled: int) -> list[str]:
        """Those of a job's options that need neither cluster nor archive."""
        self._jobs += 1
        jobconf = {
            "mapreduce.job.name": f"mapsight {job.title}",
            "mapreduce.job.tags": self.tag,
            "mapreduce.job.reduces": str(reducers(job, shuffled)),
        }
        threads = ("OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1")
        old = ("SETUPTOOLS_USE_DISTUTILS=stdlib",) if sys.version_info < (3, 12) else ()
        return [
            *runner_settings("emr", self._options.mrjob_conf),
            *("--region", str(self._account.region), "--label", self.tag),
            *("--cloud-tmp-dir", self._workspace.uri(*self._scratch, f"{self._jobs:03d}")),
            *(part for name, value in jobconf.items() for part in ("-D", f"{name}={value}")),
            *(part for pair in (*threads, *old) for part in ("--cmdenv", pair)),
        ]

    def _python(self) -> list[str]:
        if self._options.node_python:
            return ["--task-python-bin", self._options.node_python]
        archive = ["--archives", f"{self._sent()}#env", "--cmdenv", "PYTHONPATH=env"]
        return ["--task-python-bin", python_name(), *archive]

    def _sent(self) -> str:
        """Where the packed environment is; it is uploaded once."""
        if self._archive is None:
            packed = packed_environment(say=_say, extra=[S3])
            if packed.glibc and tuple(map(int, packed.glibc.split("."))) > GLIBC:
                system = ".".join(map(str, GLIBC))
                raise Failure(f"EMR: what was packed needs glibc {packed.glibc}, it has {system}")
            kept = self._workspace.keep(Path(packed.path), ARCHIVES, packed.path.name)
            self._archive = self._workspace.uri(kept)
        return self._archive

    def _start(self) -> str:
        """Ask for a cluster; its id."""
        with tempfile.TemporaryDirectory(prefix="mapsight-emr-") as scratch:
            runner = self.runner(scratch)
            roles = runner._opts["iam_service_role"], runner._opts["iam_instance_profile"]
            self._account.check_roles(*roles)
            check_instances(runner)
            self._asked = True
            with self._account.asking("no cluster can be started"):
                found = runner.make_persistent_cluster()
        region = self._account.region
        console = (
            f"https://{region}.console.aws.amazon.com/emr/home?region={region}#/clusterDetails/"
        )
        _say(f"EMR cluster {found} starts, which takes some minutes: {console}{found}")
        return found

    def runner(self, scratch: str) -> Any:
        """What makes a cluster, with the settings of the configuration and the command line."""
        from mrjob.emr import EMRJobRunner

        logs = {} if self._settings.get("cloud_log_dir") else {"cloud_log_dir": self._place("logs")}
        return EMRJobRunner(
            conf_paths=conf_paths(self._options.mrjob_conf),
            label=self.tag,
            region=self._account.region,
            cloud_tmp_dir=self._place(*self._scratch),
            local_tmp_dir=scratch,
            bootstrap=[BOOTSTRAP.format(python=python_name())],
            tags=self._tags,
            **logs,
            **instances(self._options),
        )

    def described(self) -> str:
        """The cluster that would be started, or the user's, in a line."""
        if self._id:
            return f"{self._id}, which is left running"
        with tempfile.TemporaryDirectory(prefix="mapsight-emr-") as scratch:
            runner = self.runner(scratch)
            groups = ", ".join(
                f"{group['InstanceCount']} {group['InstanceRole']} {group['InstanceType']}"
                f" {'at ' + group['BidPrice'] + ' USD' if 'BidPrice' in group else 'on demand'}"
                for group in runner._instance_groups()
            )
            release, idle = runner._opts["release_label"], runner._opts["max_mins_idle"]
        return (
            f"a new one in {self._account.region}: {release}, {groups}; ended with the run,"
            f" or after {idle} idle minutes"
        )

    def _place(self, *names: str) -> str:
        return self._workspace.uri(*names) + "/"

    def progress(self, stage: str, total: int | None) -> EmrProgress:
        """What to show while a job runs."""
        return EmrProgress(stage, total)

    def explained(self, error: Failure, path: str) -> Failure:
        """A failed job's error in terms of Python and pictures, where that can be found out."""
        said, task = self._told(SAID), self._told(TASK)
        own = next((line[10:] for line in said.splitlines() if line.startswith("mapsight: ")), None)
        line = own or python_error(task) or why_ended(said) or why_refused(said)
        detail = f"{error.detail}\n{said}\n{task}"
        return Failure(f"{path}: {line}", detail) if line else Failure(str(error), detail)

    def _told(self, name: str) -> str:
        """What the step of the last job has left under a name."""
        workspace = self._workspace
        folder = workspace.path(*self._scratch, f"{self._jobs:03d}")
        found = [path for path in workspace.fs.find(folder) if path.endswith(f"/{name}")]
        return workspace.fs.cat_file(found[0]).decode("utf-8", "replace") if found else ""


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
