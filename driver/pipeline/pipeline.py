"""Running stages in order: skip what is done, commit what is new."""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from driver.pipeline.cluster import Cluster
from driver.pipeline.cost import Cost
from driver.pipeline.facts import Facts
from driver.pipeline.schedule import side_by_side
from driver.pipeline.stage import Stage, StageReport, require
from driver.pipeline.stage_display import StageDisplay
from driver.pipeline.stage_jobs import Jobs
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


class Pipeline(Jobs):
    """One run: the options, the workspace, and what the stages so far have found."""

    def __init__(
        self,
        options: TypedOptions,
        workspace: Workspace,
        cluster: Cluster,
        scratch: Path | None = None,
        home: Workspace | None = None,
    ) -> None:
        """Args: as of Jobs."""
        super().__init__(options, workspace, cluster, scratch, home)
        self.running = options[Running]
        self.documents: dict[str, dict[str, Any]] = {}
        self.facts = Facts()
        self.before: dict[str, Any] | None = None
        self.so_far: dict[str, Any] | None = None
        self._reports: dict[str, StageReport | None] = {}

    @property
    def reports(self) -> list[StageReport]:
        """Return how stages ended so far, in the order of the stages."""
        return [report for report in self._reports.values() if report]

    def run(self, stages: Sequence[Stage]) -> None:
        """Bring every stage up to `--until` up to date; those that need no other side by side."""
        last = next((n for n, stage in enumerate(stages) if stage.name == self.running.until), None)
        wanted = {stage.name: stage for stage in stages[: None if last is None else last + 1]}
        committed = {name: self.workspace.committed(name) for name in wanted}
        self._begin_jobs()  # not in each of several threads
        _report_outdated(list(wanted.values()), committed)
        self._reports |= dict.fromkeys(wanted)

        needs = {name: _needed(stage, list(wanted)) for name, stage in wanted.items()}
        with StageDisplay(list(wanted)) as display:

            def bring_up(name: str) -> None:
                display.start(name)
                self._view()._bring_up(wanted[name], committed[name])
                display.end(next(report for report in self.reports if report.name == name))

            side_by_side(list(wanted), needs, bring_up, self.cluster.at_once, self._stopping)

    def _view(self) -> Pipeline:
        """Return this run as one of its stages sees it, which tells others nothing of its own."""
        view = copy.copy(self)
        view.so_far, view.collected, view._applications = None, {}, []
        return view

    def _bring_up(self, stage: Stage, document: dict[str, Any] | None) -> None:
        started = time.monotonic()
        inputs = {name: self.documents[name]["digest"] for name in stage.needs}
        self.before = document
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
        self._reports[stage.name] = StageReport(
            stage.name, document["seconds"], fresh, document["counters"], document.get("cost", {})
        )
        if stage.check:
            stage.check(self)

    def _perform(
        self, stage: Stage, key: str, facts: dict[str, Any], started: float
    ) -> dict[str, Any]:
        """Perform a stage, or one step of it, that began at `started`, and commit what it made."""
        folder = self.workspace.new_folder(stage.name, key)
        performed, self._applications, self._cost = time.monotonic(), [], Cost()
        outcome = stage.perform(self, folder)
        performing = time.monotonic() - performed
        parts = self.workspace.describe(stage.name, folder)
        before = {"seconds": 0.0, "applications": [], "cost": {}, **(self.so_far or {})}
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
            "cost": asdict(Cost(**before["cost"]) + self._cost),
            "seconds": round(before["seconds"] + time.monotonic() - started, 3),
            "seconds_performing": round(performing, 3),
        }
        require(not self._stopping.is_set(), f"{stage.name}: stopped")
        self.workspace.commit(stage.name, document)
        if self.so_far:
            self.workspace.drop(stage.name, self.so_far["folder"])
        return document


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
