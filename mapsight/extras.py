"""Packages that only some commands need: whether they are there, and what to type if not."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

__all__ = ["EXTRAS", "advice", "lacking", "missing"]

EXTRAS = {
    "boto3": "emr",
    "faiss": "faiss",
    "fastapi": "serve",
    "jinja2": "driver",
    "matplotlib": "driver",
    "pillow_heif": "formats",
    "pillow_jxl": "formats",
    "prometheus_client": "serve",
    "python_multipart": "serve",
    "requests_kerberos": "kerberos",
    "s3fs": "emr",
    "tensorflow": "model",
    "uvicorn": "serve",
}
"""The extra of setup.py that brings a module. What is not here comes with every installation."""
PACKAGES = {
    "faiss": "faiss-cpu",
    "pillow_heif": "pillow-heif",
    "pillow_jxl": "pillow-jxl-plugin",
    "prometheus_client": "prometheus-client",
    "python_multipart": "python-multipart",
    "requests_kerberos": "requests-kerberos",
    "tensorflow": "TensorFlow",
}
"""The names of modules whose packages have other ones."""

ROOT = Path(__file__).resolve().parent.parent


def missing(modules: Iterable[str]) -> list[str]:
    """Return those modules that this Python does not have; none is imported.

    >>> missing(["json", "no_such_module"])
    ['no_such_module']
    """
    return [name for name in dict.fromkeys(modules) if not _is_there(name)]


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # loaded, without a spec
        return True


def lacking(what: str, modules: Sequence[str]) -> str:
    """Return the line that tells people what needs which packages, and what to type."""
    *first, last = (PACKAGES.get(name, name) for name in modules)
    names = f"{', '.join(first)} and {last}" if first else last
    return f"{what} needs {names}: {advice(modules)}"


def advice(modules: Iterable[str] = ()) -> str:
    """Return what to type for modules that are missing.

    A checkout that was never installed names its folder, and the Python of its own `.venv`
    where there is another one; what is installed is named by its name, which pip completes
    from where it came.
    """
    extras = sorted({EXTRAS.get(name, "driver") for name in modules}) or ["driver"]
    own = ROOT / ".venv" / "bin" / "python"
    if own.is_file() and Path(sys.prefix).resolve() != own.parent.parent.resolve():
        return f"use {own}, or pip install '{_package()}[{','.join(extras)}]'"
    return f"pip install '{_package()}[{','.join(extras)}]'"


def _package() -> str:
    """The name or place that pip knows this program by."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution("mapsight")
    except PackageNotFoundError:
        return str(ROOT)
    return "mapsight"
