"""What became of the pictures of an addition: lines for the user, and files beside its stages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from driver.errors import Failure
from driver.pipeline.pipeline import Pipeline
from mapsight.index.part import IndexPart
from mapsight.results.predictions import merged_records, write_csv
from mapsight.search.search_index import SearchIndex
from mapsight.text import counted, plain
from mapsight.workspace.index_facts import KnownPictures
from mapsight.workspace.stage_facts import PictureCounts

__all__ = ["fit_line", "new_pictures", "outcome_lines", "picture_lines"]

ADDED, REJECTED = "added.csv", "rejected.csv"
SHOWN = 3
SHOWN_IDS = 5


def new_pictures(run: Pipeline) -> int:
    """Return how many pictures can be used and are not in the index yet."""
    return _usable(run) - _known(run)


def _usable(run: Pipeline) -> int:
    images = PictureCounts.of(run.documents["extract"])
    if not images.extracted:
        raise Failure(f"none of {images.read:,} pictures is usable; nothing was added")
    return images.extracted


def _known(run: Pipeline) -> int:
    return KnownPictures.of(run.documents["known"]).number


def outcome_lines(run: Pipeline, *, kept: bool) -> Iterator[str]:
    """Yield what became of the pictures; `kept` says whether the addition's folder is."""
    images = PictureCounts.of(run.documents["extract"])
    errors = images.errors
    known = _known(run)
    for name in (ADDED, REJECTED):  # those that are there are of an addition that was killed
        run.workspace.drop_file(name)
    yield f"{counted(images.read, 'picture')} read, {_usable(run) - known:,} new"
    if known:
        first = KnownPictures.of(run.documents["known"]).first
        more = ", …" if known > len(first) else ""
        yield f"already in the index, skipped: {known:,} ({', '.join(first)}{more})"
    if errors:
        counts = ", ".join(f"{code}: {n:,}" for code, n in sorted(errors.items()))
        yield f"rejected: {sum(errors.values()):,} ({counts})"
        yield from _rejected(run, sum(errors.values()), kept=kept)


def _rejected(run: Pipeline, n: int, *, kept: bool) -> Iterator[str]:
    """Write rejected.csv into the addition's folder; yield a few of its rows. Memory: a line."""
    shown: list[str] = []

    def rows() -> Iterator[dict[str, Any]]:
        for image_id, record in merged_records(run.workspace.parts("extract")):
            if "error" in record:
                if len(shown) < SHOWN:
                    shown.append(f"  {plain(record['source'])}: {plain(record['detail'])}")
                yield {"image_id": image_id, **record}

    path = run.scratch / REJECTED
    write_csv(path, ("image_id", "source", "error", "detail"), rows())
    run.workspace.keep(path, REJECTED)
    yield from shown
    if n > len(shown):
        rest = f"all of them: {run.workspace.uri(REJECTED)}"
        yield f"  … {rest if kept else f'and {n - len(shown):,} more'}"


def picture_lines(run: Pipeline, n: int) -> Iterator[str]:
    """Write added.csv into the addition's folder; yield its first rows. Memory: a line."""
    shown: list[str] = []

    def rows() -> Iterator[dict[str, Any]]:
        for image_id, record in merged_records(run.workspace.parts("classify")):
            if "error" not in record:
                if len(shown) < SHOWN_IDS:
                    shown.append(f"  {image_id}  {plain(record['source'])}")
                yield {"image_id": image_id, "source": record["source"]}

    path = run.scratch / ADDED
    write_csv(path, ("image_id", "source"), rows())
    run.workspace.keep(path, ADDED)
    yield "image_id and source of the new pictures:"
    yield from shown
    if n > len(shown):
        yield f"  … all of them: {run.workspace.uri(ADDED)}"


def fit_line(index: SearchIndex, part: IndexPart) -> str:
    """Return how far new pictures lie from their cells' centres, relative to those of the index."""
    base = index.parts[0]
    text = f"added: {counted(part.rows, 'picture')} to {index.rows:,}"
    if not base.spread:
        return text
    return (
        f"{text}; mean squared distance from the centres of their cells"
        f" {part.spread / base.spread:.2f} times that of the pictures the index was built of"
    )
