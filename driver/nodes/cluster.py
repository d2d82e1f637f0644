"""A cluster whose nodes need nothing but Python: what Hadoop and EMR have in common."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from driver.nodes.archive import Packed, packed_environment
from driver.nodes.pip import installed_formats
from driver.pipeline.cluster import Cluster, RunnerOptions, runner_settings
from driver.pipeline.jobs import Job, reducers
from driver.workspace.workspace import SEARCH, Workspace
from driver.workspace.writable import RUN_ID

__all__ = ["NodesCluster", "applications_of", "python_name", "report"]

ARCHIVES = "environments"
LOG_BYTES = 4 << 20
APPLICATION = re.compile(rb"\b(?:application_\d+_\d+|s-[0-9A-Z]{8,})\b")
"""What YARN calls an application, and EMR a step."""
THREADS = ("OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1")
DISTUTILS = ("SETUPTOOLS_USE_DISTUTILS=stdlib",) if sys.version_info < (3, 12) else ()


def python_name() -> str:
    """Return the interpreter that nodes must have, where no other is named: python3.11."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def report(text: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(f"{text}\n")


class NodesCluster(Cluster):
    """Jobs on the nodes of a cluster, with their temporary files in the workspace."""

    remote = True
    extra: ClassVar[Sequence[str]] = ()
    """Requirements of its nodes, beside those of all."""

    def __init__(self, options: RunnerOptions, workspace: Workspace) -> None:
        self._options, self._workspace = options, workspace
        self._archive: str | None = None

    @property
    def _scratch(self) -> tuple[str, ...]:
        """Where this run's jobs have their temporary files, as names below the workspace."""
        return (".jobs", self._workspace.run_id)

    def _drop_left(self) -> None:
        """Remove temporary folders of runs that died; a search may be alive."""
        workspace, (parent, _) = self._workspace, self._scratch
        with contextlib.suppress(FileNotFoundError):
            for entry in workspace.fs.ls(workspace.path(parent), detail=True):
                name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
                alive = name.startswith(SEARCH) and not self._is_old(entry)
                if RUN_ID.fullmatch(name) and not alive:
                    workspace.drop(parent, name)

    def _is_old(self, entry: Mapping[str, Any]) -> bool:
        """Return whether no search that made this folder can still be alive."""
        return False

    def arguments(self, job: Job, shuffled: int) -> list[str]:
        """Return a job's options; the environment of nodes is sent before the first."""
        return [*self.settings(job, shuffled), *self._python()]

    def settings(self, job: Job, shuffled: int) -> list[str]:
        """Return those of a job's options that need neither archive nor machines."""
        jobconf = {
            "mapreduce.job.name": f"mapsight {job.title}",
            "mapreduce.job.tags": self._job_tags(),
            "mapreduce.job.reduces": str(reducers(job, shuffled)),
        }
        return [
            *runner_settings(self.runner, self._options.mrjob_conf),
            *self._runner_settings(),
            *(part for name, value in jobconf.items() for part in ("-D", f"{name}={value}")),
            *(part for pair in (*THREADS, *DISTUTILS) for part in ("--cmdenv", pair)),
        ]

    def _job_tags(self) -> str:
        """Return the tags of a job in YARN, with commas between."""
        raise NotImplementedError

    def _runner_settings(self) -> list[str]:
        """Return options that only this runner of mrjob has."""
        raise NotImplementedError

    def _python(self) -> list[str]:
        """Return how tasks find their libraries: in the nodes' own Python, or one sent along."""
        if self._options.node_python:
            return ["--task-python-bin", self._options.node_python]
        archive = ["--archives", f"{self._sent()}#env", "--cmdenv", "PYTHONPATH=env"]
        return ["--task-python-bin", python_name(), *archive]

    def _sent(self) -> str:
        """Return where the packed environment is; it is uploaded once."""
        if self._archive is None:
            packed = packed_environment(say=report, extra=[*self.extra, *installed_formats()])
            self._check(packed)
            kept = self._workspace.keep(Path(packed.path), ARCHIVES, packed.path.name)
            self._archive = self._workspace.uri(kept)
        return self._archive

    def _check(self, packed: Packed) -> None:
        """Raise Failure if what was packed cannot run on the nodes."""

    def applications(self, scratch: Path) -> list[str]:
        """Return the applications or steps of the job that ran with this scratch folder."""
        return applications_of(scratch)


def applications_of(scratch: Path) -> list[str]:
    """Return the names of applications and steps in the log of a job."""
    try:
        with (scratch / "log").open("rb") as log:
            names = APPLICATION.findall(log.read(LOG_BYTES))
    except OSError:
        return []
    return list(dict.fromkeys(name.decode() for name in names))
