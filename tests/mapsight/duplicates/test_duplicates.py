"""Bands, near pairs within a bucket, stars, and what is said of a group."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from mapsight.duplicates.bucket import Cells, few_bits, nearest, pairs_in
from mapsight.duplicates.components import large_star, small_star
from mapsight.duplicates.edges import copy_edges, edges_in
from mapsight.duplicates.groups import described, summarised
from mapsight.duplicates.keys import Pivots, _highest, is_flat
from mapsight.duplicates.rows import as_bytes, image_id_of, node_of, reason, row_of, vector_in
from mapsight.duplicates.tiles import tile_of, view
from mapsight.index.cosines import cosines, exact_type
from mapsight.records import decode_vector, encode_vector
from tests.support.duplicate_records import brute_force, make_records, tile_text

HASH = st.integers(0, (1 << 64) - 1)
NODES = "abcdefghijkl"


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6), st.text("09af", min_size=1), st.text("09af"))
def test_of_two_nodes_the_lesser_is_of_higher_ppi_then_of_lesser_id(ppi, other, one, two):
    nodes = node_of(one, ppi), node_of(two, other)
    assert sorted(nodes) == [
        n for *_, n in sorted([(-ppi, one, nodes[0]), (-other, two, nodes[1])])
    ]
    assert [image_id_of(node) for node in nodes] == [one, two]


@given(st.lists(HASH, min_size=1), st.integers(0, 5))
def test_few_bits_are_counted(numbers, most):
    found = few_bits(np.array(numbers, np.uint64), most)
    assert found.tolist() == [bin(number).count("1") <= most for number in numbers]


@given(st.lists(st.lists(st.integers(0, 9), min_size=5, max_size=5), min_size=1), st.integers(1, 7))
def test_the_highest_of_each_row_are_looked_at_with_ties(rows, most):
    found = nearest(np.array(rows, float), most, 3.0)
    expected = [[x >= max(3, *sorted(row)[-most:][:1]) for x in row] for row in rows]
    assert found.tolist() == expected


@pytest.mark.parametrize("d", [1, 256, 1024, 1040, 1041, 2000])
def test_cosines_are_exact_also_of_the_largest_vectors(d):
    x = np.full((2, d), 127, np.int8)
    x[1, 0] = -127
    dots = [[d, d - 2], [d - 2, d]]
    assert cosines(x, x).tolist() == [[dot / d for dot in row] for row in dots]
    assert (exact_type(d) is np.float32) == (d <= 1040)


def test_a_vector_loses_little_and_zero_stays_zero():
    x = np.random.default_rng(0).integers(0, 5000, 1024).astype(np.int16)
    y = decode_vector(encode_vector(as_bytes(x)), "i1").astype(float)
    assert x @ y / np.sqrt((x @ x.astype(float)) * (y @ y)) > 0.9999
    assert not as_bytes(np.zeros(4, np.int16)).any()
    assert not cosines(np.zeros((1, 4), np.int8), np.ones((1, 4), np.int8)).any()


def rows_of(seed: int, families: int = 12, most: int = 5) -> tuple[list, set]:
    """Pictures of several colours, no two of equal bytes, and their groups by embedding alone."""
    unique = {one[1]["sha256"]: one for one in make_records(seed, families, most)}
    records = [one for one in unique.values() if not is_flat(row_of(*one))]
    return sorted(row_of(*one) for one in records), brute_force(records, most=-1)


def of_cell(rows: list, block: int) -> list:
    return list(pairs_in(Cells(0.8, block), rows, block))


def components(rows, pairs) -> set[frozenset[str]]:
    number = {row[0]: n for n, row in enumerate(rows)}
    ends = np.array([[number[one[0]], number[other[0]]] for one, other in pairs]).reshape(-1, 2).T
    graph = coo_matrix((np.ones(ends.shape[1]), ends), (len(rows), len(rows)))
    labels = connected_components(graph, directed=False)[1]
    groups: dict[int, set[str]] = {}
    for label, row in zip(labels, rows, strict=True):
        groups.setdefault(label, set()).add(image_id_of(row[0]))
    return {frozenset(group) for group in groups.values() if len(group) > 1}


@pytest.mark.parametrize("block", [200, 25, 2048])
@pytest.mark.parametrize("seed", range(3))
def test_a_bucket_gives_what_comparing_all_with_all_gives(seed, block):
    rows, expected = rows_of(seed)
    assert expected
    assert len(rows) <= 2 * block
    pairs = of_cell(rows, block)
    assert components(rows, pairs) == expected
    assert len(pairs) == sum(len(group) - 1 for group in expected)


def test_a_bucket_too_large_for_that_is_told_and_gives_true_pairs_alone():
    rows, expected = rows_of(1, 20)
    pairs = of_cell(rows, 5)
    assert pairs.count(None) == 1
    found = components(rows, [pair for pair in pairs if pair])
    assert found
    assert all(any(group <= whole for whole in expected) for group in found)


def test_copies_are_tied_to_the_first_which_goes_on_alone():
    rows, counts = [["a"], ["b"], ["c"]], Counter()
    first, pictures, edges = [("a", ["distinct", ["a"]])], "abc", "bc"
    found = list(copy_edges(rows, counts))
    assert found[:1] == first == list(copy_edges(rows[:1], Counter()))
    assert [(n, v[1]) for n, v in found if v[0] == "picture"] == [(n, [n]) for n in pictures]
    assert [(n, v[1]) for n, v in found if v[0] == "edge"] == [(n, "a") for n in edges]
    assert counts == {("duplicates", "distinct"): 1, ("duplicates", "edges"): 2}


def test_pairs_are_edges_with_both_pictures_and_a_cut_bucket_is_counted():
    rows, counts = rows_of(1, 20)[0], Counter()
    pairs = [pair for pair in of_cell(rows, 5) if pair]
    found = list(edges_in(Cells(0.8, 5), rows, counts, 5))
    assert found[::3] == [(one[0], ["edge", other[0]]) for one, other in pairs]
    assert found[1::3] == [(one[0], ["picture", one]) for one, _ in pairs]
    assert found[2::3] == [(other[0], ["picture", other]) for _, other in pairs]
    assert counts == {("duplicates", "edges"): len(pairs), ("duplicates", "cut_buckets"): 1}


def test_a_crowd_of_the_like_gives_a_pair_for_each():
    row = rows_of(0)[0][0]
    rows = [[f"{number:032d}:{number}", *row[1:]] for number in range(400)]
    pairs = [pair for pair in of_cell(rows, 100) if pair]
    assert len(pairs) == 399
    assert len(components(rows, pairs)) == 1


def test_rows_fall_into_the_cells_of_the_three_pivots_next_to_them():
    rows = rows_of(2)[0]
    pivots = [row[3] for row in rows[::9]]
    cells = Pivots(pivots)
    found = [pair for row in rows for pair in cells.add(row)] + list(cells.rest())
    near = cosines(*(np.stack([vector_in(r) for r in some]) for some in (rows, rows[::9])))
    expected = np.argsort(-near, axis=1, kind="stable")[:, :3]
    assert [key[1] for key, _ in found] == expected.ravel().tolist()
    assert [row for _, row in found[::3]] == rows
    assert [key for row in rows for key, _ in Pivots([]).add(row)] == [["cell", 0]] * len(rows)


def rounds(edges) -> list[tuple[str, str]]:
    """Stars by turns until nothing changes."""
    for _ in range(60):
        changed = 0
        for step in (large_star, small_star):
            seen: dict[str, list[str]] = {}
            for a, b in edges:
                if step is large_star:
                    seen.setdefault(min(a, b), []).append(max(a, b))
                seen.setdefault(max(a, b), []).append(min(a, b))
            found = [star for node in seen for star in step(node, sorted(seen[node]))]
            edges = [(a, b) for a, b, _ in found]
            changed += sum(new for *_, new in found)
        if not changed:
            return edges
    raise AssertionError("no end")


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)).filter(lambda e: e[0] != e[1])
    )
)
def test_stars_are_the_components_with_their_least_node(edges):
    ends = np.array([[NODES.index(node) for node in edge] for edge in edges]).reshape(-1, 2).T
    graph = coo_matrix((np.ones(ends.shape[1]), ends), (len(NODES), len(NODES)))
    labels = connected_components(graph, directed=False)[1]
    first = {label: NODES[list(labels).index(label)] for label in labels}
    expected = {(n, first[x]) for n, x in zip(NODES, labels, strict=True) if n != first[x]}
    assert set(rounds(edges)) == expected


def turned(record: dict, number: int) -> dict:
    text = tile_text(view(tile_of(record["tile"]), number))
    return {**record, "sha256": f"{number:064x}", "tile": text, "detail": 90.0}


def test_a_group_is_described_by_its_keeper():
    record = next(one for _, one in make_records(3, 9, 1) if one["detail"] == 400)
    copies = {"a": record, "b": record, "c": turned(record, 0), "d": turned(record, 1)}
    rows = sorted(row_of(*one) for one in (copies | {"e": turned(record, 5)}).items())
    counts: Counter[tuple[str, str]] = Counter()
    found = list(described(rows, counts))
    assert [(f["image_id"], f["kind"], f["kept_because"]) for f in found] == [
        ("a", "keeper", ""), ("b", "exact", "same bytes"), ("c", "near", "more detail"),
        ("d", "mirrored", "more detail"), ("e", "turned", "more detail"),
    ]  # fmt: skip
    assert {(f["keeper"], f["distance"], f["cosine"]) for f in found} == {("a", 0, 1.0)}
    sums, size = {name: count for (_, name), count in counts.items()}, record["bytes"]
    kinds = dict.fromkeys(("exact", "near", "mirrored", "turned"), 1)
    assert sums == {"groups": 1, **kinds, "bytes": 4 * size, "exact_bytes": size}
    text = (
        "1 exact copy, 1 near-duplicate, 1 mirrored copy and 1 turned copy besides the 1 to keep;"
    )
    assert f", 1 group of duplicates: {text}" in summarised(sums)


WORSE = {
    "detail": (80.0, "more detail"), "quantizer": (90.0, "less compressed"),
    "width": (90, "more pixels"), "bytes": (999, "larger file"),
}  # fmt: skip


@pytest.mark.parametrize("name", WORSE)
def test_the_better_copy_comes_first_and_it_is_said_why(name):
    record = {**make_records(3, 1, 1)[0][1], "detail": 100.0, "width": 100, "quantizer": 20.0}
    value, why = WORSE[name]
    worse = row_of("a", {**record, "sha256": "f", name: value})
    better = row_of("b", {**record, "bytes": 1000})
    assert better[0] < worse[0]
    assert reason(better, worse) == why


def test_features_of_an_earlier_version_are_refused():
    record = make_records(3, 1, 1)[0][1]
    del record["tile"]
    with pytest.raises(ValueError, match="extract them again"):
        row_of("a", record)


@pytest.mark.parametrize("record", [{"error": "empty"}, {"orphan": "annotation"}])
def test_what_is_no_picture_has_no_row(record):
    assert row_of("a", record) is None


@given(st.integers(1, 6), st.integers(1, 9), st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_highest_are_the_first_of_a_stable_sort(n, m, most, random):
    scores = np.array([[float(random.randint(-2, 2)) for _ in range(m)] for _ in range(n)])
    expected = np.argsort(-scores, axis=1, kind="stable")[:, :most]
    assert np.array_equal(_highest(scores.copy(), most), expected)
