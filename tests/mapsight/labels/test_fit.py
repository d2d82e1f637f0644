"""Sums and what is solved from them, against numpy and scikit-learn on all pictures at once."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge

from mapsight.labels.examples import Example
from mapsight.labels.fit_sums import BLOCK, MOST_WEIGHT, ONE, FitPlan, FitSums, plan_fit
from mapsight.labels.head import FIXED, UNIT
from mapsight.labels.solve import LAMBDAS, ridge_path, solve_head

D = 12
PLAN = FitPlan([("Lion", "photo", 40), ("Lion", "drawing", 9), ("other", "", 60)], (70, 20))


def pictures(n: int, seed: int = 0) -> list[tuple[np.ndarray, Example]]:
    """Unit vectors of int16 with a label, a style or an absence."""
    rng, made = np.random.default_rng(seed), []
    for number in range(n):
        v = np.abs(rng.standard_normal(D)) + np.eye(D)[number % 3]
        x = np.rint(v / np.linalg.norm(v) * UNIT).astype(np.int16)
        label = [("Lion",), ("other",), None][number % 3]
        absent = ("Lion",) if number % 6 == 2 else ()
        style = ["photo", "drawing", "", "photo"][int(rng.integers(4))]
        made.append((x, Example("train", label, absent, style, f"{number:016x}")))
    return made


def summed(rows: list, plan: FitPlan = PLAN) -> FitSums:
    sums = FitSums(plan, D)
    for x, example in rows:
        sums.add(x, example)
    return sums


def merged(tasks: list[list], plan: FitPlan = PLAN) -> FitSums:
    """As the job does it: each task's rows in any order to one reducer."""
    rows = [row for task in tasks for row in summed(task, plan).rows()]
    random.Random(len(rows)).shuffle(rows)
    total = FitSums(plan, D)
    total.add_rows(rows)
    return total


def test_sums_are_those_of_all_pictures_at_once():
    rows = pictures(2 * BLOCK + 7)
    sums = merged([rows])
    goals = [(x.astype(object), PLAN.goal(example)) for x, example in rows]
    used = [(x, goal) for x, goal in goals if goal]
    gram = sum(goal.weight * np.outer(x, x) for x, goal in used)
    cross = sum(np.outer(goal.weight * goal.y.astype(int).astype(object), x) for x, goal in used)
    assert (sums.gram["class"] == gram).all()
    assert (sums.cross["class"] == cross).all()
    assert sums.n == {
        "class": len(used),
        "style": sum(e.style != "" for _, e in rows),
        "plain": 519,
    }
    assert (sums.cross["plain"][0] == sum(x.astype(int) for x, _ in rows)).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 300), st.integers(1, 8), st.integers(0, 99))
def test_sums_do_not_depend_on_split_or_order(n, tasks, seed):
    rows = pictures(n, seed)
    whole, parts = summed(rows), rows[:]
    random.Random(seed).shuffle(parts)
    split = merged([parts[task::tasks] for task in range(tasks)])
    list(whole.rows())
    for name in ("class", "style", "plain"):
        assert (whole.gram[name] == split.gram[name]).all()
        assert (whole.cross[name] == split.cross[name]).all()
    assert (whole.seen == split.seen).all()


def test_the_largest_sums_are_still_exact():
    """A whole block of the heaviest pictures in one direction: 2**52, and no bit is lost."""
    plan = FitPlan([("Lion", "", 1)], (0, 0))
    x = np.full(2, UNIT, np.int16)
    sums = FitSums(plan, 2)
    for number in range(BLOCK):
        sums.add(x, Example("train", ("Lion",), (), "", f"{number:x}"))
    list(sums.rows())
    assert plan.weight(1) == MOST_WEIGHT
    assert sums.gram["class"][0, 1] == BLOCK * MOST_WEIGHT * UNIT * UNIT


def test_weights_keep_the_sum_of_nine_million_pictures_in_64_bits():
    plan = FitPlan([(str(i), "", 15_000) for i in range(600)], (0, 0))
    assert sum(n * plan.weight(n) for _, _, n in plan.classes) * UNIT * UNIT < 2**63


@pytest.mark.parametrize(
    ("example", "goal"),
    [
        ((("Lion",), "photo"), [ONE, 0, 0]),
        ((("Lion",), ""), [ONE, 0, 0]),
        ((("Lion",), "drawing"), [0, ONE, 0]),
        ((("Lion", "other"), "drawing"), [0, ONE, ONE]),
        ((("Zebra",), "photo"), None),
        ((None, "photo"), None),
    ],
)
def test_goals_of_verified_labels(example, goal):
    found = PLAN.goal(Example("train", example[0], (), example[1], "0"))
    assert (found.y.tolist() if found else None) == goal


