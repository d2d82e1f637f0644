"""Running stages in order: skip what is done, commit what is new."""

from __future__ import annotations

import contextlib
import copy
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from driver.errors import Failure
from driver.pipeline.cluster import Cluster, RunnerOptions, ThisMachine
from driver.pipeline.facts import Facts
from driver.pipeline.jobs import Job
from driver.pipeline.launch import launch
from driver.pipeline.schedule import side_by_side
from driver.pipeline.stage import Stage, StageReport, require
from driver.pipeline.typed_options import TypedOptions
from mapsight import __version__
from mapsight.files import fingerprint

if TYPE_CHECKING:
    from driver.workspace.workspace import Workspace

__all__ = ["Pipeline", "Running"]

T = TypeVar("T")


@dataclass(frozen=True)
class Running:
    """The stage to stop after, and those to run again."""

    until: str | None = None
    force: tuple[str, ...] = ()


class Pipeline:
    """One run: the options, the workspace, and what the stages so far have found."""

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
        self.running = options[Running]
        self.workspace, self.home = workspace, home or workspace
        self.cluster = cluster
        self.scratch = scratch or workspace.scratch
        self.documents: dict[str, dict[str, Any]] = {}
        self.collected: dict[str, dict[str, int]] = {}
        self.facts = Facts()
        self.so_far: dict[str, Any] | None = None
        self._reports: dict[str, StageReport | None] = {}
        self._numbers = itertools.count(1)
        self._preparing, self._stopping = threading.Lock(), threading.Event()
        self._begin: Callable[[], None] | None = None
        self._applications: list[str] = []

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

    @property
    def reports(self) -> list[StageReport]:
        """Return how stages ended so far, in the order of the stages."""
        return [report for report in self._reports.values() if report]

    def run(self, stages: Sequence[Stage]) -> None:
        """Bring every stage up to `--until` up to date; those that need no other side by side."""
        last = next((n for n, stage in enumerate(stages) if stage.name == self.running.until), None)
        wanted = {stage.name: stage for stage in stages[: None if last is None else last + 1]}
        committed = {name: self.workspace.committed(name) for name in wanted}
        _report_outdated(list(wanted.values()), committed)
        self._reports |= dict.fromkeys(wanted)

        def bring_up(name: str) -> None:
            self._view()._bring_up(wanted[name], committed[name])

        needs = {name: _needed(stage, list(wanted)) for name, stage in wanted.items()}
        side_by_side(list(wanted), needs, bring_up, self.cluster.at_once, self._stopping)

    def _view(self) -> Pipeline:
        """Return this run as one of its stages sees it, which tells others nothing of its own."""
        view = copy.copy(self)
        view.so_far, view.collected, view._applications = None, {}, []
        return view

    def _bring_up(self, stage: Stage, document: dict[str, Any] | None) -> None:
        started = time.monotonic()
        inputs = {name: self.documents[name]["digest"] for name in stage.needs}
        identity = stage.identity(self)
        code = stage.code_digest
        key = fingerprint([stage.name, inputs, identity, code])
        kept = (
            document is not None
            and document["fingerprint"] == key
            and stage.name not in self.running.force
            and self.workspace.intact(document)
            and not (stage.published and self.workspace.changed(document))
        )
        self.so_far = document if kept and stage.steps else None
        fresh = kept and not (stage.unfinished and stage.unfinished(document or {}))
        if not fresh:
            for name in stage.needs:
                self.workspace.verify(self.documents[name])
            facts = {"inputs": inputs, "options": identity, "code": code}
            document = self._perform(stage, key, facts, started)
            while stage.steps and stage.unfinished and stage.unfinished(document):
                self.so_far = document
                document = self._perform(stage, key, facts, time.monotonic())
        assert document is not None
        self.documents[stage.name] = document
        seconds, counters = document["seconds"], document["counters"]
        self._reports[stage.name] = StageReport(stage.name, seconds, fresh, counters)
        if stage.check:
            stage.check(self)

    def _perform(
        self, stage: Stage, key: str, facts: dict[str, Any], started: float
    ) -> dict[str, Any]:
        """Perform a stage, or one step of it, that began at `started`, and commit what it made."""
        folder = self.workspace.new_folder(stage.name, key)
        performed, self._applications = time.monotonic(), []
        outcome = stage.perform(self, folder)
        performing = time.monotonic() - performed
        parts = self.workspace.describe(stage.name, folder)
        before = self.so_far or {"seconds": 0.0, "applications": []}
        document = {
            "stage": stage.name,
            "fingerprint": key,
            "folder": folder,
            "parts": parts,
            "digest": outcome.notes.get("digest") or fingerprint(_contents(parts, folder)),
            **facts,
            "version": __version__,
            "libraries": _libraries(),
            "counters": outcome.counters,
            "notes": outcome.notes,
            "run": self.workspace.run_id,
            "applications": [*before["applications"], *self._applications],
            "seconds": round(before["seconds"] + time.monotonic() - started, 3),
            "seconds_performing": round(performing, 3),
        }
        require(not self._stopping.is_set(), f"{stage.name}: stopped")
        self.workspace.commit(stage.name, document)
        if self.so_far:
            self.workspace.drop(stage.name, self.so_far["folder"])
        return document

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
            everything = [*settings, "--output-dir", target, *arguments, *inputs]
            return launch(job, everything, scratch, progress, cluster.prepares, self._stopping)
        except Failure as error:
            raise cluster.explained(error, job.path) from None
        finally:
            progress.close()
            self._applications += cluster.applications(scratch)

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


def _needed(stage: Stage, names: Sequence[str]) -> list[str]:
    """Return the stages that one waits for."""
    before = list(names[: names.index(stage.name)])
    return before if stage.after_all else [name for name in before if name in stage.needs]


def _report_outdated(
    stages: Sequence[Stage], committed: Mapping[str, dict[str, Any] | None]
) -> None:
    """Name the stages that are done again because the program has changed."""
    names = [
        stage.name
        for stage in stages
        if (document := committed[stage.name]) and document["code"] != stage.code_digest
    ]
    if names:
        sys.stderr.write(f"made by another version of Mapsight, done again: {', '.join(names)}\n")


def _contents(parts: Sequence[dict[str, Any]], folder: str) -> list[Any]:
    """What a stage's parts hold, without the name of their folder."""
    return [
        [part["name"][len(folder) + 1 :], part["bytes"], part.get("sha256") or part.get("stamp")]
        for part in parts
    ]


def _libraries() -> dict[str, str]:
    import ai_edge_litert
    import numpy
    import PIL
    import pyarrow

    return {
        "ai-edge-litert": getattr(ai_edge_litert, "__version__", ""),
        "numpy": numpy.__version__,
        "pillow": PIL.__version__,
        "pyarrow": pyarrow.__version__,
    }
