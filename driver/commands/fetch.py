"""The command fetch: a class-balanced sample of Open Images, for people with the internet."""

from __future__ import annotations

import argparse
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from driver.errors import Failure, UsageError
from driver.needs import JOB_NEEDS
from driver.options.groups import add_fetching_options, add_job_options, add_program_options
from driver.options.required import require_options
from driver.options.types import labels_in, positive
from driver.runners import check_runner
from driver.text_table import table_lines
from mapsight.openimages.published_files import SUBSETS, picture_bytes

if TYPE_CHECKING:
    from driver.sample.fetch_sample import Sample

GROUP = "Prepare"
DESCRIPTION = "Fetch a class-balanced sample of Open Images."
EXAMPLES = """\
examples:
  %(prog)s --labels Lion,Tiger --per-label 50 --subset validation --to openimages/
  %(prog)s --labels Lion,Tiger,Owl --per-label 500 --with-negatives --dry-run
  %(prog)s --labels Lion,Tiger,Owl --per-label 500 --no-depictions --to openimages/
  %(prog)s -r hadoop --labels Lion,Tiger --per-label 5000 --to hdfs:///user/me/openimages

then: mapsight --openimages openimages/ --target-labels Lion,Tiger
Run it again to get what failed, or with a larger --per-label to get more.
"""
USUAL = (
    *("labels", "per-label", "subset", "with-negatives", "no-depictions", "to", "dry-run"),
    *("runner",),
)
NEEDS = JOB_NEEDS
FOR_OUTPUT = False


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of fetch."""
    group = parser.add_argument_group("sample")
    group.add_argument(
        "--labels",
        nargs="+",
        type=labels_in,
        action="extend",
        default=[],
        metavar="LABEL",
        help="Open Images names or MIDs, separated by spaces or commas (needed)",
    )
    group.add_argument(
        "--per-label",
        type=positive,
        metavar="N",
        help="pictures of each label from each subset (needed)",
    )
    group.add_argument(
        "--subset",
        nargs="+",
        choices=SUBSETS,
        default=list(SUBSETS),
        help="subsets to take pictures from (default: all three)",
    )
    group.add_argument(
        "--with-negatives",
        action="store_true",
        help="also fetch as many pictures that people verified not to show the label",
    )
    group.add_argument(
        "--no-depictions",
        action="store_true",
        help="leave out pictures where a box of the label is a drawing, a statue or the like",
    )
    _place_options(parser)
    add_fetching_options(parser)
    add_job_options(parser)
    add_program_options(parser)


def _place_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("from and to")
    group.add_argument("--to", metavar="DIR", help="folder or URI to fill (needed)")
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="download only the metadata, and print how many pictures and bytes would come",
    )
    group.add_argument(
        "--cache",
        metavar="DIR",
        help="folder that keeps the metadata (default: $MAPSIGHT_CACHE, else ~/.cache/mapsight)",
    )
    group.add_argument(
        "--refresh", action="store_true", help="ask the server whether the metadata has changed"
    )
    group.add_argument(
        "--metadata-from",
        metavar="URL",
        help="mirror of the metadata (default: storage.googleapis.com/openimages)",
    )
    group.add_argument(
        "--pictures-from",
        metavar="URL",
        help="mirror of the pictures, as URL/SUBSET/IMAGE_ID.jpg (default: the bucket "
        "of Open Images)",
    )


def run(options: Namespace) -> int:
    """Fill a folder with a sample; 1 if some pictures may come another time."""
    from driver.sample.fetch_sample import Sample
    from driver.sample.openimages_metadata import get_metadata

    _check(options)
    metadata = get_metadata(options)
    labels = metadata.labels([label for part in options.labels for label in part])
    try:
        sample = Sample(options, metadata, labels)
        if options.dry_run:
            _show(sample)
            return 0
        return _fill(options, sample)
    except ValueError as error:  # of the metadata
        raise Failure(str(error)) from error


def _check(options: Namespace) -> None:
    """Refuse what cannot work, before anything is downloaded."""
    from driver.sample.sample_folder import FETCHING

    require_options(options, "labels", "per_label", *(() if options.dry_run else ("to",)))
    options.subset = [subset for subset in SUBSETS if subset in options.subset]
    if options.dry_run:
        return
    if options.runner in ("hadoop", "emr") and "://" not in options.to:
        raise UsageError(f"-r {options.runner}: the cluster needs a --to such as hdfs:///folder")
    options.workspace = f"{options.to.rstrip('/')}/{FETCHING}"
    check_runner(options)


def _fill(options: Namespace, sample: Sample) -> int:
    from driver.sample.fetch_rounds import Rounds
    from driver.sample.sample_folder import SampleFolder
    from driver.workspace.workspace import Workspace
    from mapsight.storage.uri import resolve

    workspace = Workspace(options.workspace)
    if workspace.local:
        _make(Path(resolve(options.to)[1]))
    with workspace.locked():
        folder = SampleFolder(options.to, workspace)
        folder.begin(sample.request())
        later = Rounds(options, workspace, folder, sample).run()
    _show(sample)
    if later:
        first = next(iter(later.values()))
        sys.stderr.write(
            f"mapsight: {len(later)} pictures could not be fetched now ({first.url}:"
            f" {first.detail}); run the same command again\n"
        )
    sys.stdout.write(f"{options.to}\n")
    return 1 if later else 0


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--to {folder}: cannot be made: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise UsageError(f"--to {folder}: cannot be written")


def _show(sample: Sample) -> None:
    """Print how many pictures of each label there are."""
    head = ("label", "subset", "pictures", *(("absent",) if sample.negatives else ()))
    lines = table_lines([head, *sample.counts()], left=(0, 1))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    total = sample.total()
    size = total * picture_bytes() / 1e6
    what = f"{total:,} different pictures"
    if sample.dry:
        what += f", about {size:,.0f} MB ({picture_bytes() / 1000:.0f} kB each); none was fetched"
    sys.stdout.write(f"{what}\n")