def test_of_an_absence_each_other_class_gets_its_share():
    plan = FitPlan([("Lion", "", 50), ("Tiger", "", 30), ("other", "", 90)], (0, 0))
    goal = plan.goal(Example("train", None, ("Lion",), "", "0"))
    assert goal.y.tolist() == [0, ONE // 4, ONE * 3 // 4]
    assert goal.weight == plan.weight(90)


def test_classes_need_five_examples_and_two_styles_five_each():
    n = {("Lion", "photo"): 9, ("Lion", ""): 1, ("Lion", "drawing"): 5, ("Tiger", "photo"): 6}
    n |= {("Tiger", "drawing"): 4, ("Zebra", "photo"): 4, ("other", ""): 7}
    counts = {("class", "train", *key): value for key, value in n.items()}
    counts |= {("class", "test", "Zebra", "photo"): 99, ("style", "train", "drawing"): 3}
    plan = plan_fit(counts, ["Lion", "Tiger", "Zebra"])
    lions = [("Lion", "photo", 10), ("Lion", "drawing", 5)]
    assert plan.classes == [*lions, ("Tiger", "", 10), ("other", "", 7)]
    assert plan.styles == (0, 3)


def test_the_head_is_the_ridge_of_scikit_learn():
    rows = pictures(200)
    head, tried = solve_head(merged([rows]))
    goals = [(x / UNIT, PLAN.goal(example)) for x, example in rows]
    x = np.array([x for x, goal in goals if goal])
    y = np.array([goal.y / ONE for _, goal in goals if goal])
    w = np.array([goal.weight / PLAN.scale for _, goal in goals if goal])
    for strength, weights in zip(LAMBDAS, tried, strict=True):
        ridge = Ridge(alpha=strength, fit_intercept=False).fit(x, y, sample_weight=w)
        assert np.abs(weights / FIXED - ridge.coef_).max() < 2 / FIXED
    assert (head.weights == tried[head.about["class_ridge"]["best"]]).all()


def test_generalised_cross_validation_by_its_definition():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((30, 5)), rng.standard_normal((30, 2))
    w = rng.uniform(0.2, 2, 30)[:, None]
    gcv, df, _ = ridge_path((w * x).T @ x, (w * y).T @ x, (w * y * y).sum(0), 30)
    for number, strength in enumerate(LAMBDAS):
        root = np.sqrt(w) * x
        hat = root @ np.linalg.solve(root.T @ root + strength * np.eye(5), root.T)
        rest = np.sqrt(w) * y - hat @ (np.sqrt(w) * y)
        assert gcv[number] == pytest.approx((rest**2).sum() / 30 / (1 - np.trace(hat) / 30) ** 2)
        assert df[number] == pytest.approx(np.trace(hat))


def test_components_are_those_of_scikit_learn():
    rows = pictures(300)
    head, _ = solve_head(merged([rows]))
    x = np.array([x for x, _ in rows]) / UNIT
    pca = PCA().fit(x)
    assert np.abs(head.mean / FIXED - x.mean(0)).max() < 1 / FIXED
    cosines = np.abs((head.components / FIXED * pca.components_).sum(1))
    assert cosines == pytest.approx(1, abs=1e-5)
    assert head.about["explained_variance"] == pytest.approx(
        pca.explained_variance_ratio_, abs=1e-6
    )


def test_the_style_is_learned():
    rng, rows = np.random.default_rng(3), []
    for number in range(100):
        style = ["photo", "drawing"][number % 2]
        v = np.abs(rng.standard_normal(D)) + 3 * np.eye(D)[number % 2]
        x = np.rint(v / np.linalg.norm(v) * UNIT).astype(np.int16)
        rows.append((x, Example("train", ("Lion",), (), style, f"{number:x}")))
    head, _ = solve_head(merged([rows], FitPlan([("Lion", "", 100)], (50, 50))))
    assert sum(head.style(x)[0] == e.style for x, e in rows) > 95


def test_with_many_classes_no_strength_but_the_best_is_held():
    classes, d = 400, 64
    plan = FitPlan([(str(n), "", 9) for n in range(classes)], (0, 0))
    sums = FitSums(plan, d)
    sums.gram["class"][:] = np.eye(d, dtype=np.int64) * (plan.scale * UNIT * UNIT)
    sums.cross["class"][:] = 1
    sums.n.update({"class": 9, "plain": 9})
    tracemalloc.start()
    solve_head(sums)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * sums.cross["class"].nbytes


def test_nothing_to_fit_is_said():
    with pytest.raises(ValueError, match="no example"):
        solve_head(FitSums(PLAN, D))
