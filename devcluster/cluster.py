"""A real HDFS and YARN on this machine, for tests and trials.

python devcluster/cluster.py up [--nodes 2]       start it, back when it is ready
python devcluster/cluster.py status               what runs, and where
eval "$(python devcluster/cluster.py env)"        make `hadoop` usable in this shell
python devcluster/cluster.py down                 end it and remove its folder
python devcluster/cluster.py kill nodemanager 1   an accident; start undoes it
"""

from __future__ import annotations

import argparse
import functools
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

sys.path[:1] = (
    [str(Path(__file__).resolve().parent.parent)] if __package__ in (None, "") else sys.path[:1]
)

from devcluster import daemons  # noqa: E402
from devcluster.errors import ClusterError  # noqa: E402
from devcluster.lifecycle import NODE_PATH, Cluster  # noqa: E402
from devcluster.processes import wait_for_end  # noqa: E402
from devcluster.state import State, default_folder  # noqa: E402

__all__ = ["main"]


def _out(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _up(cluster: Cluster, options: argparse.Namespace) -> int:
    started = cluster.up(
        options.nodes, options.first_port, options.memory, options.vcores, options.path
    )
    word = "ready" if started else "running already"
    _out(f"{word}: {options.nodes} nodes at {cluster.folder}")
    return 0


def _status(cluster: Cluster, options: argparse.Namespace) -> int:
    known = State.load(cluster.folder)
    if known is None:
        _out(f"no cluster at {cluster.folder}")
        return 1
    lacking = False
    for name in daemons.all_names(known.plan.nodes):
        process = known.running.get(name)
        lacks = daemons.waits_for(known.plan, name) if process else "dead"
        lacking |= bool(lacks)
        about = f"pid {process.pid}, {process.rss >> 20} MiB" if process else ""
        _out(f"{name:16} {lacks or 'ready':8} {about}".rstrip())
    for name in ("namenode", "resourcemanager", "historyserver"):
        _out(f"{name:16} {known.plan.master_url(name)}")
    return int(lacking)


def _env(cluster: Cluster, options: argparse.Namespace) -> int:
    variables = cluster.environment()
    path = variables.pop("PATH")
    for name, value in variables.items():
        _out(f"export {name}={shlex.quote(value)}")
    _out(f'export PATH={shlex.quote(path)}:"$PATH"')
    return 0


def _down(cluster: Cluster, options: argparse.Namespace) -> int:
    if options.after:
        wait_for_end(options.after)
    was_there = cluster.down(options.keep)
    _out("ended" if was_there else f"no cluster at {cluster.folder}")
    return 0


def _kill(cluster: Cluster, options: argparse.Namespace) -> int:
    cluster.kill(" ".join(options.daemon))
    return 0


def _start(cluster: Cluster, options: argparse.Namespace) -> int:
    cluster.start(" ".join(options.daemon))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cluster.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=default_folder(),
        help="the cluster's folder (default: $MAPSIGHT_CLUSTER, else %(default)s)",
    )
    after = argparse.ArgumentParser(add_help=False)  # --state may also follow the command
    after.add_argument("--state", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add = functools.partial(commands.add_parser, parents=[after])
    up = add("up", help="start it; daemons that died are started again")
    up.set_defaults(perform=_up)
    up.add_argument("--nodes", type=_positive, default=2)
    up.add_argument("--first-port", type=_positive, help="default: free ones are found")
    up.add_argument("--memory", type=_positive, default=3072, help="MiB of a node for containers")
    up.add_argument("--vcores", type=_positive, default=2, help="of a node")
    up.add_argument("--path", default=NODE_PATH, help="PATH of the nodes (default: %(default)s)")
    add("status", help="what runs; exit status 1 unless all do").set_defaults(perform=_status)
    add("env", help="shell commands to eval").set_defaults(perform=_env)
    down = add("down", help="end it and remove its folder")
    down.set_defaults(perform=_down)
    down.add_argument("--after", type=_positive, metavar="PID", help="when this process has ended")
    down.add_argument("--keep", action="store_true", help="leave the folder for another up")
    for name, perform in (("kill", _kill), ("start", _start)):
        command = add(name, help=f"{name} a daemon: nodemanager 1, namenode, ...")
        command.set_defaults(perform=perform)
        command.add_argument("daemon", nargs="+")
    return parser


def _terminate(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Perform a command; 0, or 1 with one line on standard error, 130 when interrupted."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return options.perform(Cluster(options.state, _say), options)
    except ClusterError as error:
        _say(f"cluster.py: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
