"""A stage: a module that says what it needs, which jobs it runs, and how it is performed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from driver.errors import Failure
from driver.pipeline.fingerprint import code_digest, definition_of
from driver.pipeline.jobs import Job

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["Outcome", "Stage", "StageReport", "require"]


@dataclass
class Outcome:
    """What a stage did: `counters` by group and name, `notes` small facts for later stages."""

    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


def _nothing(run: Pipeline) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Stage:
    """A step of the pipeline, called as the module that it is.

    `needs` are the stages whose output it reads; `jobs` those it may run, and `data` the files of
    this project that it reads, but for tables of `mapsight/data`, which count where code names
    them: they decide its outcome, with what `perform` reaches by the names it uses; `identity`
    gives the options and outside facts that do. `perform` writes its parts into a folder of the
    workspace, named relative to it. `check` is called after it, also when it was not run again;
    `unfinished` tells of a committed outcome that it may get better. What is `published` is held
    to its checksums by every run, and made again. `after_all`: it tells of all stages before it.
    """

    module: str
    perform: Callable[[Pipeline, str], Outcome]
    needs: tuple[str, ...] = ()
    jobs: tuple[Job, ...] = ()
    data: tuple[str, ...] = ()
    identity: Callable[[Pipeline], dict[str, Any]] = _nothing
    check: Callable[[Pipeline], None] | None = None
    unfinished: Callable[[dict[str, Any]], bool] | None = None
    steps: bool = False
    published: bool = False
    after_all: bool = False

    @property
    def name(self) -> str:
        """Return what it is called in the workspace, on the command line and in messages."""
        return self.module.rsplit(".", 1)[-1]

    @property
    def code_digest(self) -> str:
        """Return a digest of all code and data of this project that can change its outcome."""
        jobs = (job.path for job in self.jobs)
        return code_digest(definition_of(self.perform), *jobs, *self.data)


@dataclass(frozen=True)
class StageReport:
    """How a stage ended, for the summary; `cost` is that of its jobs, see `Cost`."""

    name: str
    seconds: float
    skipped: bool
    counters: dict[str, dict[str, int]]
    cost: dict[str, float | int] = field(default_factory=dict)


def require(condition: bool, message: str) -> None:
    """Raise Failure with a message unless the condition holds."""
    if not condition:
        raise Failure(message)
