"""The command pack: the archive of what nodes need, for a look or to send it by hand."""

from __future__ import annotations

import argparse
import shutil
import sys
from argparse import Namespace
from pathlib import Path

from driver.errors import Failure
from driver.options.groups import add_program_options, add_workspace_option
from driver.output_files import check_file

GROUP = "Prepare"
DESCRIPTION = "Pack what cluster nodes need beside Python into one archive."
EXAMPLES = """\
examples:
  %(prog)s
  %(prog)s --out env.tar.gz
  %(prog)s --formats
  %(prog)s --extra s3fs

nodes use it as mrjob is told by
  --archives hdfs:///path/env.tar.gz#env --cmdenv PYTHONPATH=env
"""


USUAL = ("out", "extra", "formats", "refresh")
NEEDS = ()
FOR_OUTPUT = False


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of pack."""
    parser.add_argument(
        "--out", metavar="FILE", help="also copy the archive to this file (default: no copy)"
    )
    parser.add_argument(
        "--extra",
        nargs="+",
        action="extend",
        default=[],
        metavar="REQUIREMENT",
        help="packages that nodes need beside Mapsight's own, as pip takes them (default: none)",
    )
    parser.add_argument(
        "--formats",
        action="store_true",
        help="with what reads HEIC and JPEG XL (the extra formats); what is installed here of it"
        " goes to the nodes of a run by itself",
    )
    parser.add_argument("--refresh", action="store_true", help="build it again even if it is there")
    add_workspace_option(parser)
    add_program_options(parser)


def run(options: Namespace) -> int:
    """Build the archive if it is missing; print what it is."""
    from driver.nodes.archive import packed_environment
    from driver.nodes.pip import format_requirements
    from driver.nodes.tree import is_archive

    check_file("--out", options.out, is_archive)
    extra = [*options.extra, *(format_requirements() if options.formats else ())]
    packed = packed_environment(say=_say, extra=extra, refresh=options.refresh)
    path = _copied(packed.path, Path(options.out)) if options.out else packed.path
    glibc = f", glibc {packed.glibc} or newer" if packed.glibc else ""
    lines = {
        "archive": path,
        "sha256": packed.sha256,
        "bytes": f"{packed.bytes:,}",
        "for": f"Python {packed.python} on {packed.platform}{glibc}",
        "packages": ", ".join(packed.packages),
    }
    sys.stdout.write("".join(f"{name:<9} {value}\n" for name, value in lines.items()))
    return 0


def _copied(archive: Path, target: Path) -> Path:
    """A copy that appears whole."""
    part = target.with_name(f"{target.name}.part")
    try:
        shutil.copyfile(archive, part)
        part.replace(target)
    except OSError as error:
        raise Failure(f"--out {target}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
