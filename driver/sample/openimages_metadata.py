"""The metadata files of Open Images on this machine: downloaded once, then read from the cache."""

from __future__ import annotations

import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from driver.errors import Failure, UsageError
from mapsight.files import locked
from mapsight.inputs.find import Found
from mapsight.labels.labeler import resolve_targets
from mapsight.openimages.dataset import read_descriptions
from mapsight.openimages.published_files import PublishedFile, published_files
from mapsight.openimages.sample import SubsetFiles
from mapsight.web.download import DownloadError, Record, download, record_of

__all__ = ["Metadata", "cache_folder", "get_metadata"]

SAY_SECONDS = 10.0


@dataclass(frozen=True)
class Metadata:
    """The published files of some subsets, where they lie here, and their records."""

    files: Sequence[PublishedFile]
    folder: Path
    records: dict[str, Record]

    def path(self, file: PublishedFile) -> Path:
        return self.folder / file.name

    def of(self, subset: str) -> SubsetFiles:
        """The files of a subset."""
        found = {file.kind: self.path(file) for file in self.files if file.subset == subset}
        return SubsetFiles(found["images"], found["labels"], found["boxes"])

    def labels(self, wanted: Sequence[str]) -> dict[str, str]:
        """MID by display name of labels given by name or MID.

        Raises:
            UsageError: Open Images has no such label.
        """
        described = [file for file in self.files if file.kind == "descriptions"]
        found = [
            Found(file.name, str(self.path(file)).encode(), file.bytes, "", "urls")
            for file in described
        ]
        try:
            return resolve_targets(wanted, read_descriptions(found))
        except ValueError as error:
            raise UsageError(f"--labels: {error}") from None


def cache_folder(named: str | None) -> Path:
    """Where metadata is kept: --cache, $MAPSIGHT_CACHE or ~/.cache/mapsight, each /openimages."""
    base = named or os.environ.get("MAPSIGHT_CACHE") or Path.home() / ".cache" / "mapsight"
    return Path(base) / "openimages"


def get_metadata(options: Namespace) -> Metadata:
    """Download what is missing of the metadata of the subsets that are asked for.

    Raises:
        Failure: a file cannot be had or stored; the message names it.
    """
    files = published_files(options.subset, options.metadata_from)
    folder = cache_folder(options.cache)
    try:
        with locked(folder / "download"):  # a second run waits, and finds them
            _announce(files, folder)
            records = {file.name: _get(file, folder, options) for file in files}
    except (DownloadError, OSError) as error:
        raise Failure(f"metadata: {error}") from error
    return Metadata(files, folder, records)


def _announce(files: Sequence[PublishedFile], folder: Path) -> None:
    """Say how much is to come, before it does."""
    missing = [file for file in files if record_of(folder / file.name) is None]
    size = sum(file.bytes for file in missing)
    if missing:
        _say(f"metadata: {len(missing)} files, about {size / 1e6:,.0f} MB, into {folder}")


def _get(file: PublishedFile, folder: Path, options: Namespace) -> Record:
    target = folder / file.name
    before = record_of(target)
    record = download(
        file.url,
        target,
        allow_private=options.allow_private,
        refresh=options.refresh,
        told=_teller(file.name),
    )
    if before and before.sha256 != record.sha256:
        _say(f"{file.name} has changed: SHA-256 {before.sha256} before, {record.sha256} now")
    return record


def _teller(name: str) -> Callable[[int, int], None]:
    """Says now and then how far a file is."""
    said = time.monotonic()

    def tell(have: int, total: int) -> None:
        nonlocal said
        if time.monotonic() - said >= SAY_SECONDS:
            said = time.monotonic()
            _say(f"{name}: {have / 1e6:,.0f} of {total / 1e6:,.0f} MB")

    return tell


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
