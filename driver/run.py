"""Mapsight's command line.

python driver/run.py [-r inline|local|hadoop|emr] [options]
python driver/run.py search|add|evaluate-index|duplicates|fetch|export [options]
python driver/run.py remove|status|report|model|pack|plan|compare [options]
"""

# ruff: noqa: E402, PTH117, PTH120 # nothing is imported before the path is clean

import os
import sys


def _settle_import_path() -> None:
    """Look for modules in this project, and never in the folder one stands in.

    An empty or relative entry of PYTHONPATH means that folder, where a `json.py` may lie
    (`os` and `sys` are there when Python starts).
    """
    folder = os.path.dirname(os.path.realpath(__file__))
    root = os.path.dirname(folder)
    usual = os.environ.get("PYTHONPATH")
    if usual:
        absolute = [entry for entry in usual.split(os.pathsep) if os.path.isabs(entry)]
        try:
            relative = {*map(os.path.abspath, usual.split(os.pathsep))} - {*absolute, root}
        except OSError:  # the folder was deleted: nothing is found in it
            relative = set()
        sys.path[:] = [entry for entry in sys.path if entry not in relative]
        os.environ["PYTHONPATH"] = os.pathsep.join(absolute)
    if __package__ in (None, ""):
        sys.path[:] = [root, *(entry for entry in sys.path if entry != folder)]


_settle_import_path()

import shlex
import signal
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from mapsight.application import without_pandas
from mapsight.text import plain


def _lacking(error: ModuleNotFoundError) -> str:
    """What to do where Mapsight's requirements are not installed."""
    from mapsight.extras import advice

    return f"mapsight: error: {sys.executable} has no {error.name}: {advice([error.name or ''])}\n"


try:
    from driver.errors import Failure, UsageError
    from driver.needs import check_needs
    from driver.parser import command_of, parse
    from driver.streams import finish_output, mend_streams
    from driver.unwritable import GONE, reason_of, stands, watch_folder
    from mapsight.redaction import without_secrets
except ModuleNotFoundError as error:
    sys.exit(_lacking(error).rstrip())

__all__ = ["command", "main", "perform"]


class _Terminated(BaseException):
    """SIGTERM or SIGHUP."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated(signal.Signals(number).name)


def _check_standing(workspace: str) -> None:
    """Refuse a workspace in a folder that was deleted, and remember another for messages."""
    if workspace and not (stands() or "://" in workspace or Path(workspace).is_absolute()):
        raise UsageError(f"--workspace {workspace}: {GONE}")
    watch_folder(workspace)


def _called(script: str) -> str:
    """Return how the program was called: as a script of the checkout, or as the command."""
    here = Path(script).name == Path(__file__).name
    return f"python {shlex.quote(script)}" if here else "mapsight"


def perform(arguments: Sequence[str], prog: str) -> tuple[Namespace, int]:
    """Run a command; return its options and exit status.

    Raises:
        UsageError: the arguments cannot be understood.
        Failure: what the command says if it fails.
    """
    options = parse(arguments, prog)
    chosen = command_of(options.command)
    check_needs(chosen.NEEDS, options)
    _check_standing(getattr(options, "workspace", ""))
    options.command_line = " ".join([prog, *arguments])
    return options, chosen.run(options)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0 done, 1 failed, 2 not understood."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    prog = _called(sys.argv[0])
    debug = "--debug" in arguments
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, _terminate)
    try:
        options, status = perform(arguments, prog)
        chosen = command_of(options.command)
        lost = finish_output(needed=chosen.FOR_OUTPUT and not getattr(options, "out", ""))
        return status or lost
    except Failure as error:
        more = " (--debug shows the traceback)" if error.detail and not debug else ""
        sys.stderr.write(f"mapsight: error: {plain(str(error))}{more}\n")
        if debug:
            sys.stderr.write(f"{error.detail}\n")
            raise
        return error.exit_status
    except (KeyboardInterrupt, _Terminated) as stop:
        why = str(stop) or "Ctrl-C"
        sys.stderr.write(f"mapsight: stopped ({why}); finished stages are kept, run again\n")
        return 130
    except BrokenPipeError:
        return 1
    except Exception as error:
        if debug:
            raise
        if isinstance(error, ModuleNotFoundError):
            sys.stderr.write(_lacking(error))
            return 1
        reason = plain(without_secrets(reason_of(error)))
        sys.stderr.write(f"mapsight: error: {reason} (--debug shows the traceback)\n")
        return 1


def command() -> NoReturn:
    """Run the command line's command, and end this process."""
    mend_streams()
    without_pandas()
    status = main()
    if server := sys.modules.get("driver.pipeline.job_server"):
        server.close_job_server()
    sys.stderr.flush()
    # all is done: libraries that end their threads now may abort (seen once in 2,000 runs)
    os._exit(status)


if __name__ == "__main__":
    command()
