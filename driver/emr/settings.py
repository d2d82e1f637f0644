"""What EMR is told of machines: from mrjob.conf, the user's file and the command line."""

from __future__ import annotations

import itertools
import platform
import re
import sys
from typing import Any

from driver.errors import Failure, UsageError
from driver.nodes.cluster import python_name
from driver.pipeline.cluster import RunnerOptions, runner_settings

__all__ = [
    "BOOTSTRAP",
    "GLIBC",
    "S3",
    "check_instances",
    "check_machine",
    "conf_paths",
    "instances",
    "settings",
]

S3 = "s3fs>=2024.2,<2027"
"""What tasks read s3:// with, beside what all nodes need."""
GLIBC = (2, 34)
"""Of Amazon Linux 2023, which EMR 7 runs on."""
PYTHONS = ((3, 11), (3, 12), (3, 13), (3, 14))
"""What Amazon Linux 2023 packages; 3.11 is in the image of EMR 7, the others by dnf."""
ARM = re.compile(r"[a-z]+\d+g[a-z]*\.")
BOOTSTRAP = "command -v {python} || sudo dnf install -y {python}"


def check_machine() -> None:
    """Refuse a machine on which nothing can be packed for Amazon Linux 2023.

    Raises:
        UsageError: it has another system or no such Python.
    """
    if sys.version_info[:2] not in PYTHONS:
        versions = ", ".join(f"{major}.{minor}" for major, minor in PYTHONS)
        raise UsageError(
            f"-r emr: EMR's machines have no {python_name()}; use one of {versions} here"
        )
    if platform.system() != "Linux":
        raise UsageError(
            f"-r emr: libraries are packed for the machine this runs on, {platform.system()};"
            " run it on Linux"
        )


def check_instances(runner: Any) -> None:
    """Refuse instances with another kind of processor than libraries are packed for."""
    for group in runner._instance_groups():
        arm = bool(ARM.match(group.get("InstanceType", "")))
        if arm != (platform.machine() in ("aarch64", "arm64")):
            raise Failure(
                f"EMR: libraries are packed for {platform.machine()} here, but"
                f" {group['InstanceType']} is {'arm64' if arm else 'x86_64'}"
            )


def conf_paths(own: str | None) -> list[str]:
    flags = runner_settings("emr", own)
    return [value for flag, value in itertools.pairwise(flags) if flag == "--conf-path"]


def settings(own: str | None) -> dict[str, Any]:
    """Return the emr section of all configuration files; the last one wins."""
    from mrjob.conf import load_opts_from_mrjob_confs

    found: dict[str, Any] = {}
    for _, options in load_opts_from_mrjob_confs("emr", conf_paths(own)):
        found |= options
    return found


def instances(options: RunnerOptions) -> dict[str, Any]:
    """Return what the command line says of machines, in mrjob's words.

    With --spot all but one of the core machines are task machines at that price: they
    hold no HDFS, and the tasks of one that is taken away are run again.
    """
    found: dict[str, Any] = {}
    if options.instance_type:
        found |= dict.fromkeys(("core_instance_type", "task_instance_type"), options.instance_type)
    count = options.num_core_instances
    if options.spot:
        found["task_instance_bid_price"] = str(options.spot)
        found |= {"num_core_instances": 1, "num_task_instances": max((count or 2) - 1, 1)}
    elif count:
        found["num_core_instances"] = count
    return found
