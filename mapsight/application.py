"""The program around the library, which runs jobs: where it is, and how Python finds it.

In a checkout `driver/`, `mr_jobs/` and the other folders lie beside `mapsight/`. In a wheel they
are inside it, in `mapsight/_app`, so that an installation has no package but `mapsight`.
"""

# ruff: noqa: PTH100, PTH112, PTH113, PTH118, PTH120 # nothing is imported before the path is clean

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["APPLICATION", "LIBRARY", "checkout", "find_driver", "project_file", "without_pandas"]

LIBRARY = os.path.dirname(os.path.abspath(__file__))
"""The folder of this package; not resolved: on a node it may be a link."""
INSIDE = os.path.join(LIBRARY, "_app")
APPLICATION = INSIDE if os.path.isdir(INSIDE) else os.path.dirname(LIBRARY)
"""The folder that holds `driver/`, `mr_jobs/`, `model_cache/`, `examples/` and `mrjob.conf`."""


def checkout() -> Path | None:
    """Return the folder of the checkout; None where a wheel was installed."""
    from pathlib import Path

    return Path(APPLICATION) if os.path.isfile(os.path.join(APPLICATION, "setup.py")) else None


def project_file(name: str) -> Path:
    """Return the path of a file or folder by its name in a checkout.

    >>> project_file("mapsight/text.py").is_file(), project_file("mrjob.conf").is_file()
    (True, True)
    """
    from pathlib import Path

    first, _, rest = name.partition("/")
    return Path(LIBRARY, rest) if first == "mapsight" else Path(APPLICATION, name)


def find_driver() -> None:
    """Make `import driver` find this program's own.

    Raises:
        ImportError: a package of that name, but another one, was imported before.
    """
    sys.path[:] = [APPLICATION, *(entry for entry in sys.path if entry != APPLICATION)]
    file = getattr(sys.modules.get("driver"), "__file__", None)
    if file and os.path.realpath(file) != os.path.realpath(f"{APPLICATION}/driver/__init__.py"):
        raise ImportError(f"{file} was imported as `driver`, which is Mapsight's own name here")


class _WithoutPandas:
    """Finds no pandas, which pyarrow imports where it is installed: half a second for nothing."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        """Return nothing, so that others look for a module.

        Raises:
            ModuleNotFoundError: it is pandas.
        """
        if name == "pandas":
            raise ModuleNotFoundError("Mapsight does without pandas", name=name)


def without_pandas() -> None:
    """Import no pandas in this process, which is the program's own.

    A program that imports this one may want the tables that pyarrow makes for pandas.
    """
    if _WithoutPandas not in sys.meta_path:
        sys.meta_path.insert(0, _WithoutPandas)
