"""Subsets of made-up pictures."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from mapsight.browse.columns import Columns
from mapsight.choose.candidates import drawn
from mapsight.choose.choice import POOL, Choice, choose
from mapsight.choose.groups import grouped
from mapsight.errors import Failure
from mapsight.index.rows import order_of
from tests.support.browse_world import MadeUp, columns_of, facts

FACTS = facts(300)
FRAME = pd.DataFrame(FACTS).set_index("image_id", drop=False).sort_index()


@pytest.fixture(scope="module")
def columns(tmp_path_factory) -> Columns:
    return columns_of(tmp_path_factory.mktemp("columns"), MadeUp({0: FACTS}))


class FirstOnes:
    """Stands for what spreads: takes the first candidates of each group, and remembers them."""

    def __init__(self, columns: Columns, lost: int = 0) -> None:
        ids = columns.ids.to_pylist()
        self.ids, self.lost = {order_of(one): one for one in ids}, lost

    def __call__(self, table, quotas, sizes):
        self.sizes, found = sizes, {}
        rows = table.to_pylist()
        for group, quota in enumerate(quotas):
            mine = [self.ids[row["order"]] for row in rows if row["group"] == group]
            assert len(mine) == sizes[group]
            found[group] = mine[: quota - self.lost]
        return found


def ids(columns: Columns, rows: np.ndarray | None = None, spread=None, **asked) -> list[str]:
    rows = np.arange(columns.rows, dtype=np.uint32) if rows is None else rows
    chosen = choose(columns, rows, Choice(**asked), "image_id", spread or FirstOnes(columns))
    return [one for some in chosen.selection.ids() for one in some]


def random_order(seed: int = 0) -> list[str]:
    orders = np.array([order_of(one) for one in FRAME.index], np.uint64)
    return FRAME.index[np.argsort(drawn(orders, seed))].tolist()


def test_without_more_it_is_a_random_sample_by_seed(columns):
    assert ids(columns, count=20, seed=3) == sorted(random_order(3)[:20])
    assert ids(columns, count=20) != ids(columns, count=20, seed=1)


def test_more_pictures_change_nothing_of_the_order_of_the_others(columns):
    half = np.arange(0, columns.rows, 2, dtype=np.uint32)
    names = set(FRAME.index[half])
    assert ids(columns, half, count=9) == sorted([n for n in random_order() if n in names][:9])


def test_labels_and_styles_have_equal_shares(columns):
    chosen = FRAME.loc[ids(columns, count=60, balance=("label", "style"))]
    counts = Counter(zip(chosen["label"], chosen["style"].fillna("unknown"), strict=True))
    assert set(counts.values()) == {5} and len(counts) == 12


def test_what_a_small_group_lacks_is_said_and_given_by_others(columns):
    few = FRAME.index.get_indexer(FRAME[FRAME.label == "Lion"].index[:4])
    others = np.flatnonzero(FRAME.label != "Lion")
    rows = np.sort([*few, *others]).astype(np.uint32)
    asked = Choice(count=40, balance=("label",))
    chosen = choose(columns, rows, asked, "image_id", FirstOnes(columns))
    assert list(chosen.lines()) == ["Lion: 4 of 10"]
    assert sorted(chosen.groups.quotas) == [4, 12, 12, 12]


def test_near_the_model_are_the_least_sure_and_the_unknown_come_last(columns):
    scores = FRAME.loc[ids(columns, count=30, near_model=True), "score"]
    assert scores.max() <= FRAME["score"].nsmallest(30).max()
    assert FRAME.loc[ids(columns, count=299, near_model=True), "score"].isna().sum() == (
        FRAME["score"].isna().sum() - 1
    )


def test_the_least_alike_are_chosen_of_the_least_sure(columns):
    spread = FirstOnes(columns)
    chosen = ids(columns, spread=spread, count=8, near_model=True, diverse=True)
    assert spread.sizes == [8 * POOL]
    assert FRAME.loc[chosen, "score"].max() <= FRAME["score"].nsmallest(8 * POOL).max()


def test_all_may_be_chosen_that_fit_and_are_of_a_group_with_a_share(columns):
    spread = FirstOnes(columns)
    assert len(ids(columns, spread=spread, count=3, balance=("label",), diverse=True)) == 3
    sizes = FRAME["label"].value_counts()
    assert sorted(one for one in spread.sizes if one) == sorted(sizes.nlargest(3))


def test_an_index_that_changes_meanwhile_is_an_error(columns):
    with pytest.raises(Failure, match="try again"):
        ids(columns, spread=FirstOnes(columns, lost=1), count=8, diverse=True)


def test_the_order_of_what_is_chosen_is_asked_for(columns):
    rows = np.arange(columns.rows, dtype=np.uint32)
    chosen = choose(columns, rows, Choice(count=30), "-sharpness", FirstOnes(columns))
    values = columns.values("sharpness", chosen.selection.rows)
    assert (np.diff(values) <= 0).all() and chosen.selection.total == 30


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"count": 0}, "count 0: 1 or more"),
        ({"count": 1, "balance": ("colour",)}, "balance 'colour': one of label, style"),
        ({"count": 1, "seed": -1}, "seed -1: 0 or more"),
        ({"count": 10_000, "diverse": True}, "at most 8,192"),
    ],
)
def test_what_cannot_be_chosen_is_refused(columns, asked, message):
    with pytest.raises(ValueError, match=message):
        ids(columns, np.zeros(10_000, np.uint32), **asked)


def test_of_no_pictures_none_are_chosen(columns):
    assert ids(columns, np.zeros(0, np.uint32), count=5, balance=("label",)) == []
    assert grouped(columns, np.zeros(0, np.uint32), (), 5).quotas == [0]
