"""Starting a Python program that imports nothing from the folder one stands in.

`python -m` and `python -c` put that folder first where Python looks for modules, and an empty
or relative entry of PYTHONPATH means it too: a `json.py` beside downloaded pictures would be
executed. (`-P` and PYTHONSAFEPATH are only there from Python 3.11 on.)
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

from mapsight.application import APPLICATION, LIBRARY

__all__ = [
    "clean_environment",
    "end_with",
    "kill_group",
    "module_command",
    "name_process",
    "python_path",
]

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
ROOT = Path(LIBRARY).parent
"""Where this package is found."""
BEGIN = (
    "import sys; sys.path[:] = [p for p in sys.path if p not in ('', '.')]; import runpy; "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)
"""`sys` is built in: nothing is looked for before the path is clean."""


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module as `python -m` does, but for the current folder."""
    return [sys.executable, "-c", BEGIN, module, *arguments]


def python_path(*entries: str | Path) -> str:
    """Return a PYTHONPATH of the absolute ones of some folders, each once."""
    absolute = (str(entry) for entry in entries if Path(entry).is_absolute())
    return os.pathsep.join(dict.fromkeys(absolute))


def clean_environment(**variables: str) -> dict[str, str]:
    """Return the environment of a child, which finds this package and the driver around it.

    It does not look into the current folder.

    Args:
        variables: that are set beside those of this process.
    """
    usual = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return {**os.environ, "PYTHONPATH": python_path(ROOT, APPLICATION, *usual), **variables}


def kill_group(pid: int) -> None:
    """Kill a process and the group that it leads or is about to lead, if they are there."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def name_process(name: str) -> None:
    """Have `top` and `ps -o comm` show this name, on Linux; 15 letters at most."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode())


def end_with(parent: int) -> None:
    """Have this process killed when the one that forked it ends, on Linux; at once if it has."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
