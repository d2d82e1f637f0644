"""The stage table: what runs, in what order, on what, with which options."""

from __future__ import annotations

from typing import Any

from driver.pipeline.fingerprint import ROOT
from driver.pipeline.launch import JOBS
from driver.pipeline.pipeline import Pipeline, Stage
from driver.results import merge as present
from driver.stages import explore as explore_stage
from driver.stages import extract as extract_stage
from driver.stages import fit as fit_stage
from driver.stages import index as index_stage
from driver.stages import labels as label_stages
from driver.stages import plan as plan_stage
from driver.stages import recall as recall_stage
from driver.stages import shards as shard_stages
from driver.stages import vectors as vector_stages
from driver.stages.duplicates import DUPLICATES

__all__ = ["STAGE_TABLE"]


def _nothing(run: Pipeline) -> dict[str, Any]:
    return {}


TEMPLATES = tuple(
    path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "mapsight/templates").iterdir())
)

STAGE_TABLE = (
    Stage("plan", (), ("mapsight/inputs/splits.py",), plan_stage.plan_identity, plan_stage.plan),
    Stage(
        "ingest",
        ("plan",),
        (JOBS["pack"].path, "mapsight/inputs/pack.py"),
        shard_stages.ingest_identity,
        shard_stages.ingest,
    ),
    Stage(
        "fetch",
        ("plan",),
        (JOBS["fetch"].path, "mapsight/inputs/fetch_shards.py"),
        shard_stages.fetch_identity,
        shard_stages.fetch,
        shard_stages.forget_unnamed,
        shard_stages.unfinished,
    ),
    Stage(
        "extract",
        ("ingest", "fetch"),
        (
            JOBS["extract"].path,
            JOBS["settle"].path,
            "mapsight/features/extract.py",
            "mapsight/features/decoder_process.py",
            "mapsight/inputs/shards.py",
            "mapsight/data/imagenet_to_openimages.csv",
        ),
        extract_stage.extract_identity,
        extract_stage.extract,
        extract_stage.check_share,
    ),
    Stage(
        "explore",
        (),
        (JOBS["explore"].path, "mapsight/openimages/dataset.py"),
        explore_stage.explore_identity,
        explore_stage.explore,
    ),
    Stage(
        "annotate",
        ("extract",),
        (JOBS["annotate"].path, "mapsight/openimages/dataset.py"),
        label_stages.annotate_identity,
        label_stages.annotate,
        label_stages.drop_old_uploads,
    ),
    Stage(
        "fit",
        ("extract", "annotate"),
        ("driver/stages/fit.py", *(JOBS[verb].path for verb in ("split", "fit", "calibrate"))),
        fit_stage.fit_identity,
        fit_stage.fit,
    ),
    Stage(
        "classify",
        ("extract", "annotate", "fit"),
        (
            JOBS["classify"].path,
            "mapsight/labels/classify.py",
            "mapsight/data/imagenet_to_openimages.csv",
            "mapsight/data/openimages_parents.csv",
        ),
        label_stages.classify_identity,
        label_stages.classify,
    ),
    Stage(
        "vectors",
        ("extract", "annotate", "fit", "classify"),
        (JOBS["map"].path, "driver/stages/vectors.py", "mapsight/index/vectors.py"),
        vector_stages.vectors_identity,
        vector_stages.vectors,
    ),
    Stage(
        "cluster",
        ("vectors",),
        (JOBS["cluster"].path, "driver/stages/vectors.py", "mapsight/index/kmeans.py"),
        vector_stages.cluster_identity,
        vector_stages.cluster,
        unfinished=vector_stages.converging,
        steps=True,
    ),
    Stage(
        "index",
        ("vectors", "cluster"),
        (JOBS["build"].path, "driver/stages/index.py", "mapsight/index/build.py"),
        index_stage.index_identity,
        index_stage.index,
    ),
    Stage(
        "recall",
        ("index",),
        (
            JOBS["probe"].path,
            "driver/stages/recall.py",
            "mapsight/search/recall.py",
            "mapsight/search/probe.py",
        ),
        recall_stage.recall_identity,
        recall_stage.recall,
    ),
    Stage("count", ("classify",), (JOBS["count"].path,), _nothing, label_stages.count),
    Stage(
        "rank",
        ("classify", "count"),
        (JOBS["rank"].path,),
        label_stages.rank_identity,
        label_stages.rank,
    ),
    DUPLICATES,
    Stage(
        "merge",
        (
            *("extract", "explore", "annotate", "fit", "classify", "cluster", "index"),
            *("recall", "count", "rank"),
        ),
        (
            "driver/results/evaluation_tables.py",
            "driver/stages/explore.py",
            "driver/results/cell_tables.py",
            "driver/results/examples.py",
            "driver/results/merge.py",
            "mapsight/results/predictions.py",
        ),
        present.merge_identity,
        present.merge,
        published=True,
    ),
    Stage(
        "render",
        ("merge", "extract"),
        (
            "driver/results/sheets.py",
            "driver/results/merge.py",
            "mapsight/report/report.py",
            "mapsight/features/thumbnails.py",
            *TEMPLATES,
        ),
        _nothing,
        present.render,
        published=True,
    ),
)
