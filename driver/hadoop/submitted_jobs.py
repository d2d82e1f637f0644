"""Jobs that `hadoop jar` is submitting, by name before YARN knows an application."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

__all__ = ["failed_in_its_master", "named_at_once", "staged"]

STAGED = re.compile(rb"(?:/\.staging/|Submitting tokens for job: )(job_\d+_\d+)\b")
ONE_MAP = re.compile(rb"number of splits:1\b")
IN_CONTAINERS = b"running in uber mode : false"
FAILED = re.compile(rb"failed with state FAILED|FinalApplicationStatus=FAILED")
NAMED = re.compile(rb"^submitting (job_\d+_\d+)$", re.M)


def named_at_once(read: Callable[..., Any]) -> Callable[..., Any]:
    """Return what reads the log of `hadoop jar`, and names the jobs in it on standard error.

    mrjob logs a line when the next one has come, which is after files were copied.
    """
    return lambda lines, **options: read(_naming(lines), **options)


def _naming(lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        for job in STAGED.findall(line):
            sys.stderr.write(f"submitting {job.decode()}\n")
        yield line


def staged(scratch: Path) -> list[str]:
    """Return the ids of the jobs that were so named, by the logs in a run's scratch folder."""
    logs = (path.read_bytes() for path in sorted(scratch.glob("job-*/log")))
    return list(dict.fromkeys(job.decode() for log in logs for job in NAMED.findall(log)))


def failed_in_its_master(log: Path) -> bool:
    """Return whether a job failed, not killed by somebody, whose tasks may have had no containers.

    The log of one that failed before `hadoop jar` asked for it does not say where they ran.
    """
    text = log.read_bytes() if log.is_file() else b""
    return bool(ONE_MAP.search(text) and FAILED.search(text)) and IN_CONTAINERS not in text
