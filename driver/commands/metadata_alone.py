"""A run on an Open Images folder that holds metadata and no picture: what there is, is explored."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from driver.commands.run_summary import print_summary
from driver.errors import Failure
from driver.pipeline.stage import Stage
from driver.results.explore_tables import FOLDER, explore_tables
from driver.stages import classify
from driver.stages.dataset import Inputs, dataset_of, nothing_found
from driver.stages.plan import inputs_of_run

if TYPE_CHECKING:
    from driver.pipeline.pipeline import Pipeline

__all__ = ["explore_alone", "is_alone"]

EXPLORE = "explore"
TEXTS = (".csv", ".csv.gz", ".json", ".md", ".txt", ".tsv")
"""How files end that lie beside metadata and are no pictures."""


def is_alone(run: Pipeline) -> bool:
    """Return whether the input is metadata without pictures.

    Pictures are looked for only where that is cheap: a folder `images/` is looked into where it
    is on this machine, and archives and Parquet files are taken to hold some.
    """
    from mapsight.inputs.find import InputError
    from mapsight.openimages.columns import KINDS

    dataset, named = dataset_of(run), run.options_of(Inputs)
    if dataset is None or named.images or not any(dataset.files[kind] for kind in KINDS):
        return False
    if dataset.pictures == [named.openimages]:
        try:
            return all(one.source.lower().endswith(TEXTS) for one in inputs_of_run(run))
        except InputError:
            return True
    (first, *others) = dataset.pictures
    if others or not os.path.isdir(first):  # noqa: PTH112
        return False
    with os.scandir(first) as entries:
        return next(entries, None) is None


def explore_alone(run: Pipeline, explore: Stage) -> int:
    """Explore metadata, and show its tables in results/; 0 where that was all that was wanted.

    Raises:
        Failure: more was wanted, which takes pictures; or results of pictures are there, which
            tables of metadata alone do not replace.
    """
    workspace, until = run.workspace, run.running.until
    if until not in (None, *_from(explore)) or workspace.committed("merge"):
        raise Failure(nothing_found(run))
    with run.attended(alone=True):
        run.run([explore])
    classify.identity(run)  # whose labels the tables tell of
    folder = run.scratch / "metadata"
    found = explore_tables(run, folder)
    workspace.replace(folder, "results")
    print_summary(run, None, {"workspace": workspace.uri()})
    if found:
        sys.stderr.write(
            f"metadata of {found['pictures']:,} pictures: {found['labelled']:,} with labels,"
            f" {found['boxes']:,} boxes\n"
        )
    place = workspace.uri("results", FOLDER)
    if until != EXPLORE:
        raise Failure(f"{nothing_found(run)}. What the metadata says is in {place}")
    sys.stdout.write(f"{place}\n")
    return 0


def _from(explore: Stage) -> tuple[str, ...]:
    """The stages that come to what explores, or go on after it."""
    from mapsight.workspace.stage_names import STAGES

    return STAGES[STAGES.index(explore.name) :]
