"""Children that are forked: they go on as a program that has just started would.

Only processes without threads fork them, for a lock that a thread holds stays locked in the child.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping

from mapsight.python_child import end_with, name_process

__all__ = ["fork", "use_environment", "use_streams"]

SIGNALS = (signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def fork(live: Callable[[], int], name: str) -> int:
    """Fork a child that ends with the status that `live` returns; return its process id.

    The child is killed when this process ends (on Linux). An exception in it is printed to its
    standard error, and its status is 1. On Linux, `name` is what `top` and `ps -o comm` show of it.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    if pid := os.fork():
        return pid
    status = 1
    try:
        gc.freeze()
        end_with(parent)
        name_process(name)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        status = live()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def use_streams(stdin: int, stdout: int, stderr: int) -> None:
    """Have these descriptors as standard streams, of text in UTF-8."""
    for number, descriptor in enumerate((stdin, stdout, stderr)):
        os.dup2(descriptor, number)
    sys.stdin = os.fdopen(0, "r", encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(
        2, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False
    )


def use_environment(variables: Mapping[str, str], folder: str) -> None:
    """Have these environment variables and working folder, and what Python makes of them."""
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    tempfile.tempdir = None
    entries = filter(os.path.isabs, variables.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:0] = [entry for entry in entries if entry not in sys.path]
    for logger in (logging.getLogger(), logging.getLogger("mrjob")):
        logger.handlers.clear()
