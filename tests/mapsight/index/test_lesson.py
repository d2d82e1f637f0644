from __future__ import annotations

import pytest

from mapsight.index.lesson import (
    AXES_ROWS,
    PROJECT_FROM,
    SAMPLE_BYTES,
    Lesson,
    cells_for,
    converging,
    share_below,
)
from mapsight.workspace.index_facts import KMeansStep


@pytest.mark.parametrize(
    ("n", "k"), [(0, 1), (15, 1), (32, 2), (983, 32), (10**5, 2048), (10**9, 16384)]
)
def test_how_many_cells(n, k):
    assert cells_for(n) == k


def test_about_the_wanted_share_is_below():
    assert share_below(10, 10) == share_below(11, 10) == 1 << 64
    assert share_below(1, 4) == 1 << 62


@pytest.mark.parametrize(
    ("rows", "plain_d", "left"),
    [
        (PROJECT_FROM, 1024, 256),
        (PROJECT_FROM - 1, 1024, 0),
        (PROJECT_FROM, 256, 0),
        (PROJECT_FROM, 257, 256),
    ],
)
def test_embeddings_are_projected_where_it_saves_work(rows, plain_d, left):
    assert Lesson(rows, 32, plain_d + 10, plain_d).projected == left


@pytest.mark.parametrize(
    ("rows", "cells", "d", "plain_d", "fits"),
    [
        (262_144, 2048, 1034, 1024, True),
        (10**6, 2048, 1034, 1024, True),
        (10**6, 4096, 1034, 1024, False),
        (10**6, 2048, 266, 256, True),
        (4000, 256, 30_000, 20_000, False),
    ],
)
def test_one_task_learns_where_the_sample_fits_into_it(rows, cells, d, plain_d, fits):
    lesson = Lesson(rows, cells, d, plain_d)
    left = d - plain_d + (lesson.projected or plain_d)
    assert lesson.in_one_task == fits == (2 * left * lesson.sample <= SAMPLE_BYTES)


def test_few_cells_learn_from_as_many_pictures_as_axes_are_found_from():
    lesson = Lesson(100_000, 4, 1024, 1024)
    assert lesson.sample == AXES_ROWS and lesson.below == lesson.seeds_below
    many = Lesson(10**7, 16_384, 1024, 1024)
    assert many.seeds_below < many.below < 1 << 64


@pytest.mark.parametrize(
    ("inertias", "shift", "more"),
    [
        ([], 1, True),
        ([5], 1, True),
        ([5], 0, False),
        ([100, 80], 1, True),
        ([100, 95], 1, False),
        ([100, 80], 0, False),
        ([9, 8, 7, 6], 1, False),
    ],
)
def test_iterations_end_when_centres_stay_or_improve_too_little(inertias, shift, more):
    history = [KMeansStep(inertia, 9, shift, 0) for inertia in inertias]
    assert converging(history, 4, 0.1) is more
