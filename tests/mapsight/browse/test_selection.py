"""Selections and pages of made-up pictures, against pandas."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsight.browse.browser import Browser
from mapsight.browse.filter_values import FilterError
from mapsight.browse.filters import Filters
from mapsight.browse.selection import SORTS, Cache
from mapsight.labels.flags import FLAG_NAMES, LOOKED, bits_of
from tests.support.browse_world import BY, LABELS, LICENSES, MadeUp, columns_of, facts

N = 300
FACTS = facts(N)
CELLS = {row["image_id"]: int(row["image_id"], 16) % 5 for row in FACTS}
KINDS = ["keeper", "near", "exact"]
GROUPS = [
    {"keeper": f"{i - i % 3:06x}", "image_id": f"{i:06x}", "kind": KINDS[i % 3]} for i in range(60)
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Browser:
    sources = MadeUp({0: FACTS}, CELLS, duplicates=GROUPS)
    return Browser(columns_of(tmp_path_factory.mktemp("columns"), sources), LABELS)


def frame() -> pd.DataFrame:
    table = pd.DataFrame(FACTS).set_index("image_id", drop=False).sort_index()
    table["pixels"] = table["width"] * table["height"]
    table["cell"] = pd.Series(CELLS)
    table["flags"] = table["flags"].fillna(0).astype(int)
    kinds = {row["image_id"]: row["kind"] for row in GROUPS}
    groups = {row["image_id"]: row["keeper"] for row in GROUPS}
    table["group"] = [groups.get(one, one) for one in table.index]
    table["duplicate"] = pd.Series([kinds.get(one) for one in table.index], table.index, object)
    table["disputed"] = [
        bool(t) and label not in t for t, label in zip(table.truth, table.label, strict=True)
    ]
    return table


FRAME = frame()


def fitting(filters: Filters) -> pd.DataFrame:
    """What pandas says fits."""
    fits = pd.Series(True, FRAME.index)
    for name in ("label", "style", "subset", "split", "format", "license", "cell"):
        if wanted := getattr(filters, name):
            fits &= FRAME[name].isin(wanted)
    for name in ("ppi", "sharpness", "pixels", "score", "bytes"):
        low, high = filters.bounds(name)
        fits &= FRAME[name].ge(low) if low is not None else True
        fits &= FRAME[name].le(high) if high is not None else True
    if filters.truth:
        fits &= FRAME["truth"].map(lambda t: bool(t and set(t) & set(filters.truth)))
    if filters.unsure:
        fits &= FRAME["score"] < 0.5
    if filters.disputed:
        fits &= FRAME["disputed"]
    if filters.flag:
        fits &= FRAME["flags"] & bits_of(filters.flag) > 0
    if filters.without_flag:
        fits &= FRAME["flags"] & (LOOKED | bits_of(filters.without_flag)) == LOOKED
    if filters.no_flags:
        fits &= FRAME["flags"] == LOOKED
    if filters.duplicates == "only":
        fits &= FRAME["duplicate"].notna()
    left = FRAME[fits]
    if filters.duplicates == "hide" and len(left):
        return left.loc[sorted(map(best, left.groupby("group").groups.values()))]
    return left


def best(group: pd.Index) -> str:
    """The picture of a group that is left: the keeper, or the one that would be it."""

    def place(image_id: str) -> tuple:
        row = FRAME.loc[image_id]
        ppi = 0 if pd.isna(row["ppi"]) else row["ppi"]
        return row["duplicate"] != "keeper", -ppi, -row["bytes"], image_id

    return min(group, key=place)


def in_order(table: pd.DataFrame, sort: str) -> list[str]:
    """The ids as pandas sorts them: what is not known last, ties by id."""
    name, up = sort.removeprefix("-"), not sort.startswith("-")
    if name == "image_id":
        return table.index.sort_values(ascending=up).tolist()
    return table.sort_values(name, ascending=up, kind="stable", na_position="last").index.tolist()


def some(values):
    return st.lists(st.sampled_from([one for one in values if one]), max_size=2)


FILTERS = st.builds(
    Filters.of,
    label=some(LABELS),
    style=some(["photo", "drawing"]),
    license=some(LICENSES),
    subset=some(["train", "test"]),
    split=some(["train", "test"]),
    truth=some(["Lion", "Tiger", "other"]),
    cell=st.lists(st.integers(0, 4), max_size=2),
    min_ppi=st.none() | st.integers(5, 30),
    max_ppi=st.none() | st.integers(5, 40),
    max_pixels=st.none() | st.sampled_from([20000, 60000]),
    min_score=st.none() | st.sampled_from([0.1, 0.5]),
    flag=some(["dark", "blurry", "tiny"]),
    without_flag=some(["dark", "blurry"]),
    no_flags=st.booleans(),
    unsure=st.booleans(),
    disputed=st.booleans(),
    duplicates=st.sampled_from(["all", "hide", "only"]),
)
ORDERS = st.sampled_from([*SORTS, *(f"-{one}" for one in SORTS)])


def ids_of(selection) -> list[str]:
    return [one for some in selection.ids() for one in some]


@given(FILTERS, ORDERS)
def test_selections_are_what_pandas_selects_and_in_its_order(browser, filters, sort):
    selection = browser.select(filters, sort)
    expected = in_order(fitting(filters), sort)
    assert ids_of(selection) == expected and selection.total == len(expected)


def pages(browser, filters, sort, limit):
    cursor, found = None, []
    while True:
        items, cursor = browser.select(filters, sort).page(cursor, limit)
        found.append([item["image_id"] for item in items])
        if cursor is None:
            return found


@given(FILTERS, ORDERS, st.integers(1, 120))
@settings(max_examples=40)
def test_pages_have_every_picture_once_whatever_the_limit(browser, filters, sort, limit):
    found = pages(browser, filters, sort, limit)
    expected = ids_of(browser.select(filters, sort))
    assert [one for page in found for one in page] == expected
    assert all(len(page) == limit for page in found[:-1])


def test_a_page_begins_at_a_share_of_the_way(browser):
    selection = browser.select(sort="-ppi")
    expected = ids_of(selection)
    for place in range(0, N, 7):
        items, _ = selection.page(limit=3, at=place / N)
        assert [one["image_id"] for one in items] == expected[place : place + 3]
    assert [one["image_id"] for one in selection.page(at=1)[0]] == expected[-1:]


def test_a_cursor_leads_on_where_the_picture_is_gone(browser, tmp_path):
    for sort in ("-sharpness", "image_id", "-image_id", "gradient"):
        items, cursor = browser.select(sort=sort).page(limit=10)
        gone = {one["image_id"] for one in items[5:]}
        left = [row for row in FACTS if row["image_id"] not in gone]
        other = Browser(columns_of(tmp_path / sort, MadeUp({0: left})), LABELS)
        expected = ids_of(browser.select(sort=sort))[10:13]
        assert [one["image_id"] for one in other.select(sort=sort).page(cursor, 3)[0]] == expected


def test_cursors_that_are_none_and_wrong_limits_are_refused(browser):
    _, cursor = browser.select(sort="ppi").page(limit=1)
    for arguments in ({"cursor": "x"}, {"cursor": cursor}, {"limit": 0}, {"limit": 501}, {"at": 2}):
        with pytest.raises(FilterError) as refused:
            browser.select(sort="-ppi").page(**arguments)
        assert refused.value.field in arguments


@given(FILTERS)
@settings(max_examples=20)
def test_facets_are_counts_with_all_other_filters_on(browser, filters):
    counts, words = browser.facets(filters), dict(vars(filters))
    assert counts["total"] == len(fitting(filters))
    for name in ("label", "style", "license", "subset", "split", "format", "truth"):
        found = {one["value"]: one["count"] for one in counts[name]}
        values = FRAME[name].explode().dropna().unique()
        left = {one: len(fitting(Filters(**words | {name: (one,)}))) for one in values}
        assert found == {value: n for value, n in left.items() if n}
    found = {one["value"]: one["count"] for one in counts["flag"]}
    left = {one: len(fitting(Filters(**words | {"flag": (one,)}))) for one in FLAG_NAMES}
    assert found == {name: n for name, n in left.items() if n}
    for name in ("unsure", "disputed", "no_flags"):
        assert counts[name] == len(fitting(Filters(**words | {name: True})))
    for value in ("all", "hide", "only"):
        found = counts["duplicates"][value]
        assert found == len(fitting(Filters(**words | {"duplicates": value})))


@given(FILTERS)
@settings(max_examples=15)
def test_bins_count_what_pandas_cuts(browser, filters):
    for name in ("ppi", "sharpness", "pixels", "score"):
        bins = browser.facets(filters)[name]
        every = {f"min_{name}": None, f"max_{name}": None}
        every |= {} if filters.duplicates == "only" else {"duplicates": "all"}
        left = fitting(Filters(**dict(vars(filters)) | every)).dropna(subset=name)
        edges = [*bins["edges"][:-1], bins["edges"][-1] + 1]
        cut = left.assign(bin=pd.cut(left[name], edges, right=False))
        once = cut.drop_duplicates(["bin", "group"]) if filters.duplicates == "hide" else cut
        assert bins["counts"] == once["bin"].value_counts(sort=False).tolist()
        assert len(edges) - 1 <= 16


def test_names_are_found_in_any_case_and_licences_by_their_short_names(browser):
    def select(**named):
        return browser.select(Filters.of(**named)).total

    assert select(label="snow LEOPARD") == select(label="Snow leopard") > 0
    assert select(license="CC by 2.0") == select(license=BY) > 0
    assert select(license="creativecommons") == select(license=[BY, LICENSES[1]])


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"label": "Lyon"}, "label 'Lyon': did you mean Lion?"),
        ({"truth": "Owls"}, "truth 'Owls': one of Lion, Snow leopard, Tiger, other"),
        ({"style": "paint"}, "style 'paint': one of drawing, photo"),
        ({"license": "nobody's"}, "no picture has such a licence"),
    ],
)
def test_names_that_no_picture_can_have_are_refused(browser, named, message):
    with pytest.raises(FilterError) as refused:
        browser.select(Filters.of(**named))
    assert message in str(refused.value) and refused.value.field in named


def test_items_have_what_is_known(browser):
    for item in browser.select().page(limit=N)[0]:
        row = FRAME.loc[item["image_id"]]
        assert item["truth"] == row["truth"] and item["cell"] == row["cell"]
        assert item["duplicate"] == row["duplicate"] and item["license_url"] != "mine"
        for name in ("label", "style", "author", "score", "ppi", "width", "sharpness"):
            assert item[name] == row[name] or (item[name] is None and pd.isna(row[name]))


def test_the_cache_lets_go_of_what_was_not_asked_for_longest():
    cache = Cache(100)
    for key in ("a", "b", "a", "c"):
        assert cache.get(key, lambda key=key: key * 2, lambda _: 40) == key * 2
    assert cache.bytes == 80 and cache.get("a", lambda: "new", lambda _: 40) == "aa"
    assert cache.get("b", lambda: "new", lambda _: 40) == "new"
    assert cache.get("large", lambda: 1, lambda _: 101) == 1 and cache.bytes == 80


def test_a_group_whose_keeper_does_not_fit_is_still_there(tmp_path):
    known = {"a": 1196.0, "b": 1240.0, "c": 1243.0, "d": 1225.0}
    ppi = {"a": 30.0, "b": 10.0, "c": 10.0, "d": 10.0}
    size = {"a": 1, "b": 5, "c": 7, "d": 7}
    rows = [
        {**FACTS[0], "image_id": i, "sharpness": known[i], "ppi": ppi[i], "bytes": size[i]}
        for i in known
    ]
    groups = [
        {"keeper": "a", "image_id": i, "kind": "near" if i > "a" else "keeper"} for i in known
    ]
    browser = Browser(columns_of(tmp_path, MadeUp({0: rows}, duplicates=groups)))
    for least, left in ((0, ["a"]), (1196.0, ["a"]), (1200, ["c"]), (1244, [])):
        filters = Filters.of(min_sharpness=least, duplicates="hide")
        assert ids_of(browser.select(filters)) == left
        assert browser.facets(filters)["total"] == browser.facets(filters)["duplicates"]["hide"]
