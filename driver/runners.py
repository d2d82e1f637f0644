"""What a runner needs before it can be used."""

from __future__ import annotations

import os
import shutil
from argparse import Namespace
from pathlib import Path

from driver.errors import UsageError

__all__ = ["check_runner"]


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
