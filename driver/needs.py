"""What each command needs beside the base installation, asked before it begins."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator

from driver.errors import UsageError
from mapsight.extras import lacking, missing

__all__ = ["NEEDS", "check_needs", "needs_of"]

LAST = "render"
S3 = ("s3://", "s3a://")
JOBS = ("run", "search", "add", "evaluate-index", "duplicates", "fetch")
ADDRESSES = ("workspace", "images", "pictures", "openimages", "workspaces")


def _is(name: str, *values: object) -> Callable[[Namespace], bool]:
    return lambda options: getattr(options, name, None) in values


def _in_processes(options: Namespace) -> bool:
    return options.runner != "inline" and not getattr(options, "no_job", False)


def _draws(options: Namespace) -> bool:
    """Whether a run comes to its report."""
    return options.until in (None, LAST) and not options.dry_run


def _on_s3(options: Namespace) -> bool:
    named = (getattr(options, name, None) or [] for name in ADDRESSES)
    lists = (value if isinstance(value, list) else [str(value)] for value in named)  # plan has N
    texts = (text for texts in lists for text in texts)
    return any(text.lower().startswith(S3) for text in texts)


NEEDS: tuple[tuple[tuple[str, ...], str, Callable[[Namespace], bool], tuple[str, ...]], ...] = (
    (("run",), "the report", _draws, ("jinja2", "matplotlib")),
    (("report",), "the report", lambda options: True, ("jinja2", "matplotlib")),
    (("search",), "--format html", _is("format", "html"), ("jinja2", "matplotlib")),
    (("export",), "--format faiss", _is("format", "faiss"), ("faiss",)),
    (("run",), "--engine keras", _is("engine", "keras"), ("tensorflow",)),
    (("model",), "--check", lambda options: bool(options.check), ("tensorflow",)),
    (JOBS, "-r emr", _is("runner", "emr"), ("boto3", "s3fs")),
    (JOBS, "a job in processes of its own", _in_processes, ("psutil",)),
    ((), "an address of S3", _on_s3, ("s3fs",)),
)
"""Commands (none: all), what of them, when, and the modules that it takes.

TensorFlow for a model that is not built yet is asked for in `driver.stages.model`, and Kerberos
where a cluster asks for it.
"""


def needs_of(options: Namespace) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what of a command needs which modules."""
    for commands, what, wanted, modules in NEEDS:
        if (not commands or options.command in commands) and wanted(options):
            yield what, modules


def check_needs(options: Namespace) -> None:
    """Refuse a command that would end for want of a module.

    Raises:
        UsageError: names what needs them, the packages, and what to type.
    """
    lacks = [(what, name) for what, modules in needs_of(options) for name in missing(modules)]
    if lacks:
        names = list(dict.fromkeys(name for _, name in lacks))
        raise UsageError(lacking(lacks[0][0], names))
