"""Settings of clusters that run a job of one map in its master, without containers for tasks."""

from pathlib import Path

__all__ = ["in_their_masters"]

SETTINGS = """\
runners:
  hadoop:
    jobconf:
      mapreduce.job.ubertask.enable: true
      mapreduce.job.ubertask.maxmaps: 1
      yarn.app.mapreduce.am.resource.mb: 1536
      yarn.app.mapreduce.am.env: LC_ALL=C.UTF-8
"""


def in_their_masters(path: Path) -> str:
    """Write the settings, for --mrjob-conf, and return the path."""
    path.write_text(SETTINGS)
    return str(path)
