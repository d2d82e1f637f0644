"""Runners by name: what each needs before it can be used, and the cluster that it is."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from driver.errors import UsageError
from driver.pipeline.cluster import Cluster, RunnerOptions, ThisMachine

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline
    from driver.pipeline.typed_options import TypedOptions
    from driver.workspace.workspace import Workspace

__all__ = ["check_runner", "pipeline_of"]


def pipeline_of(
    options: TypedOptions,
    workspace: Workspace,
    scratch: Path | None = None,
    home: Workspace | None = None,
) -> Pipeline:
    """Return a `Pipeline` of these arguments, with the cluster that its options name."""
    from driver.pipeline.pipeline import Pipeline

    home, scratch = home or workspace, scratch or workspace.scratch
    cluster = _cluster(options[RunnerOptions], home, scratch)
    return Pipeline(options, workspace, cluster, scratch, home)


def _cluster(options: RunnerOptions, workspace: Workspace, scratch: Path) -> Cluster:
    if options.runner == "hadoop":
        from driver.hadoop.cluster import HadoopCluster

        return HadoopCluster(options, workspace, scratch)
    if options.runner == "emr":
        from driver.emr.cluster import EmrCluster

        return EmrCluster(options, workspace)
    return ThisMachine(options)


def check_runner(options: Namespace) -> None:
    """Refuse a runner that cannot work here, saying what is missing.

    Raises:
        UsageError: no `hadoop`, or a workspace that the cluster cannot see.
    """
    if options.runner == "hadoop":
        home = os.environ.get("HADOOP_HOME", "")
        if not (shutil.which("hadoop") or Path(home, "bin", "hadoop").is_file()):
            raise UsageError("-r hadoop: no hadoop command; put it on PATH or set HADOOP_HOME")
    if options.runner == "emr":
        _check_emr(options)
    here = "://" not in options.workspace or options.workspace.startswith("file:")
    if options.runner in ("hadoop", "emr") and here:
        kind = "hdfs:///user/you/mapsight" if options.runner == "hadoop" else "s3://bucket/mapsight"
        raise UsageError(f"-r {options.runner}: the cluster needs a --workspace such as {kind}")


def _check_emr(options: Namespace) -> None:
    from driver.emr.settings import check_machine

    if not options.node_python:
        check_machine()
    if "://" in options.workspace and not options.workspace.startswith("s3://"):
        raise UsageError("-r emr: the cluster needs a --workspace such as s3://bucket/mapsight")
