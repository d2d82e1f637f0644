"""The stage table: what runs, in what order, on what, with which options."""

from __future__ import annotations

from typing import Any

from driver.pipeline.fingerprint import ROOT
from driver.pipeline.pipeline import Pipeline, Stage
from driver.results import merge as merge_stage
from driver.results import render as render_stage
from driver.stages import annotate as annotate_stage
from driver.stages import classify as classify_stage
from driver.stages import cluster as cluster_stage
from driver.stages import count as count_stage
from driver.stages import explore as explore_stage
from driver.stages import extract as extract_stage
from driver.stages import fetch as fetch_stage
from driver.stages import fit as fit_stage
from driver.stages import index as index_stage
from driver.stages import ingest as ingest_stage
from driver.stages import plan as plan_stage
from driver.stages import probe_job
from driver.stages import rank as rank_stage
from driver.stages import recall as recall_stage
from driver.stages import vectors as vectors_stage
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
        (ingest_stage.JOB.path, "mapsight/inputs/pack.py"),
        ingest_stage.ingest_identity,
        ingest_stage.ingest,
    ),
    Stage(
        "fetch",
        ("plan",),
        (fetch_stage.JOB.path, "mapsight/inputs/fetch_shards.py"),
        fetch_stage.fetch_identity,
        fetch_stage.fetch,
        fetch_stage.forget_unnamed,
        fetch_stage.unfinished,
    ),
    Stage(
        "extract",
        ("ingest", "fetch"),
        (
            extract_stage.EXTRACT.path,
            extract_stage.SETTLE.path,
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
        (explore_stage.JOB.path, "mapsight/openimages/dataset.py"),
        explore_stage.explore_identity,
        explore_stage.explore,
    ),
    Stage(
        "annotate",
        ("extract",),
        (annotate_stage.JOB.path, "mapsight/openimages/dataset.py"),
        annotate_stage.annotate_identity,
        annotate_stage.annotate,
        annotate_stage.drop_old_uploads,
    ),
    Stage(
        "fit",
        ("extract", "annotate"),
        (
            "driver/stages/fit.py",
            fit_stage.SPLIT.path,
            fit_stage.FIT.path,
            fit_stage.CALIBRATE.path,
        ),
        fit_stage.fit_identity,
        fit_stage.fit,
    ),
    Stage(
        "classify",
        ("extract", "annotate", "fit"),
        (
            classify_stage.JOB.path,
            "mapsight/labels/classify.py",
            "mapsight/data/imagenet_to_openimages.csv",
            "mapsight/data/openimages_parents.csv",
        ),
        classify_stage.classify_identity,
        classify_stage.classify,
    ),
    Stage(
        "vectors",
        ("extract", "annotate", "fit", "classify"),
        (vectors_stage.JOB.path, "driver/stages/vectors.py", "mapsight/index/vectors.py"),
        vectors_stage.vectors_identity,
        vectors_stage.vectors,
    ),
    Stage(
        "cluster",
        ("vectors",),
        (cluster_stage.JOB.path, "driver/stages/cluster.py", "mapsight/index/kmeans.py"),
        cluster_stage.cluster_identity,
        cluster_stage.cluster,
        unfinished=cluster_stage.converging,
        steps=True,
    ),
    Stage(
        "index",
        ("vectors", "cluster"),
        (index_stage.JOB.path, "driver/stages/index.py", "mapsight/index/build.py"),
        index_stage.index_identity,
        index_stage.index,
    ),
    Stage(
        "recall",
        ("index",),
        (
            probe_job.JOB.path,
            "driver/stages/recall.py",
            "mapsight/search/recall.py",
            "mapsight/search/probe.py",
        ),
        recall_stage.recall_identity,
        recall_stage.recall,
    ),
    Stage("count", ("classify",), (count_stage.JOB.path,), _nothing, count_stage.count),
    Stage(
        "rank",
        ("classify", "count"),
        (rank_stage.JOB.path,),
        rank_stage.rank_identity,
        rank_stage.rank,
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
        merge_stage.merge_identity,
        merge_stage.merge,
        published=True,
    ),
    Stage(
        "render",
        ("merge", "extract"),
        (
            "driver/results/sheets.py",
            "driver/results/render.py",
            "mapsight/report/report.py",
            "mapsight/features/thumbnails.py",
            *TEMPLATES,
        ),
        _nothing,
        render_stage.render,
        published=True,
    ),
)
