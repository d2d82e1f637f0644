"""What nodes require, and pip, which brings it."""

from __future__ import annotations

import ast
import contextlib
import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from driver.errors import Failure
from mapsight.application import LIBRARY, checkout
from mapsight.features.formats.plugins import PLUGINS
from mapsight.python_child import clean_environment, module_command

__all__ = [
    "format_requirements",
    "index_settings",
    "install",
    "installed_formats",
    "installed_pins",
    "node_requirements",
]

UNREACHABLE = (
    r"Failed to establish a new connection|Name(Resolution|ResolutionError)|ProxyError|SSLError"
    r"|ConnectTimeoutError|ReadTimeoutError|Connection (refused|reset)|Read timed out"
)
REASONS = {
    r"No module named pip": "this Python has no pip; `python -m ensurepip` brings it",
    r"No space left on device|Disk quota exceeded": "no space is left for it",
    UNREACHABLE: "the package index cannot be reached",
}


def node_requirements() -> list[str]:
    """What setup.py requires of every node; its extras are for the driver's machine.

    Raises:
        Failure: there is neither setup.py nor an installed distribution.
    """
    if (listed := _listed("NODE")) is not None:
        return listed
    return [text for text in _required() if "extra ==" not in text]


def format_requirements() -> list[str]:
    """What setup.py lists under the extra `formats`; raises as `node_requirements`."""
    if (listed := _listed("FORMATS")) is not None:
        return listed
    found = (text.partition(";") for text in _required())
    return [name.strip() for name, _, when in found if re.search(r"extra == .formats.", when)]


def _listed(name: str) -> list[str] | None:
    """Return a list of requirements of setup.py; None where there is no such file or list."""
    folder = checkout()
    for node in ast.parse((folder / "setup.py").read_bytes()).body if folder else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    return None


def _required() -> list[str]:
    try:
        return importlib.metadata.requires("mapsight") or []
    except importlib.metadata.PackageNotFoundError:
        raise Failure(f"{LIBRARY}: neither setup.py nor an installed mapsight is here") from None


def installed_pins(requirements: Sequence[str]) -> list[str]:
    """`name==version` of what is required, as far as it is installed here, all the way down."""
    todo, pins = list(requirements), set[str]()
    while todo:
        found = re.match(r"[\w.-]+", todo.pop())
        try:
            distribution = importlib.metadata.distribution(found[0] if found else "")
        except (importlib.metadata.PackageNotFoundError, ValueError):
            continue
        pin = f"{distribution.metadata['Name']}=={distribution.version}"
        if pin not in pins:
            pins.add(pin)
            todo += [text for text in distribution.requires or [] if "extra ==" not in text]
    return sorted(pins)


def installed_formats() -> list[str]:
    """`name==version` of the packages of the extra `formats` that are installed here."""
    found = []
    for name in PLUGINS.values():
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name}=={importlib.metadata.version(name)}")
    return found


def index_settings() -> list[str]:
    """How pip finds packages: its variables and the text of its files."""
    names = ("INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "NO_INDEX", "CONFIG_FILE")
    settings = [os.environ.get(f"PIP_{name}", "") for name in names]
    places = (
        *("/etc/pip.conf", Path.home() / ".pip/pip.conf", Path.home() / ".config/pip/pip.conf"),
        *(Path(sys.prefix, "pip.conf"), settings[-1]),
    )
    files = [Path(place) for place in places if place and Path(place).is_file()]
    return settings + [file.read_text("utf-8", "replace") for file in files]


def install(requirements: Sequence[str], pins: Sequence[str], folder: Path) -> None:
    """Install wheels into a folder, in the versions of `pins`.

    Raises:
        Failure: it did not work; one line says why.
    """
    constraints = folder.with_name("constraints.txt")
    constraints.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
    command = [
        *module_command("pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--no-input", "--no-user", "--no-compile", "--only-binary", ":all:"),
        *("--target", str(folder), "--constraint", str(constraints), *requirements),
    ]
    # what pip unpacks goes where the archive will be, not into a small /tmp
    environment = clean_environment(TMPDIR=str(folder.parent))
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        said = done.stdout + done.stderr
        raise Failure(f"the environment of nodes cannot be packed: {_reason(said)}", said)


def _reason(said: str) -> str:
    """What pip's output comes down to."""
    for pattern, reason in REASONS.items():
        if re.search(pattern, said):
            return reason
    if found := re.search(r"No matching distribution found for (\S+)", said):
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"the package index has no wheel of {found[1]} for Python {python} on this machine"
    lines = [line for line in said.splitlines() if line.startswith("ERROR")] or said.splitlines()
    return lines[-1] if lines else "pip failed without a word"
