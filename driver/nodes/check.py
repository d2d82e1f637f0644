"""Imports what tasks import, from a packed environment and Python's own library alone.

    python -I -S driver/nodes/check.py ENVIRONMENT PROJECT MODULE…

ENVIRONMENT is the unpacked folder, PROJECT the one with mapsight/ and mr_jobs/, or several
folders with `:` between them.
Ends with 1 and one line if a module cannot be imported or comes from elsewhere.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

OWN = ("mapsight", "mr_jobs")


def _expected(file: Path, places: list[Path]) -> bool:
    """Whether a module may come from here: one of the places, or Python's own library."""
    if any(place in file.parents for place in places):
        return True
    added = {"site-packages", "dist-packages"} & set(file.parts)
    return Path(os.__file__).parent in file.parents and not added


def main(environment: str, project: str, *modules: str) -> str:
    """Import the modules; what is wrong, or nothing."""
    folders = project.split(os.pathsep)
    sys.path[:0] = [environment, *folders]
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # an import may run anything
            return f"import of {name}: {type(error).__name__}: {error}"
    places = [Path(environment), *(Path(folder, name) for folder in folders for name in OWN)]
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name != "__main__" and not _expected(Path(file), places):
            return f"{name} comes from {file}, not from the archive"
    return ""


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) or 0)
