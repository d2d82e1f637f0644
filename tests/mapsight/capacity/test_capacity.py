"""Estimates against cases worked out by hand, and what must hold for all of them."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsight.capacity.estimate import estimate
from mapsight.capacity.job_costs import Demand, feature_bytes, model_seconds, multiply_adds
from mapsight.capacity.job_costs import rest_seconds as rest
from mapsight.capacity.limits import limits
from mapsight.inputs.splits import MOST_SPLITS, PER_PICTURE, SPLIT_BYTES
from mapsight.results.table_parts import ONE_FILE_ROWS
from tests.support.paths import ROOT

SPLIT = 1000  # pictures of SIZE bytes fill a split exactly
SIZE = SPLIT_BYTES / SPLIT - PER_PICTURE

FIGURES = {
    "model.1.0/224.float32.seconds": 0.5,
    "model.0.25/128.float32.seconds": 0.5,
    "extract.small.bytes": 0.0,
    "extract.small.seconds": 0.5,
    "extract.large.bytes": 1e6,
    "extract.large.seconds": 0.5,
    "features.1.0.raw": 4000,
    "features.0.25.raw": 1000,
    "features.1.0.gzip": 2000,
    "features.0.25.gzip": 500,
    "extract.reduce.seconds": 0.01,
    "sort.seconds": 0.0,
    "shard.overhead": 100,
    "plan.seconds": 0.001,
    "ingest.seconds": 0.02,
    "classes.map.seconds": 0.0007,
    "classify.map.seconds": 0.003,
    "classify.reduce.seconds": 0.002,
    "classify.shuffle.raw": 600,
    "classify.shuffle.gzip": 150,
    "predictions.raw": 600,
    "predictions.gzip": 150,
    "count.map.seconds": 0.001,
    "rank.map.seconds": 0.004,
    "rank.reduce.seconds": 0.005,
    "rank.shuffle.raw": 700,
    "rank.shuffle.gzip": 200,
    "ranked.raw": 500,
    "ranked.gzip": 100,
    "merge.seconds": 0.0001,
    "results.bytes": 300,
    "parts.predictions.map.seconds": 0.001,
    "parts.ranking.map.seconds": 0.002,
    "parts.predictions.reduce.seconds": 0.003,
    "parts.ranking.reduce.seconds": 0.004,
    "parts.shuffle.raw": 1342.17728,
    "parts.shuffle.gzip": 300,
    "task.start.seconds": 1.0,
    "hadoop.task.seconds": 2.0,
    "local.task.seconds": 0.0,
    "hadoop.job.seconds": 20.0,
    "local.job.seconds": 1.0,
    "emr.start.seconds": 600.0,
}
BY_HEAD = {"classify.map.seconds": 0.03, "predictions.gzip": 300, "predictions.raw": 1000}
METADATA = {
    "metadata.row.bytes": 100,
    "explore.row.map.seconds": 1e-3,
    "explore.row.reduce.seconds": 1e-4,
    "explore.row.merge.seconds": 2e-5,
    "explore.row.raw": 40,
    "explore.row.gzip": 10,
    "annotate.map.seconds": 2e-3,
    "annotate.row.map.seconds": 1e-3,
    "annotate.reduce.seconds": 3e-3,
    "annotate.row.reduce.seconds": 1e-4,
    "annotate.row.raw": 90,
    "annotate.row.gzip": 30,
    "joined.row.raw": 60,
    "joined.row.gzip": 20,
    "split.map.seconds": 1e-3,
    "split.reduce.seconds": 5e-4,
    "split.shuffle.raw": 60,
    "split.shuffle.gzip": 15,
    "calibrate.map.seconds": 4e-4,
    **{
        f"fit.{name}.seconds.1.0": value for name, value in (("map", 8e-3), ("emit", 2), ("add", 3))
    },
    **{
        f"fit.{name}.seconds.0.25": value
        for name, value in (("map", 5e-4), ("emit", 1), ("add", 0))
    },
    "fit.solve.seconds.1.0": 64,
    "fit.solve.seconds.0.25": 1,
    "fit.emit.bytes.1.0": 8e6,
    "fit.emit.bytes.0.25": 5e5,
    **{f"head.{name}": value for name, value in BY_HEAD.items()},
}
INDEX = {
    "plan.listing.bytes": 300,
    "vectors.map.seconds": 1e-3,
    "vectors.fields.bytes": 400,
    "cluster.read.seconds": 1e-5,
    "cluster.row.seconds": 1e-4,
    "cluster.product.seconds": 1e-10,
    "cluster.emit.seconds": 1e-8,
    "cluster.reduce.seconds": 1e-3,
    "cluster.sum.raw": 10,
    "cluster.sum.gzip": 4,
    "index.map.seconds": 2e-4,
    "index.reduce.seconds": 5e-4,
    "index.shuffle.raw": 3000,
    "index.shuffle.gzip": 2000,
    "index.bytes": 2500,
    "probe.row.seconds": 1e-5,
    "probe.pair.seconds": 1e-7,
    "probe.answers.raw": 3000,
    "probe.merge.seconds": 1e-4,
}
FIGURES |= METADATA | INDEX
HADOOP = Demand("hadoop", images=100_000, cores=30, picture_bytes=SIZE)
LABELLED = replace(HADOOP, rows=4_000_000)  # 400 MB


def stages(demand: Demand):
    return {stage.name: stage for stage in estimate(demand, FIGURES).stages}


# ---- multiply-adds: Howard et al. 2017, tables 6 and 7, in millions


@pytest.mark.parametrize(
    ("alpha", "resolution", "millions"),
    [
        *((1.0, 224, 569), (0.75, 224, 325), (0.5, 224, 149), (0.25, 224, 41)),
        *((1.0, 192, 418), (1.0, 160, 291), (1.0, 128, 186)),
    ],
)
def test_multiply_adds_are_the_published_ones(alpha, resolution, millions):
    assert round(multiply_adds(alpha, resolution) / 1e6) == millions


# ---- worked by hand: 100,000 pictures are 100 splits; 30 cores take them in 4 waves


def test_extract_takes_its_waves_of_tasks():
    found = stages(HADOOP)["extract"]
    assert (found.maps, found.reduces) == (100, 3)  # 400 MB raw / 128 MiB
    maps, reduces = 3 + 1000 * 1.0, 3 + 100_000 / 3 * 0.01
    assert found.seconds == pytest.approx(20 + 4 * maps + 1 * reduces)
    assert found.core_seconds == pytest.approx(100 * maps + 3 * reduces)


def test_extract_shuffles_and_stores_compressed_features_on_hadoop():
    found = stages(HADOOP)["extract"]
    assert (found.shuffled, found.stored) == (2e8, 2e8)


def test_on_one_machine_nothing_is_compressed():
    found = stages(replace(HADOOP, runner="local"))["extract"]
    assert (found.shuffled, found.stored) == (4e8, 4e8)


def test_ingest_stores_the_pictures_with_what_a_row_needs():
    found = stages(HADOOP)["ingest"]
    assert (found.maps, found.reduces) == (100, 0)
    assert found.stored == pytest.approx(100_000 * (SIZE + 100))


def test_pictures_in_parquet_are_neither_listed_nor_packed():
    found = stages(replace(HADOOP, loose=False))
    assert "ingest" not in found
    assert found["plan"].seconds == 0


def test_classify_reads_features_and_writes_predictions():
    found = stages(HADOOP)["classify"]
    assert (found.maps, found.reduces) == (2 + 2, 1 + 1)  # 200 MB read, 60 MB shuffled
    maps, reduces = 3 + 50_000 * 0.003, 3 + 100_000 * 0.002
    classes = 20 + 3 + 50_000 * 0.0007 + 3  # which are counted first, by a job
    assert found.seconds == pytest.approx(classes + 20 + maps + reduces)
    assert (found.shuffled, found.stored) == (1.5e7, 1.5e7)


def test_rank_writes_every_picture_twice():
    found = stages(HADOOP)["rank"]
    assert (found.shuffled, found.stored) == (2e7, 1e7)


def test_the_driver_merges_alone():
    found = stages(HADOOP)["merge"]
    assert (found.seconds, found.core_seconds, found.stored) == (pytest.approx(10), 0, 3e7)


def test_a_job_writes_the_tables_of_more_than_a_million_pictures():
    assert stages(replace(HADOOP, images=ONE_FILE_ROWS))["merge"].maps == 0
    found = stages(replace(HADOOP, images=2_000_000, cores=20))["merge"]
    read, shuffled = 2_000_000 * (150 + 100), 2_000_000 * 300
    assert (found.maps, found.reduces) == (math.ceil(read / 2**27), 20)
    maps, reduces = 3 + 500_000 * 0.003, 3 + 100_000 * 0.007
    assert found.seconds == pytest.approx(20 + maps + reduces)
    assert (found.shuffled, found.stored) == (shuffled, 2_000_000 * 300)


def test_the_total_is_the_sum_of_its_stages_and_the_start():
    found = estimate(replace(HADOOP, runner="emr"), FIGURES)
    assert found.total.seconds == 600 + sum(stage.seconds for stage in found.stages)
    assert found.total.core_seconds == sum(stage.core_seconds for stage in found.stages)


def test_every_core_is_paid_from_start_to_end():
    found = estimate(HADOOP, FIGURES)
    assert found.cost(0.5) == pytest.approx(0.5 * 30 * found.total.seconds / 3600)


def test_a_small_collection_is_spread_over_tasks():
    found = stages(replace(HADOOP, images=800))["extract"]
    assert found.maps == 4  # 200 pictures each
    found = stages(replace(HADOOP, runner="local", images=200))["extract"]
    assert found.maps == 4  # 50 pictures each
    assert stages(replace(HADOOP, cores=3, images=900))["extract"].maps == 3


# ---- with metadata


def test_without_metadata_nothing_is_explored_joined_or_fitted():
    names = list(stages(HADOOP))
    cells = ["vectors", "cluster", "index", "recall"]
    assert names == ["plan", "ingest", "extract", "classify", *cells, "count", "rank", "merge"]


def test_metadata_is_explored_and_joined_and_a_head_fitted_after_extract():
    names = list(stages(LABELLED))
    assert names[2:7] == ["extract", "explore", "annotate", "fit", "classify"]


def test_explore_is_two_jobs_over_the_rows():
    found = stages(LABELLED)["explore"]
    assert (found.maps, found.reduces) == (9 + 3, 3 + 3)  # 9 files; 400 MB / 128 MiB
    work = [(9, 4000), (3, 400), (3, 0), (3, 80)]
    assert found.core_seconds == pytest.approx(sum(3 * n + seconds for n, seconds in work))
    assert found.seconds == pytest.approx(2 * 20 + sum(3 + seconds / n for n, seconds in work))
    assert (found.shuffled, found.stored) == (4e7, 0)


def test_annotate_joins_rows_with_the_files_of_features():
    found = stages(LABELLED)["annotate"]
    assert (found.maps, found.reduces) == (9 + 3, 6)  # 800 MB raw / 128 MiB
    maps, reduces = 200 + 4000, 300 + 400
    assert found.core_seconds == pytest.approx(3 * 18 + maps + reduces)
    assert (found.shuffled, found.stored) == (2e8 + 1.2e8, 2e8 + 8e7)


def test_fit_is_three_jobs_over_the_joined_records():
    found = stages(LABELLED)["fit"]
    assert (found.maps, found.reduces) == (3 * 3, 3)  # 280 MB / 128 MiB
    examples, sums, calibration = 100 + 50, 800 + 3 * 2 + 3 * 3 + 64, 40
    assert found.core_seconds == pytest.approx(3 * 12 + examples + sums + calibration)
    assert found.shuffled == pytest.approx(1.5e6 + 3 * 8e6)


def test_narrow_embeddings_are_fitted_in_less_time():
    found = stages(replace(LABELLED, alpha=0.25))["fit"]
    assert (found.maps, found.reduces) == (3 * 1, 3)  # 50 MB of features, 80 MB of annotations
    assert found.core_seconds == pytest.approx(3 * 6 + 150 + (50 + 1 + 0 + 1) + 40)


def test_a_head_makes_labelling_dearer():
    found = stages(LABELLED)
    assert found["classify"].core_seconds == pytest.approx(3 * (3 + 1) + 3000 + 200)  # one job
    assert (found["classify"].stored, stages(HADOOP)["classify"].stored) == (3e7, 1.5e7)


# ---- the index: 100,000 pictures have 2,048 cells, and all are learned from


def test_new_features_are_rows_in_a_file_of_each_task():
    found = stages(HADOOP)["vectors"]
    assert (found.maps, found.reduces) == (2, 1)  # 200 MB / 128 MiB; sums of labels
    assert found.stored == pytest.approx(100_000 * (2048 + 400))


def test_cells_of_a_sample_that_fits_a_task_take_one_job():
    found = stages(HADOOP)["cluster"]
    assert (found.maps, found.reduces) == (2, 1)
    sent = 100_000 * (1e-5 + 1e-4 + 2e-4)
    work = 100_000 * (10 * (1e-4 + 2048 * 256 * 1e-10) + 1024 * 256 * 1e-10)
    assert found.core_seconds == pytest.approx(3 * 3 + sent + work)
    assert found.shuffled == pytest.approx(100_000 * 2000)


def test_cells_of_more_take_seeds_and_ten_iterations():
    found = stages(replace(HADOOP, images=1_000_000))["cluster"]
    assert (found.maps, found.reduces) == (15 * 11, 1 + 10 * 3)  # sums of 315 MB
    sums = 15 * 8192 * 256
    work = 10 + 100 + 10**6 * (8192 + 1024) * 256 * 1e-10 + sums * (1e-8 + 1e-3 / 1024)
    seeds = 10 + 2 * 8192 * 2e-4
    assert found.core_seconds == pytest.approx(3 * 196 + seeds + 10 * work)
    assert found.shuffled == pytest.approx(2 * 8192 * 2000 + 10 * sums * 4)


def test_cells_are_learned_from_no_more_pictures_than_they_need():
    one, two = (stages(replace(HADOOP, images=n))["cluster"] for n in (10_000_000, 20_000_000))
    more = 10_000_000 * 1e-5 * 11  # only reading
    assert two.core_seconds - one.core_seconds == pytest.approx(more + 3 * (two.maps - one.maps))


def test_the_index_compares_every_row_with_all_centres_and_sorts_it_to_its_cell():
    found = stages(HADOOP)["index"]
    assert (found.maps, found.reduces) == (2, 3)  # 300 MB / 128 MiB
    maps, reduces = 100_000 * (2e-4 + (2048 + 1024) * 256 * 1e-10), 50
    assert found.core_seconds == pytest.approx(3 * 5 + maps + reduces)
    assert (found.shuffled, found.stored) == (2e8, 2.5e8)


def test_recall_reads_the_whole_index_for_its_queries_once_or_with_a_head_twice():
    found = stages(HADOOP)["recall"]
    assert (found.maps, found.reduces) == (4, 1)  # 250 MB / 64 MiB
    merged = 200 * 4 * 1e-4
    assert found.core_seconds == pytest.approx(3 * 5 + 1 + 100_000 * 200 * 1e-7 + merged)
    assert stages(LABELLED)["recall"].maps == 8


def test_few_pictures_have_an_index_of_one_cell():
    found = estimate(replace(HADOOP, images=3), FIGURES)
    assert found.searches
    assert "cluster" in {stage.name for stage in found.stages}


def test_a_query_reads_its_cells_and_many_read_each_cell_once():
    one, many = estimate(HADOOP, FIGURES).searches
    assert one.stored == pytest.approx(100_000 * 12 / 2048 * 2500)
    assert 0.99 * 2.5e8 < many.stored <= 2.5e8
    pairs = 10_000 * 100_000 * 12 / 2048
    work = many.stored / 2500 * 1e-5 + pairs * 1e-7 + 10_000 * 4 * 1e-4
    assert many.core_seconds == pytest.approx(3 * 5 + work)


# ---- what to watch


def told(demand: Demand, **figures: float) -> list[str]:
    known = {**FIGURES, **figures}
    return [text.split()[0] for text in limits(estimate(demand, known), known)]


def test_nothing_is_to_be_watched_at_nine_million():
    assert told(replace(HADOOP, images=9_000_000, cores=100)) == []


def test_a_billion_loose_files_are_too_many_to_list_and_cells_grow_large():
    billion = replace(HADOOP, images=1_000_000_000, cores=100)
    assert told(billion) == ["the", "there"]
    assert told(replace(billion, loose=False)) == ["there"]


def test_a_driver_that_merges_for_long_while_the_cluster_waits_is_told():
    assert told(HADOOP, **{"merge.seconds": 0.1}) == ["merge"]
    slow = {"merge.seconds": 0.1, "parts.ranking.map.seconds": 1.0}
    assert told(replace(HADOOP, images=2_000_000), **slow) == []


def test_a_job_has_no_more_tasks_than_hadoop_can_hold():
    billion = replace(HADOOP, images=1_000_000_000, loose=False)
    assert stages(billion)["extract"].maps == MOST_SPLITS


# ---- between the sizes that were measured


def test_a_model_between_two_sizes_takes_time_by_its_multiply_adds():
    figures = {
        **FIGURES,
        "model.1.0/224.float32.seconds": 0.569,
        "model.0.25/128.float32.seconds": 0,
    }
    least, most = multiply_adds(0.25, 128), multiply_adds(1.0, 224)
    share = (multiply_adds(0.5, 224) - least) / (most - least)
    assert model_seconds(replace(HADOOP, alpha=0.5), figures) == pytest.approx(0.569 * share)


def test_pictures_between_two_sizes_take_time_by_their_bytes():
    figures = {**FIGURES, "extract.large.seconds": 1.5}
    assert rest(replace(HADOOP, picture_bytes=250_000), figures) == pytest.approx(0.75)


def test_features_grow_with_the_embedding():
    assert feature_bytes(replace(HADOOP, alpha=0.5), FIGURES, "raw") == pytest.approx(2000)


# ---- for all

demands = st.builds(
    Demand,
    runner=st.sampled_from(["local", "hadoop", "emr"]),
    images=st.integers(1, 10_000_000),
    cores=st.integers(1, 500),
    picture_bytes=st.integers(1000, 2_000_000),
    alpha=st.sampled_from([0.25, 0.5, 0.75, 1.0]),
    resolution=st.sampled_from([128, 160, 192, 224]),
    rows=st.sampled_from([0, 10, 1_000_000, 100_000_000]),
)
MEASURED = {
    name: figure["value"]
    for name, figure in json.loads((ROOT / "driver/data/figures.json").read_text())[
        "figures"
    ].items()
}


@given(demands)
def test_twice_as_many_pictures_take_no_less_of_anything(demand):
    one = estimate(demand, MEASURED).total
    twice = replace(demand, images=2 * demand.images, rows=2 * demand.rows)
    two = estimate(twice, MEASURED).total
    assert two.seconds >= one.seconds * (1 - 1e-9)
    assert two.core_seconds >= one.core_seconds * (1 - 1e-9)
    assert (two.shuffled, two.stored) >= (one.shuffled, one.stored)


@given(demands.filter(lambda demand: demand.on_cluster), st.integers(1, 100))
def test_more_cores_of_a_cluster_never_take_longer(demand, more):
    one = estimate(demand, MEASURED).total.seconds
    two = estimate(replace(demand, cores=demand.cores + more), MEASURED).total.seconds
    assert two <= one


@given(demands)
def test_metadata_takes_no_less_of_anything(demand):
    one = estimate(replace(demand, rows=0), MEASURED).total
    two = estimate(replace(demand, rows=demand.rows or 1), MEASURED).total
    assert two.seconds >= one.seconds
    assert two.core_seconds >= one.core_seconds
    assert (two.shuffled, two.stored) >= (one.shuffled, one.stored)


@given(demands)
def test_no_core_is_busy_for_longer_than_the_run(demand):
    total = estimate(demand, MEASURED).total
    assert total.core_seconds <= demand.cores * total.seconds


@given(demands.filter(lambda demand: demand.picture_bytes < 1_000_000))
def test_larger_pictures_take_no_less(demand):
    one = estimate(demand, MEASURED).total
    two = estimate(replace(demand, picture_bytes=2 * demand.picture_bytes), MEASURED).total
    assert two.core_seconds >= one.core_seconds
    assert two.stored >= one.stored
