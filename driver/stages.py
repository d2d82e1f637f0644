"""The stage table: what runs, in what order, on what, with which options."""

from __future__ import annotations

from typing import Any

from driver import (
    explore_stage,
    extract_stage,
    fit_stage,
    index_stage,
    label_stages,
    plan_stage,
    present,
    recall_stage,
    shard_stages,
    vector_stages,
)
from driver.duplicates_stage import DUPLICATES
from driver.fingerprint import ROOT
from driver.launch import JOBS
from driver.pipeline import Pipeline, Stage

__all__ = ["STAGE_TABLE"]


def _nothing(run: Pipeline) -> dict[str, Any]:
    return {}


TEMPLATES = tuple(
    path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "mapsight/templates").iterdir())
)

STAGE_TABLE = (
    Stage("plan", (), ("mapsight/plan.py",), plan_stage.plan_identity, plan_stage.plan),
    Stage(
        "ingest",
        ("plan",),
        (JOBS["pack"].path, "mapsight/pack.py"),
        shard_stages.ingest_identity,
        shard_stages.ingest,
    ),
    Stage(
        "fetch",
        ("plan",),
        (JOBS["fetch"].path, "mapsight/fetch_shards.py"),
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
            "mapsight/extract.py",
            "mapsight/sandbox.py",
            "mapsight/shards.py",
            "mapsight/data/imagenet_to_openimages.csv",
        ),
        extract_stage.extract_identity,
        extract_stage.extract,
        extract_stage.check_share,
    ),
    Stage(
        "explore",
        (),
        (JOBS["explore"].path, "mapsight/openimages.py"),
        explore_stage.explore_identity,
        explore_stage.explore,
    ),
    Stage(
        "annotate",
        ("extract",),
        (JOBS["annotate"].path, "mapsight/openimages.py"),
        label_stages.annotate_identity,
        label_stages.annotate,
        label_stages.drop_old_uploads,
    ),
    Stage(
        "fit",
        ("extract", "annotate"),
        ("driver/fit_stage.py", *(JOBS[verb].path for verb in ("split", "fit", "calibrate"))),
        fit_stage.fit_identity,
        fit_stage.fit,
    ),
    Stage(
        "classify",
        ("extract", "annotate", "fit"),
        (
            JOBS["classify"].path,
            "mapsight/classify.py",
            "mapsight/data/imagenet_to_openimages.csv",
            "mapsight/data/openimages_parents.csv",
        ),
        label_stages.classify_identity,
        label_stages.classify,
    ),
    Stage(
        "vectors",
        ("extract", "annotate", "fit", "classify"),
        (JOBS["map"].path, "driver/vector_stages.py", "mapsight/new_features.py"),
        vector_stages.vectors_identity,
        vector_stages.vectors,
    ),
    Stage(
        "cluster",
        ("vectors",),
        (JOBS["cluster"].path, "driver/vector_stages.py", "mapsight/kmeans.py"),
        vector_stages.cluster_identity,
        vector_stages.cluster,
        unfinished=vector_stages.converging,
        steps=True,
    ),
    Stage(
        "index",
        ("vectors", "cluster"),
        (JOBS["build"].path, "driver/index_stage.py", "mapsight/index_build.py"),
        index_stage.index_identity,
        index_stage.index,
    ),
    Stage(
        "recall",
        ("index",),
        (JOBS["probe"].path, "driver/recall_stage.py", "mapsight/recall.py", "mapsight/probe.py"),
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
            "driver/evaluation_tables.py",
            "driver/explore_stage.py",
            "driver/index_tables.py",
            "driver/noticed.py",
            "driver/present.py",
            "mapsight/results.py",
        ),
        present.merge_identity,
        present.merge,
        published=True,
    ),
    Stage(
        "render",
        ("merge", "extract"),
        (
            "driver/cards.py",
            "driver/present.py",
            "mapsight/report.py",
            "mapsight/thumbnails.py",
            *TEMPLATES,
        ),
        _nothing,
        present.render,
        published=True,
    ),
)
