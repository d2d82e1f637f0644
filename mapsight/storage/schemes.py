"""Which file systems an address may lead to: a short list, and nothing chained."""

from __future__ import annotations

import contextlib
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from mapsight.redaction import public_address, without_secrets

__all__ = ["SCHEMES", "AddressError", "named_errors", "require_file", "scheme_of"]

SCHEMES = {"file", "local", "hdfs", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"}
"""What is opened. All else that fsspec knows goes to servers round `http_get`, or into files."""

NAMED = "local paths, file://, hdfs://, s3://, s3a://, gs://, abfs://, az://"
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+._-]*)://")
NO_LOGIN = ("s3", "s3a", "gs", "gcs")
IPV6 = re.compile(r"\[[0-9A-Fa-f:.]*\]")
CHAIN = "::"
SHOWN = 200  # letters of an address


class AddressError(ValueError):
    """An address that is not opened, whatever is there; the message says why."""


def scheme_of(address: str) -> str:
    """Return the scheme of an address in lower case; "" for a local path, which has no `://`.

    Raises:
        AddressError: it is not one of SCHEMES, or addresses are chained (`::`).
    """
    if "://" not in address:
        return ""
    shown = public_address(address)[:SHOWN]
    if CHAIN in IPV6.sub("", address, count=1):
        raise AddressError(f"{shown}: addresses chained by :: are not opened")
    found = SCHEME.match(address)
    if found is None:
        raise AddressError(f"{shown}: not an address that is opened; {NAMED} are")
    scheme = found[1].lower()
    if scheme in ("http", "https"):
        raise AddressError(f"{shown}: a web address is fetched where a list of URLs names it")
    if scheme not in SCHEMES:
        raise AddressError(f"{shown}: {scheme}:// is not opened; {NAMED} are")
    if scheme in NO_LOGIN and "@" in address[found.end() :].partition("/")[0]:
        raise AddressError(f"{shown}: {scheme}:// takes no login in the address")
    return scheme


@contextlib.contextmanager
def named_errors(address: str) -> Iterator[None]:
    """Make an OSError of whatever a file system that others wrote raises.

    Those of S3, Azure and Google raise errors of their own, without credentials for example.
    """
    try:
        yield
    except (OSError, ValueError, ImportError):
        raise
    except Exception as error:
        reason = without_secrets(f"{type(error).__name__}: {error}", address)
        raise OSError(f"{public_address(address)[:SHOWN]}: {reason}") from error


def require_file(path: str) -> None:
    """Raise OSError for a local path that is there and no file: a named pipe waits for ever."""
    mode = Path(path).stat().st_mode
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a device, a pipe or a socket"
        raise OSError(f"{path}: is {kind}, not a file")
