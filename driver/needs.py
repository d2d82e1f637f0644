"""What a command needs beside the base installation, asked before it begins."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from driver.errors import UsageError
from mapsight.extras import lacking, missing

__all__ = ["EVERYWHERE", "JOB_NEEDS", "REPORT", "Need", "asks", "check_needs", "needs_of"]

S3 = ("s3://", "s3a://")
ADDRESSES = ("workspace", "images", "pictures", "openimages", "workspaces")
REPORT = ("jinja2", "matplotlib")
"""The modules that draw pages."""


@dataclass(frozen=True)
class Need:
    """Modules that a command imports, what for, and with which options."""

    purpose: str
    modules: tuple[str, ...]
    wanted: Callable[[Namespace], bool] = lambda options: True


def asks(name: str, value: object) -> Callable[[Namespace], bool]:
    """Return a check that an option has this value."""
    return lambda options: getattr(options, name, None) == value


def _on_s3(options: Namespace) -> bool:
    named = (getattr(options, name, None) or [] for name in ADDRESSES)
    lists = (value if isinstance(value, list) else [str(value)] for value in named)  # plan has N
    texts = (text for texts in lists for text in texts)
    return any(text.lower().startswith(S3) for text in texts)


JOB_NEEDS = (Need("-r emr", ("boto3", "s3fs"), asks("runner", "emr")),)
"""Of the commands that run jobs."""
EVERYWHERE = (Need("an address of S3", ("s3fs",), _on_s3),)
"""Of all commands. TensorFlow for a model that is not built yet is asked for in
`driver.stages.model`, and Kerberos where a cluster asks for it."""


def needs_of(needs: Sequence[Need], options: Namespace) -> Iterator[Need]:
    """Yield those of a command's needs, and of all commands', that these options have."""
    return (need for need in (*needs, *EVERYWHERE) if need.wanted(options))


def check_needs(needs: Sequence[Need], options: Namespace) -> None:
    """Refuse a command that would end for want of a module.

    Raises:
        UsageError: names what needs them, the packages, and what to type.
    """
    lacks = [
        (need.purpose, name) for need in needs_of(needs, options) for name in missing(need.modules)
    ]
    if lacks:
        names = list(dict.fromkeys(name for _, name in lacks))
        raise UsageError(lacking(lacks[0][0], names))
