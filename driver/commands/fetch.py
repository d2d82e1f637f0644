"""The command fetch: a class-balanced sample of Open Images, for people with the internet."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from pathlib import Path

from driver.errors import Failure, UsageError
from driver.runners import check_runner
from driver.sample.fetch_rounds import Rounds
from driver.sample.fetch_sample import Sample
from driver.sample.openimages_metadata import get_metadata
from driver.sample.sample_folder import FETCHING, SampleFolder
from driver.workspace.workspace import Workspace
from mapsight.openimages.published_files import SUBSETS, picture_bytes
from mapsight.storage.uri import resolve

__all__ = ["fetch"]


def fetch(options: Namespace) -> int:
    """Fill a folder with a sample; 1 if some pictures may come another time."""
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
    needed = {"--labels": options.labels, "--per-label": options.per_label}
    if not options.dry_run:
        needed["--to"] = options.to
    for name, given in needed.items():
        if not given:
            raise UsageError(f"fetch: {name} is needed (see --help)")
    options.subset = [subset for subset in SUBSETS if subset in options.subset]
    if options.dry_run:
        return
    if options.runner in ("hadoop", "emr") and "://" not in options.to:
        raise UsageError(f"-r {options.runner}: the cluster needs a --to such as hdfs:///folder")
    options.workspace = f"{options.to.rstrip('/')}/{FETCHING}"
    check_runner(options)


def _fill(options: Namespace, sample: Sample) -> int:
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
    rows = [head, *sample.counts()]
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(head))]
    for row in rows:
        cells = [
            str(cell).ljust(width) if i < 2 else str(cell).rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    total = sample.total()
    size = total * picture_bytes() / 1e6
    what = f"{total:,} different pictures"
    if sample.dry:
        what += f", about {size:,.0f} MB ({picture_bytes() / 1000:.0f} kB each); none was fetched"
    sys.stdout.write(f"{what}\n")
