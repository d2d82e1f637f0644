"""One job as a step of EMR: a script that runs it, and tells at once what became of it.

EMR copies the logs of a step to S3 every five minutes; a job of half a minute would wait for
its counters. A step may name 10,240 characters of arguments; a hundred part files are more.
So the step is a script on S3, which runs `hadoop-streaming`, and puts beside it what that said
(`said.txt`) and, of a job that failed, the tracebacks of its tasks (`task.txt`).
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from typing import Any

__all__ = ["SAID", "TASK", "install", "script"]

SAID, TASK = "said.txt", "task.txt"
JAR = "command-runner.jar"
FETCH = 'aws s3 cp --only-show-errors "$0" step.sh && exec bash step.sh'
PERCENT = re.compile(r"map (\d+)% reduce (\d+)%")

SCRIPT = """\
#!/bin/bash
# a step of mapsight
place={place} tag={tag} python={python}
said=$PWD/{said} task=$PWD/{task}
: > "$said"
tell() {{ aws s3 cp --only-show-errors "$1" "$place${{1##*/}}"; }}
applications() {{ grep -ao 'application_[0-9]*_[0-9]*' "$said" | sort -u; }}
ended() {{
  for each in $(applications); do yarn application -kill "$each"; done
  exit 143
}}
trap ended TERM INT
# what hadoop says is read: to stderr, not into a file of EMR
export HADOOP_ROOT_LOGGER=INFO,console
if ! command -v "$python" > /dev/null; then
  echo "mapsight: the cluster has no $python" > "$said"; tell "$said"; exit 1
fi
{command} 2>> "$said" &
job=$!
while sleep 1; kill -0 $job 2> /dev/null; do
  [ $((SECONDS % {every})) = 0 ] && tell "$said"
done
wait $job
status=$?
syslog=/mnt/var/log/hadoop/steps/${{PWD##*/}}/syslog
grep -aq 'Counters: ' "$said" || cat "$syslog" >> "$said" 2> /dev/null
cat "$said" >&2
if [ $status != 0 ]; then
  for each in $(applications); do
    yarn logs -applicationId "$each" -log_files stderr 2> /dev/null
  done | grep -a -A 60 'Traceback (most recent call last)' | tail -c 40000 > "$task"
  tell "$task"
fi
tell "$said" || exit 1
exit $status
"""
EVERY = 20
"""Seconds after which a running job's percentages are told."""


def script(command: Sequence[str], place: str, tag: str, python: str) -> str:
    """Return the shell script of a step.

    Args:
        command: the job, as arguments.
        place: an S3 folder, with a slash at its end, where what was said goes.
        tag: of the run, for people who look at the cluster.
        python: the interpreter that tasks need.
    """
    return SCRIPT.format(
        place=shlex.quote(place),
        tag=shlex.quote(tag),
        python=shlex.quote(python),
        command=shlex.join(command),
        said=SAID,
        task=TASK,
        every=EVERY,
    )


def _step(runner: Any, number: int) -> dict[str, Any]:
    """Return what EMR is asked to run for a step of a job; its script is put on S3."""
    command = ["hadoop-streaming", *runner._hadoop_streaming_jar_args(number)]
    text = script(command, runner._cloud_tmp_dir, runner._job_key, runner._task_python_bin()[0])
    path = os.path.join(runner._get_local_tmp_dir(), f"step-{number}.sh")  # noqa: PTH118
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
    address = f"{runner._cloud_tmp_dir}step-{number}.sh"
    if not runner.fs.exists(address):
        runner.fs.put(path, address)
    return {"Jar": JAR, "Args": ["bash", "-c", FETCH, address]}


def _said(runner: Any) -> str:
    """Return what `hadoop-streaming` has said so far; nothing while it has not."""
    try:
        return b"".join(runner.fs.cat(runner._cloud_tmp_dir + SAID)).decode("utf-8", "replace")
    except OSError:
        return ""


def _count(runner: Any, found: dict[str, Any], number: int) -> None:
    """Read the counters of a step that has ended.

    Raises:
        RuntimeError: it succeeded, and told none.
    """
    from mrjob.logs.step import _interpret_hadoop_jar_command_stderr

    lines = [f"{line}\n" for line in _said(runner).splitlines()]
    found["step"] = _interpret_hadoop_jar_command_stderr(lines)
    state = runner.make_emr_client().describe_step(
        ClusterId=runner.get_cluster_id(), StepId=found["step_id"]
    )["Step"]["Status"]["State"]
    if state == "COMPLETED" and not found["step"].get("counters"):
        raise RuntimeError(f"the step told no counters; see {runner._cloud_tmp_dir}{SAID}")


def _tell_progress(runner: Any) -> None:
    from mrjob.emr import log

    if percents := PERCENT.findall(_said(runner)):
        log.info("map {}% reduce {}%".format(*percents[-1]))


def install() -> None:
    """Let mrjob's EMR runner work so."""
    from mrjob.emr import EMRJobRunner

    EMRJobRunner._streaming_step_hadoop_jar_step = _step
    EMRJobRunner._log_counters = _count
    EMRJobRunner._log_step_progress = _tell_progress
