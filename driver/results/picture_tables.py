"""predictions.parquet and ranking.parquet: written by the driver, or where large by a job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driver.pipeline.jobs import Job
from driver.pipeline.stage import require
from driver.results.examples import Noticed
from mapsight.labels.ranking import EVERYTHING, parse_ranks
from mapsight.results import table_parts
from mapsight.results.table_parts import PREDICTIONS, RANKING, PartsPlan

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["JOB", "PictureTables", "write_picture_tables"]

JOB = Job("mr_jobs.write_tables")
SHEET_PICTURES = 12
STAGE_OF = {PREDICTIONS: "classify", RANKING: "rank"}
ROW_BYTES = {PREDICTIONS: 1100, RANKING: 400}

Counts = Mapping[tuple[str, ...], int]
Rows = Mapping[tuple[str, ...], list[Any]]


@dataclass(frozen=True)
class Options:
    """Which ranks were asked for."""

    ranks: str | None


@dataclass(frozen=True)
class PictureTables:
    """Numbers of pictures, and the first rows of each group of the ranking."""

    predicted: int
    rejected: int
    sheets: dict[str, list[dict[str, Any]]]


def write_picture_tables(
    run: Pipeline, folder: str, noticed: Noticed, counts: Counts, rows: Rows
) -> PictureTables:
    """Write the two tables, rejected.csv and orphans.csv into a folder of the stage merge.

    Args:
        noticed: sees the predictions that it asks for.
        counts: with `rows`, what the stage count left.

    Raises:
        Failure: there are not as many rows as were counted.
    """
    groups = _rows_by_group(counts, run.options_of(Options).ranks)
    sizes = {PREDICTIONS: _pictures(counts), RANKING: sum(groups.values())}
    large = [name for name, size in sizes.items() if size > table_parts.ONE_FILE_ROWS]
    plan = PartsPlan(
        table_parts.first_ids(_sampled(rows), sizes[PREDICTIONS], table_parts.PART_ROWS),
        table_parts.first_rows(groups),
        table_parts.PART_ROWS,
        parse_ranks(run.options_of(Options).ranks)[0],
        SHEET_PICTURES,
        noticed.ids,
    )
    parts = _Parts(_job_output(run, folder, large, sizes, plan) if large else [])
    target = run.local_folder("merge", folder)
    predicted, rejected = _predictions(run, parts, PREDICTIONS in large, noticed, target)
    sheets = _ranking(run, parts, RANKING in large, target)
    for name in large:
        _name_parts(run, ("merge", folder, name), parts.files(name), sizes[name])
    return PictureTables(predicted, rejected, sheets)


def _pictures(counts: Counts) -> int:
    return sum(n for key, n in counts.items() if key[0] == "label")


def _rows_by_group(counts: Counts, ranks: str | None) -> dict[str, int]:
    """Return how many rows the ranking has of each label, and of all pictures."""
    first, last = parse_ranks(ranks)
    pictures = {key[1]: n for key, n in counts.items() if key[0] == "label"}
    pictures[EVERYTHING] = sum(pictures.values())
    places = {name: min(n, last or n) - first + 1 for name, n in pictures.items()}
    return {name: n for name, n in places.items() if n > 0}


def _sampled(rows: Rows) -> list[str]:
    """Return the ids of the count stage's even sample."""
    return [image_id for _, image_id, *_ in rows.get(("sample",), [])]


class _Parts:
    """What the job says of the parts that it wrote, and the records that it handed on."""

    def __init__(self, output: Sequence[str]) -> None:
        self._output = output

    def _of(self, table: str, length: int) -> Iterator[tuple[Any, Any]]:
        from mapsight.results.predictions import merged_records

        for key, value in merged_records(self._output):
            if key[0] == table and len(key) == length:
                yield key[-1], value

    def records(self, table: str) -> Iterator[tuple[Any, Any]]:
        """Yield (key, record) in the order of the table's rows."""
        return self._of(table, 3)

    def files(self, table: str) -> list[dict[str, Any]]:
        """Return the name and the number of rows of each part that has some."""
        return [value for _, value in self._of(table, 2) if value["rows"]]


def _job_output(
    run: Pipeline, folder: str, large: Sequence[str], sizes: Mapping[str, int], plan: PartsPlan
) -> list[str]:
    arguments = ["--plan", run.side_file("parts_plan.json", json.dumps(asdict(plan)))]
    arguments += ["--tables", run.workspace.uri("merge", folder)]
    inputs = [part for name in large for part in run.workspace.parts(STAGE_OF[name])]
    shuffled = sum(ROW_BYTES[name] * sizes[name] for name in large)
    return run.collect(JOB, inputs, arguments, shuffled)


def _predictions(
    run: Pipeline, parts: _Parts, in_parts: bool, noticed: Noticed, target: Path
) -> tuple[int, int]:
    from mapsight.results.predictions import merged_records, write_predictions, write_rejections

    if not in_parts:
        records = merged_records(run.workspace.parts(STAGE_OF[PREDICTIONS]))
        return write_predictions(noticed.passing(records), target)
    rejected = write_rejections(noticed.passing(parts.records(PREDICTIONS)), target)
    return sum(part["rows"] for part in parts.files(PREDICTIONS)), rejected


def _ranking(
    run: Pipeline, parts: _Parts, in_parts: bool, target: Path
) -> dict[str, list[dict[str, Any]]]:
    from mapsight.results.predictions import merged_records, top_rows, write_ranking

    if in_parts:
        return top_rows(parts.records(RANKING), SHEET_PICTURES)
    records = merged_records(run.workspace.parts(STAGE_OF[RANKING]))
    return write_ranking(records, target / RANKING, SHEET_PICTURES)


def _name_parts(
    run: Pipeline, names: Sequence[str], files: Sequence[dict[str, Any]], rows: int
) -> None:
    """Give the files that count the names of parts; those of attempts that failed are removed."""
    written = sum(file["rows"] for file in files)
    require(written == rows, f"merge: {names[-1]} has {written} rows, not {rows}; run again")
    run.workspace.keep_only(names, {file["file"] for file in files})
    new = {file["file"]: table_parts.part_name(n) for n, file in enumerate(files)}
    run.workspace.rename(names, new)
