"""Bands, near pairs within a bucket, stars, and what is said of a group."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from mapsight.duplicates.components import large_star, small_star
from mapsight.duplicates.edges import copy_edges, near_edges
from mapsight.duplicates.groups import described, summarised
from mapsight.duplicates.pairs import (
    as_bytes,
    bands_of,
    bits_apart,
    few_bits,
    image_id_of,
    near_pairs,
    node_of,
    row_of,
)
from mapsight.index.cosines import cosines, exact_type
from mapsight.records import decode_vector, encode_vector
from tests.support.duplicate_records import brute_force, make_records

HASH = st.integers(0, (1 << 64) - 1)
NODES = "abcdefghijkl"


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6), st.text("09af", min_size=1), st.text("09af"))
def test_of_two_nodes_the_lesser_is_of_higher_ppi_then_of_lesser_id(ppi, other, one, two):
    nodes = node_of(one, ppi), node_of(two, other)
    assert sorted(nodes) == [
        n for *_, n in sorted([(-ppi, one, nodes[0]), (-other, two, nodes[1])])
    ]
    assert [image_id_of(node) for node in nodes] == [one, two]


@given(HASH, st.lists(st.integers(0, 63), max_size=3))
def test_hashes_that_differ_in_three_bits_share_a_band(dhash, flips):
    other = dhash
    for bit in flips:
        other ^= 1 << bit
    rows = [["n", "s", f"{one:016x}", "v"] for one in (dhash, other)]
    one, two = ([key for key, _ in bands_of(row)] for row in rows)
    assert any(a == b for a, b in zip(one, two, strict=True))
    assert bits_apart(*rows) == bin(dhash ^ other).count("1")


@given(st.lists(HASH, min_size=1), st.integers(0, 5))
def test_few_bits_are_counted(numbers, most):
    found = few_bits(np.array(numbers, np.uint64), most)
    assert found.tolist() == [bin(number).count("1") <= most for number in numbers]


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


def rows_of(seed: int, families: int = 30, most: int = 6) -> tuple[list, set]:
    records = [r for r in make_records(seed, families, most) if r[1]["dhash"].startswith("000")]
    unique = {record["sha256"]: (image_id, record) for image_id, record in records}
    records = list(unique.values())
    return sorted(row_of(*one) for one in records), brute_force(records)


def components(rows, pairs) -> set[frozenset[str]]:
    number = {row[0]: n for n, row in enumerate(rows)}
    ends = np.array([[number[one[0]], number[other[0]]] for one, other in pairs]).reshape(-1, 2).T
    graph = coo_matrix((np.ones(ends.shape[1]), ends), (len(rows), len(rows)))
    labels = connected_components(graph, directed=False)[1]
    groups: dict[int, set[str]] = {}
    for label, row in zip(labels, rows, strict=True):
        groups.setdefault(label, set()).add(image_id_of(row[0]))
    return {frozenset(group) for group in groups.values() if len(group) > 1}


@pytest.mark.parametrize("block", [200, 40, 2048])
@pytest.mark.parametrize("seed", range(8))
def test_a_bucket_gives_what_comparing_all_with_all_gives(seed, block):
    rows, expected = rows_of(seed)
    assert expected
    assert len(rows) <= 2 * block
    pairs = list(near_pairs(rows, 3, 0.8, block))
    assert components(rows, pairs) == expected
    assert len(pairs) == sum(len(group) - 1 for group in expected)


def test_a_bucket_too_large_for_that_is_told_and_gives_true_pairs_alone():
    rows, expected = rows_of(1, 60)
    pairs = list(near_pairs(rows, 3, 0.8, 5))
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


def test_near_pairs_are_edges_with_both_pictures_and_a_cut_bucket_is_counted():
    rows, counts = rows_of(1, 60)[0], Counter()
    pairs = [pair for pair in near_pairs(rows, 3, 0.8, 5) if pair]
    found = list(near_edges(rows, 3, 0.8, counts, 5))
    assert found[::3] == [(one[0], ["edge", other[0]]) for one, other in pairs]
    assert found[1::3] == [(one[0], ["picture", one]) for one, _ in pairs]
    assert found[2::3] == [(other[0], ["picture", other]) for _, other in pairs]
    assert counts == {("duplicates", "edges"): len(pairs), ("duplicates", "cut_buckets"): 1}


def test_a_crowd_of_the_like_gives_a_pair_for_each():
    row = rows_of(0)[0][0]
    rows = [[f"{number:06d}", *row[1:]] for number in range(1000)]
    pairs = [pair for pair in near_pairs(rows, 3, 0.8, 100) if pair]
    assert len(pairs) == 999
    assert (
        len(
            components(
                [[f"{0:033d}" + r[0], *r[1:]] for r in rows],
                [[[f"{0:033d}" + r[0]] for r in pair] for pair in pairs],
            )
        )
        == 1
    )


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


def test_a_group_is_described_by_its_keeper():
    record = make_records(0, 1, 1)[0][1]
    other = {**record, "sha256": "f" * 64, "dhash": f"{int(record['dhash'], 16) ^ 5:016x}"}
    rows = sorted(row_of(name, one) for name, one in (("a", record), ("b", record), ("c", other)))
    counts: Counter[tuple[str, str]] = Counter()
    found = list(described(rows, counts))
    assert [(f["keeper"], f["image_id"], f["kind"]) for f in found] == [
        ("a", "a", "keeper"),
        ("a", "b", "exact"),
        ("a", "c", "near"),
    ]
    assert [(f["distance"], f["cosine"]) for f in found] == [(0, 1.0), (0, 1.0), (2, 1.0)]
    size = record["bytes"]
    assert {group for group, _ in counts} == {"duplicates"}
    sums = {name: count for (_, name), count in counts.items()}
    assert sums == {"groups": 1, "exact": 1, "near": 1, "bytes": 2 * size, "exact_bytes": size}
    assert (
        ", 1 group of duplicates: 1 exact copy and 1 near-duplicate besides the 1 to keep;"
        in summarised(sums)
    )


@pytest.mark.parametrize("record", [{"error": "empty"}, {"orphan": "annotation"}])
def test_what_is_no_picture_has_no_row(record):
    assert row_of("a", record) is None
