"""Jobs as stages run them: with their input, their side files, and a place for what they write."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from driver.errors import Failure
from driver.pipeline.cluster import Cluster, RunnerOptions, ThisMachine
from driver.pipeline.cost import Cost
from driver.pipeline.jobs import Job
from driver.pipeline.launch import launch
from driver.pipeline.typed_options import TypedOptions

if TYPE_CHECKING:
    from driver.workspace.workspace import Workspace

__all__ = ["Jobs"]

T = TypeVar("T")


class Jobs:
    """The options, the workspace and the machines of a run."""

    def __init__(
        self,
        options: TypedOptions,
        workspace: Workspace,
        cluster: Cluster,
        scratch: Path | None = None,
        home: Workspace | None = None,
    ) -> None:
        """Args:
        cluster: where jobs run.
        scratch: a local folder for temporary files; None takes the workspace's.
        home: the workspace that keeps what runs share: model, environment; None for the same.
        """
        self._options = options
        self.workspace, self.home = workspace, home or workspace
        self.cluster = cluster
        self.scratch = scratch or workspace.scratch
        self.collected: dict[str, dict[str, int]] = {}
        self._numbers = itertools.count(1)
        self._preparing, self._stopping = threading.Lock(), threading.Event()
        self._begin: Callable[[], None] | None = None
        self._applications: list[str] = []
        self._cost = Cost()

    def options_of(self, kind: type[T]) -> T:
        """Return the options of a dataclass that a stage has for them."""
        return self._options[kind]

    @contextlib.contextmanager
    def attended(self, *, alone: bool) -> Iterator[None]:
        """Enclose the time in which jobs run; none of them outlives it.

        Args:
            alone: the workspace's lock is held; else the cluster is asked with the first job.
        """
        with contextlib.ExitStack() as stack:
            begin = partial(self.cluster.attended, alone=alone)
            self._begin = lambda: stack.enter_context(begin())
            if alone:
                self._begin_jobs()
            yield

    def _begin_jobs(self) -> None:
        begin, self._begin = self._begin, None
        if begin:
            begin()

    def place(self, *, here: bool) -> Cluster:
        """Return where a job runs: on the cluster, or on this machine with all its cores."""
        if not here:
            return self.cluster
        return ThisMachine(replace(self.options_of(RunnerOptions), runner="local"))

    def job(
        self,
        job: Job,
        inputs: Sequence[str],
        arguments: Sequence[str],
        output: tuple[str, ...],
        total: int | None = None,
        *,
        shuffled: int = 0,
        here: bool = False,
    ) -> dict[str, dict[str, int]]:
        """Run a job over inputs into a folder of the workspace; its counters.

        Args:
            inputs: files with records or manifest lines, as addresses.
            arguments: the job's own.
            output: the folder, as names below the workspace's root.
            total: pictures it will see, where it tells.
            shuffled: about how many bytes go to its reducers.
            here: what it reads is only on this machine, where it then runs.
        """
        if self.workspace.local or (self.on_cluster and not here):
            target = self.workspace.uri(*output)
            return self._launch(job, inputs, arguments, target, total, shuffled)
        folder = self._new_folder("output")
        counters = self._launch(job, inputs, arguments, str(folder), total, here=here)
        self.workspace.upload(folder, *output)
        return counters

    def collect(
        self, job: Job, inputs: Sequence[str], arguments: Sequence[str], shuffled: int = 0
    ) -> list[str]:
        """Run a job whose output is small and for the driver; its parts as local files.

        What it counted is in `collected` until the next one.
        """
        folder = self._new_folder("output")
        if not self.on_cluster:
            self.collected = self._launch(job, inputs, arguments, str(folder), None)
            return sorted(map(str, folder.glob("part-*")))
        names = (".jobs", self.workspace.run_id, folder.name)
        target = self.home.uri(*names)
        self.collected = self._launch(job, inputs, arguments, target, None, shuffled)
        return self.home.download(self.home.addresses(*names), folder)

    @property
    def on_cluster(self) -> bool:
        """Return whether jobs run on other machines, which do not see files of this one."""
        return self.cluster.remote

    def _new_folder(self, name: str) -> Path:
        return self.scratch / f"{name}-{next(self._numbers):03d}"

    def _launch(
        self,
        job: Job,
        inputs: Sequence[str],
        arguments: Sequence[str],
        target: str,
        total: int | None,
        shuffled: int = 0,
        *,
        here: bool = False,
        more: Sequence[str] = (),
    ) -> dict[str, dict[str, int]]:
        self._begin_jobs()
        scratch = self._new_folder("job")
        scratch = scratch.with_name(f"{scratch.name}-{job.title}")
        cluster = self.place(here=here)
        if not cluster.remote:
            inputs = self.workspace.download(inputs, scratch / "inputs")
        with self._preparing:  # what all jobs need is sent once
            settings = cluster.arguments(job, shuffled)
        progress = cluster.progress(job, total)
        try:
            everything = [*settings, *more, "--output-dir", target, *arguments, *inputs]
            counters, cost = launch(
                job, everything, scratch, progress, cluster.prepares, self._stopping
            )
            self._cost += cost
            return counters
        except Failure as error:
            stopped = self._stopping and self._stopping.is_set()
            again = [] if more or stopped else cluster.second_try(scratch, target)
            if not again:
                raise cluster.explained(error, job.path) from None
        finally:
            progress.close()
            self._applications += cluster.applications(scratch)
        return self._launch(job, inputs, arguments, target, total, shuffled, here=here, more=again)

    def manifest(self, lines: Sequence[str], *, here: bool = False) -> list[str]:
        """Input for a job that takes one line a map task.

        Hadoop cuts one file into lines; the other runners give every file a task.
        `here` as for `job`.
        """
        folder = self._new_folder("manifest")
        folder.mkdir(parents=True)
        if self.on_cluster and not here:
            path = folder / "manifest.txt"
            path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            return [str(path)]
        for number, line in enumerate(lines):
            (folder / f"{number:06d}.txt").write_text(line + "\n", encoding="utf-8")
        return [str(folder)]

    def side_file(self, name: str, text: str) -> str:
        """A small local file for a job."""
        path = self._new_folder("side") / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def local_folder(self, *names: str) -> Path:
        """Where to write parts: the workspace's own folder, or one to be uploaded."""
        if self.workspace.local:
            folder = Path(self.workspace.uri(*names))
        else:
            folder = self.scratch / "-".join(names)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def store(self, folder: Path, *names: str) -> None:
        """Put what was written to a `local_folder` into the workspace."""
        if not self.workspace.local:
            self.workspace.upload(folder, *names)
