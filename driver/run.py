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

import signal
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from mapsight.text import plain


def _lacking(error: ModuleNotFoundError) -> str:
    """What to do where Mapsight's requirements are not installed."""
    from mapsight.extras import advice

    return f"mapsight: error: {sys.executable} has no {error.name}: {advice([error.name or ''])}\n"


try:
    from driver.errors import Failure, UsageError
    from driver.needs import check_needs
    from driver.streams import finish_output, mend_streams
    from driver.unwritable import GONE, reason_of, stands, watch_folder
    from mapsight.redaction import without_secrets
except ModuleNotFoundError as error:
    sys.exit(_lacking(error).rstrip())

__all__ = ["command", "main"]

TELLING = ("search", "status", "model", "plan", "compare", "evaluate-index")
"""Commands that are for what they write to standard output."""


class _Terminated(BaseException):
    """SIGTERM or SIGHUP."""


def _terminate(number: int, frame: FrameType | None) -> None:
    raise _Terminated(signal.Signals(number).name)


def _perform(options: Namespace, command: str) -> int:
    if options.command == "search":
        from driver.commands.search import search

        return search(options)
    if options.command == "add":
        from driver.commands.add import add

        return add(options)
    if options.command == "remove":
        from driver.commands.remove import remove

        return remove(options)
    if options.command == "duplicates":
        from driver.commands.duplicates import duplicates

        return duplicates(options)
    if options.command == "evaluate-index":
        from driver.commands.evaluate_index import evaluate_index

        return evaluate_index(options)
    if options.command == "export":
        from driver.commands.export import export

        return export(options)
    if options.command == "fetch":
        from driver.commands.fetch import fetch

        return fetch(options)
    if options.command == "pack":
        from driver.commands.pack import pack

        return pack(options)
    if options.command == "plan":
        from driver.commands.plan import plan

        return plan(options)
    if options.command == "compare":
        from driver.commands.compare import compare

        return compare(options)
    from driver.commands import run as commands

    if options.command == "run":
        return commands.run(options, command)
    return {
        "status": commands.status,
        "report": commands.report,
        "model": commands.model,
    }[options.command](options)


def _check_standing(workspace: str) -> None:
    """Refuse a workspace in a folder that was deleted, and remember another for messages."""
    if workspace and not (stands() or "://" in workspace or Path(workspace).is_absolute()):
        raise UsageError(f"--workspace {workspace}: {GONE}")
    watch_folder(workspace)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status: 0 done, 1 failed, 2 not understood."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    prog = "mapsight" if Path(sys.argv[0]).name == "mapsight" else "python driver/run.py"
    debug = "--debug" in arguments
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(number, _terminate)
    try:
        from driver.options.groups import parse

        options = parse(arguments, prog)
        check_needs(options)
        _check_standing(getattr(options, "workspace", ""))
        status = _perform(options, " ".join([prog, *arguments]))
        lost = finish_output(needed=options.command in TELLING and not getattr(options, "out", ""))
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
    status = main()
    sys.stderr.flush()
    # all is done: libraries that end their threads now may abort (seen once in 2,000 runs)
    os._exit(status)


if __name__ == "__main__":
    command()
