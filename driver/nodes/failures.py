"""Telling why a task or a job failed, from what Python, Hadoop and YARN said."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["TaskFailure", "python_error", "why_ended", "why_exited", "why_refused"]

LAST_LINE = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt)\b")
NAMED = "mapsight.task_errors.TaskError: "
SIGNALS = {
    131: "it was ended (SIGQUIT)",
    134: "it aborted (SIGABRT)",
    135: "it crashed (SIGBUS)",
    136: "it crashed (SIGFPE)",
    137: "it was killed (SIGKILL): often because the node had no memory left",
    139: "it crashed (SIGSEGV)",
    143: "it was ended (SIGTERM)",
}


@dataclass(frozen=True)
class TaskFailure:
    """Why a job failed: a line for people, what the task said, and which attempt it was.

    `vague`: only a status is known.
    """

    line: str
    detail: str = ""
    attempt: str = ""
    vague: bool = False


def python_error(text: str) -> str | None:
    """Return the line under the last traceback in a log: the exception's type and message.

    >>> python_error("noise\\nTraceback (most recent call last):\\n  File …\\nKeyError: 7\\nmore")
    'KeyError: 7'
    """
    lines = text.splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith("Traceback (most")]
    if heads:  # its frames are indented
        below = (line for line in lines[heads[-1] + 1 :] if line[:1].strip())
    else:  # a syntax error, or the head was cut off
        below = (line for line in reversed(lines) if LAST_LINE.match(line))
    line = next(below, None)
    return line.removeprefix(NAMED) if line else None


Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def _rule(pattern: str, line: str | Callable[[re.Match[str]], str]) -> Rule:
    """Return a pattern and what to say; `{name}` in a text stands for a group."""
    text = line if callable(line) else lambda match: str(line).format(**match.groupdict(""))
    return re.compile(pattern, re.IGNORECASE | re.DOTALL), text


def _memory(match: re.Match[str]) -> str:
    kind = match["kind"].lower()
    used, limit = match["used"], match["limit"]
    if kind == "virtual":
        used, limit = match["virtual_used"], match["virtual_limit"]
    return f"YARN ended it because it used {used} of {limit} {kind} memory"


ENDED = (
    _rule(
        r"beyond (?:the )?'?(?P<kind>physical|virtual)'? memory limits?\. Current usage: "
        r"(?P<used>[\d.]+ ?\w+) of (?P<limit>[\d.]+ ?\w+) physical memory used; "
        r"(?P<virtual_used>[\d.]+ ?\w+) of (?P<virtual_limit>[\d.]+ ?\w+) virtual",
        _memory,
    ),
    _rule(
        r"Timed out after (?P<seconds>\d+) secs"
        r"|timeout set: (?P<set>\d+)s, task(?:TimedOut|Stuck): true",
        "it said nothing for {seconds}{set} s, and Hadoop ended it (mapreduce.task.timeout)",
    ),
    _rule(
        r'Cannot run program "(?P<python>[^"]*python[^"]*)".{0,300}?No such file',
        "its node has no {python}: nodes need it on their PATH, or name another with --node-python",
    ),
    _rule(r"released on a \*?lost\*? node|node .{0,100}(?:is|was) lost", "its node was lost"),
    _rule(
        r"(?P<kind>DSQuota|NSQuota|QuotaByStorageType)ExceededException\)?: (?:[\w.]+: )?"
        r"The (?P<what>[^\n]{1,80}?) of (?:directory )?(?P<folder>\S+) is exceeded: "
        r"(?P<numbers>[^\n]{0,150})",
        "the HDFS quota of {folder} is used up ({numbers})",
    ),
    _rule(
        r"(?:DSQuota|NSQuota|QuotaByStorageType)ExceededException",
        "an HDFS quota is used up",
    ),
    _rule(
        r"could only be (?:written|replicated) to 0 .{0,80}?node",
        "HDFS has no room left, or none of its DataNodes answers",
    ),
    _rule(
        r"No space (?:left on device|available in any of the local directories)"
        r"|Could not find any valid local directory",
        "no space is left on the disks of its node",
    ),
)

REFUSED = (
    _rule(
        r"Output directory (?P<folder>\S+) already exists",
        "the output folder {folder} exists already",
    ),
    _rule(r"Input path does not exist: (?P<path>\S+)", "there is no input {path}"),
    _rule(
        r"submitted by user (?P<user>\S+) to unknown queue: (?P<queue>\S+)",
        "YARN has no queue {queue} (mapreduce.job.queuename)",
    ),
    _rule(
        r"user (?P<user>\S+) (?:does not have permission to|cannot) submit \S+ to queue "
        r"(?P<queue>[^\s.]+)",
        "{user} may not use the queue {queue} (mapreduce.job.queuename)",
    ),
    _rule(
        r"Permission denied: user=(?P<user>[^,\s]+), access=(?P<access>\w+), "
        r'inode="(?P<path>[^"]+)"',
        "{user} may not use {path} in HDFS (access {access} denied)",
    ),
    _rule(
        r"AccessControlException: (?P<why>[^\n]{1,200})",
        "access denied: {why}",
    ),
    _rule(
        r"Invalid resource request.{0,200}?Requested resource=<memory:(?P<wanted>\d+)"
        r".{0,400}?maximum allowed allocation=<memory:(?P<most>\d+)",
        "a task asks for {wanted} MB of memory and the cluster gives {most} MB at most"
        " (mapreduce.map.memory.mb, mapreduce.reduce.memory.mb)",
    ),
    _rule(
        r"(?:map|reduce)Resource\w*: ?<?(?:memory:)?(?P<wanted>\d+)"
        r".{0,40}?maxContainerCapability: ?<?(?:memory:)?(?P<most>\d+)",
        "a task asks for {wanted} MB of memory and the cluster gives {most} MB at most"
        " (mapreduce.map.memory.mb, mapreduce.reduce.memory.mb)",
    ),
    _rule(r"SafeModeException|Name node is in safe mode", "HDFS is in safe mode: it only reads"),
    _rule(
        r"Call From \S+ to (?P<where>\S+) failed on connection exception",
        "no answer from {where}: is the cluster up, and is this its configuration?",
    ),
    _rule(
        r"Client cannot authenticate via|No valid credentials provided",
        "the cluster asks for a Kerberos ticket: kinit brings one",
    ),
    _rule(
        r"due to AM Container for \S+ exited with\s+exitCode: (?P<status>-?\d+)"
        r"(?:.{0,4000}?application tracking page: (?P<url>\S+))?",
        "the master of the job ended with status {status} before it could do anything: see {url}",
    ),
    _rule(
        r"due to ApplicationMaster for attempt \S+ timed out",
        "the master of the job was not heard of for too long: its node is overloaded or lost",
    ),
    _rule(
        r"failed with state KILLED due to: (?P<why>[^\n]{0,200})",
        "it was ended from outside: {why}",
    ),
)


def _first(rules: tuple[Rule, ...], text: str) -> str | None:
    for pattern, line in rules:
        if match := pattern.search(text):
            return line(match)
    return None


def why_ended(diagnostics: str) -> str | None:
    """Return why YARN or Hadoop ended a task, where they know better than the task itself."""
    return _first(ENDED, diagnostics)


def why_refused(log: str) -> str | None:
    """Return why a job never started, or was ended as a whole, by what `hadoop jar` said."""
    line = _first(ENDED + REFUSED, log)
    master = "AM Container" in log and "memory" in (line or "")
    return f"the job's master: {line}: raise yarn.app.mapreduce.am.resource.mb" if master else line


def why_exited(diagnostics: str, stderr: str) -> str | None:
    """Return what the exit status of a task says that left no traceback."""
    found = re.search(r"subprocess failed with code (\d+)|exit ?code:? (\d+)", diagnostics, re.I)
    code = int(found[1] or found[2]) if found else 0
    missing = re.search(r"(\S+): (?:command )?not found", stderr)
    if code == 127 and missing and "python" in missing[1]:
        return (
            f"its node has no {missing[1]}: nodes need it on their PATH, or name another"
            " with --node-python"
        )
    if code in (126, 127):
        return f"its node cannot run the command (status {code}): {_last(stderr)}"
    return SIGNALS.get(code) or (f"it ended with status {code}: {_last(stderr)}" if code else None)


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else "it said nothing"
