"""An EMR cluster as one run uses it: made for its first job, ended with it."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
from collections.abc import Iterator
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
from driver.nodes.archive import Packed
from driver.nodes.cluster import NodesCluster, python_name, report
from driver.nodes.failures import python_error, why_ended, why_refused
from driver.pipeline.cluster import RunnerOptions
from driver.pipeline.jobs import Job
from driver.workspace.workspace import Workspace

__all__ = ["EmrCluster"]


class EmrCluster(NodesCluster):
    """Jobs as steps of one cluster on EMR.

    It is made when the first job needs it, and is ended with the run, however
    that ends; should the driver be killed, EMR ends it when it has been idle
    (mrjob.conf). Its name holds the workspace, by which the next run finds it.
    A cluster of the user's (`--cluster-id`) is left as it was.
    """

    runner = "emr"
    prepares = "driver.emr.step"
    extra = (S3,)

    def __init__(self, options: RunnerOptions, workspace: Workspace) -> None:
        super().__init__(options, workspace)
        self._settings = settings(options.mrjob_conf)
        self._account = Account(self._settings.get("region"))
        where = hashlib.sha256(workspace.uri().encode()).hexdigest()[:16]
        self._tags = {"mapsight-workspace": where, "mapsight-run": workspace.run_id}
        self._mine = f"mapsight-{where}-"
        self.tag = f"{self._mine}{workspace.run_id}"
        self._id: str | None = options.cluster_id
        self._asked = False
        self._jobs = 0

    @contextlib.contextmanager
    def attended(self, *, alone: bool) -> Iterator[None]:
        """Enclose the time in which jobs run; neither cluster nor step outlives it.

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
                    report(str(error))
            raise
        with undisturbed():
            self._give_back()

    def _cancel(self) -> None:
        """End this run's steps on a cluster of the user's."""
        if self._id and not self._asked:
            try:
                self._account.cancel(self._id, self.tag)
            except Failure as error:
                report(f"the steps of this run on {self._id} could not be ended: {error}")

    def _give_back(self) -> None:
        """End the cluster that this run started, and remove its temporary folder.

        Raises:
            Failure: the cluster may still run; the message names it.
        """
        try:
            if self._asked:
                # one that was asked for without an answer is found by its name
                clusters = [self._id] if self._id else self._account.clusters(self.tag)
                self._terminate(clusters, "this run started")
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
            report(f"ended EMR cluster {name}, which {whose}")

    def arguments(self, job: Job, shuffled: int) -> list[str]:
        """Return a job's options, on a cluster that runs: what nodes need is packed before."""
        python = self._python()
        if self._id is None:
            self._id = self._start()
        return [*self.settings(job, shuffled), "--cluster-id", self._id, *python]

    def settings(self, job: Job, shuffled: int) -> list[str]:
        """Return those of a job's options that need neither cluster nor archive."""
        self._jobs += 1
        return super().settings(job, shuffled)

    def _job_tags(self) -> str:
        return self.tag

    def _runner_settings(self) -> list[str]:
        return [
            *("--region", str(self._account.region), "--label", self.tag),
            *("--cloud-tmp-dir", self._workspace.uri(*self._scratch, f"{self._jobs:03d}")),
        ]

    def _check(self, packed: Packed) -> None:
        if packed.glibc and tuple(map(int, packed.glibc.split("."))) > GLIBC:
            system = ".".join(map(str, GLIBC))
            raise Failure(f"EMR: the libraries need glibc {packed.glibc}, nodes have {system}")

    def _start(self) -> str:
        """Ask for a cluster; return its id."""
        with tempfile.TemporaryDirectory(prefix="mapsight-emr-") as scratch:
            runner = self._mrjob_runner(scratch)
            roles = runner._opts["iam_service_role"], runner._opts["iam_instance_profile"]
            self._account.check_roles(*roles)
            check_instances(runner)
            self._asked = True
            with self._account.asking("no cluster can be started"):
                cluster = runner.make_persistent_cluster()
        region = self._account.region
        console = (
            f"https://{region}.console.aws.amazon.com/emr/home?region={region}#/clusterDetails/"
        )
        report(f"EMR cluster {cluster} starts, which takes some minutes: {console}{cluster}")
        return cluster

    def _mrjob_runner(self, scratch: str) -> Any:
        """Return what makes a cluster, by the configuration and the command line."""
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
        """Return a line on the cluster that would be started, or the user's."""
        if self._id:
            return f"{self._id}, which is left running"
        with tempfile.TemporaryDirectory(prefix="mapsight-emr-") as scratch:
            runner = self._mrjob_runner(scratch)
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

    def progress(self, job: Job, total: int | None) -> EmrProgress:
        """Return what shows how far a step is."""
        return EmrProgress(job.title, total)

    def explained(self, error: Failure, path: str) -> Failure:
        """Return a failed job's error in terms of Python and pictures, where the step told it."""
        step_log, task_log = self._told(SAID), self._told(TASK)
        own = next(
            (line[10:] for line in step_log.splitlines() if line.startswith("mapsight: ")), None
        )
        line = own or python_error(task_log) or why_ended(step_log) or why_refused(step_log)
        detail = f"{error.detail}\n{step_log}\n{task_log}"
        return Failure(f"{path}: {line}", detail) if line else Failure(str(error), detail)

    def _told(self, name: str) -> str:
        """Return what the step of the last job has left under a name."""
        workspace = self._workspace
        folder = workspace.path(*self._scratch, f"{self._jobs:03d}")
        logs = [path for path in workspace.fs.find(folder) if path.endswith(f"/{name}")]
        return workspace.fs.cat_file(logs[0]).decode("utf-8", "replace") if logs else ""
