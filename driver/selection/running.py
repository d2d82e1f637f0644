"""Jobs for `select`: a run that begins with the first of them."""

from __future__ import annotations

import contextlib
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from driver.pipeline.pipeline import Pipeline
from driver.pipeline.typed_options import TypedOptions
from driver.runners import check_runner, pipeline_of
from driver.workspace.workspace import SEARCH, Workspace

__all__ = ["running"]


@contextlib.contextmanager
def running(options: Namespace) -> Iterator[Pipeline]:
    """A run over the workspace that the options name, which it does not hold."""
    check_runner(options)
    with tempfile.TemporaryDirectory(prefix="mapsight-select-") as scratch:
        workspace = Workspace(options.workspace, SEARCH)
        run = pipeline_of(TypedOptions(options), workspace, Path(scratch))
        with run.attended(alone=False):
            yield run
