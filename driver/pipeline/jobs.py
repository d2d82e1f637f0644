"""What the driver knows of a job: the module it is in, and whether it reduces."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Job", "reducers"]

REDUCER_BYTES = 128 << 20
MOST_REDUCERS = 500


@dataclass(frozen=True)
class Job:
    """A job by the module of its class: `mr_jobs.map_features` has `MRMapFeatures`.

    `called` is what people see it called, if not by the verb of its module.
    """

    module: str
    reduces: bool = True
    called: str = ""

    @property
    def name(self) -> str:
        """Return the name of its class."""
        return "MR" + self.module.rsplit(".", 1)[-1].title().replace("_", "")

    @property
    def title(self) -> str:
        """Return what progress and clusters call it."""
        return self.called or self.module.rsplit(".", 1)[-1].split("_", 1)[0]

    @property
    def path(self) -> str:
        """Return its file, relative to the project."""
        return self.module.replace(".", "/") + ".py"


def reducers(job: Job, shuffled: int) -> int:
    """Return how many reducers a job has on a cluster, by the bytes that go to them.

    0 for maps alone.
    """
    if not job.reduces:
        return 0
    return min(max(math.ceil(shuffled / REDUCER_BYTES), 1), MOST_REDUCERS)
