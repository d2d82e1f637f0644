from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from mapsight.index.cosines import cosines
from mapsight.labels.classify import Classifier
from mapsight.labels.labeler import DEFAULT_TARGETS, Labeler
from mapsight.records import encode_embedding
from mapsight.search import exact as search
from mapsight.search.exact import Query, Search, best_first, read_queries

CLASSIFIER = Classifier(Labeler(DEFAULT_TARGETS))


def records(count: int, dimension: int = 16) -> list[tuple[str, dict]]:
    rng = np.random.default_rng(count)
    return [
        (
            f"{i:016x}",
            {
                "embedding": encode_embedding(rng.random(dimension)),
                "label": ["Lion", "other"][i % 2],
                "ppi": float(10 + i % 7),
                "sha256": f"{i}",
                "source": f"{i}.jpg",
                "flags": [["dark"], ["blurry"], []][i % 3],
            },
        )
        for i in range(count)
    ]


def matrix(rows) -> np.ndarray:
    return np.array([search.decode_embedding(r["embedding"]) for _, r in rows], np.float64)


def run(queries: list[Query], rows, by: str = "features", tasks: int = 1) -> dict[int, list]:
    """The job in small: each task keeps its best, one merges them."""
    lists: dict[int, list] = {query.number: [] for query in queries}
    for task in range(tasks):
        part = Search(queries, by, CLASSIFIER)
        for row in rows[task::tasks]:
            part.add(*row)
        for number, answers in part.answers():
            lists[number].append(answers)
    return {n: Search(queries, by, CLASSIFIER).merged(n, found) for n, found in lists.items()}


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 40), st.integers(0, 9))
def test_cosines_agree_with_scikit_learn(nq, nb, d, seed):
    rng = np.random.default_rng(seed)
    xq, xb = (rng.integers(-32767, 32768, (n, d)).astype(float) for n in (nq, nb))
    assert cosines(xq, xb) == pytest.approx(cosine_similarity(xq, xb), abs=1e-12)


def test_a_zero_vector_is_like_nothing():
    assert cosines(np.zeros((1, 3)), np.ones((1, 3))).tolist() == [[0.0]]


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 90), st.integers(1, 12), st.integers(1, 4))
def test_search_agrees_with_brute_force(count, top_k, tasks):
    rows = records(count)
    queries = [Query(n, top_k, rows[n % count][1]["embedding"]) for n in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "BLOCK", 8)
        found = run(queries, rows, tasks=tasks)
    scores = cosines(matrix(rows), matrix(rows))
    for query in queries:
        mine = scores[query.number % count]
        order = sorted(range(count), key=lambda i: (-mine[i], rows[i][0]))[:top_k]
        assert [(a[1], a[0]) for a in found[query.number]] == [(rows[i][0], mine[i]) for i in order]


def test_a_picture_finds_itself_first():
    rows = records(50)
    for number in (0, 17, 49):
        (best, *_) = run([Query(number, 3, rows[number][1]["embedding"])], rows)[number]
        assert best[1] == rows[number][0]
        assert best[0] == pytest.approx(1.0, abs=1e-12)


def test_equal_scores_are_sorted_by_id():
    same = records(1)[0][1]
    rows = [(image_id, same) for image_id in ("c", "a", "d", "b")]
    assert [a[1] for a in run([Query(0, 3, same["embedding"])], rows, tasks=2)[0]] == [
        "a",
        "b",
        "c",
    ]


@pytest.mark.parametrize(
    ("restriction", "admitted"),
    [
        ({"label": "Lion"}, lambda i, r: r["label"] == "Lion"),
        ({"min_ppi": 14.0}, lambda i, r: r["ppi"] >= 14),
        ({"flag": 1}, lambda i, r: "dark" in r["flags"]),
        ({"without_flag": 9}, lambda i, r: not {"dark", "blurry"} & set(r["flags"])),
        ({"exclude_id": f"{3:016x}"}, lambda i, r: i != f"{3:016x}"),
        ({"exclude_sha256": "3"}, lambda i, r: r["sha256"] != "3"),
    ],
)
@pytest.mark.parametrize("by", ["features", "label"])
def test_restrictions_hold(restriction, admitted, by):
    rows = records(30)
    query = Query(0, 30, rows[3][1]["embedding"], **restriction)
    found = {answer[1] for answer in run([query], rows, by)[0]}
    assert found == {image_id for image_id, record in rows if admitted(image_id, record)}


def test_by_label_the_largest_ppi_comes_first():
    rows = records(30)
    found = run([Query(0, 5, label="Lion")], rows, "label", tasks=3)[0]
    lions = sorted((-r["ppi"], i) for i, r in rows if r["label"] == "Lion")
    assert [(-a[0], a[1]) for a in found] == lions[:5]


def test_rejected_pictures_are_passed_over():
    rows = [("x", {"error": "corrupt", "detail": "", "source": "x"}), *records(2)]
    assert len(run([Query(0, 9, rows[1][1]["embedding"])], rows)[0]) == 2


def test_queries_come_back_from_their_file(tmp_path):
    queries = [Query(0, 3, "AAAA"), Query(1, 2, label="Lion", exclude_id="ä")]
    path = tmp_path / "q"
    path.write_text("".join(q.to_json() + "\n" for q in queries), encoding="utf-8")
    assert read_queries(str(path)) == queries


@given(st.lists(st.tuples(st.integers(0, 3), st.text(max_size=2))), st.integers(1, 5))
def test_best_first_is_a_sorted_prefix(answers, top_k):
    ordered = sorted(answers, key=lambda a: (-a[0], a[1]))
    assert best_first(answers, top_k) == ordered[:top_k]
