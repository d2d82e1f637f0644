"""mrjob's hadoop runner, made to start no Java for a file and to end with the driver."""

from __future__ import annotations

import mrjob.hadoop

from driver.hadoop.mrjob_files import HadoopFiles
from driver.hadoop.submitted_jobs import named_at_once

__all__ = ["install"]


def install() -> None:
    """Let mrjob's hadoop runner in this process work so."""
    # in a terminal of its own `hadoop jar` would be in a session of its own, and outlive us
    mrjob.hadoop.pty = None
    mrjob.hadoop.HadoopFilesystem = HadoopFiles
    read = mrjob.hadoop._interpret_hadoop_jar_command_stderr
    mrjob.hadoop._interpret_hadoop_jar_command_stderr = named_at_once(read)
