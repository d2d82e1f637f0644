"""The jobs that search by scan and pick records by id."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mapsight.labels.classify import Classifier
from mapsight.records import decode_embedding
from mapsight.search.exact import Query, Search
from mr_jobs.find_images import MRFindImages
from mr_jobs.search_images import MRSearchImages
from tests.support.feature_records import pandas_ranks
from tests.support.jobs import Records, run_and_read, spread, write_json


def search(folder: Path, targets: Path, queries: list[Query], records: Records, *extra: object):
    path = folder / "queries.jsonl"
    path.write_text("".join(query.to_json() + "\n" for query in queries))
    arguments = ["--queries", path, "--targets", targets, *extra]
    found, _ = run_and_read(folder, MRSearchImages, *arguments, *spread(folder, records, 3))
    return {int(number): answers for number, answers in found}


def test_search_finds_what_the_library_finds(tmp_path, targets, labeler, features):
    queries = [
        Query(n, 5, features[n][1]["embedding"], label=[None, "Lion"][n % 2]) for n in range(4)
    ]
    whole = Search(queries, "features", Classifier(labeler))
    for key, record in features:
        whole.add(key, record)
    found = search(tmp_path, targets, queries, features)
    assert found == json.loads(json.dumps(dict(whole.answers())), object_hook=numbered)


def numbered(document: dict) -> dict:
    """JSON objects with numbers for keys have them as text."""
    return {int(k) if k.isdecimal() else k: v for k, v in document.items()}


def test_search_ranks_by_cosine(tmp_path, targets, features):
    query = features[6][1]
    found = search(tmp_path, targets, [Query(0, 40, query["embedding"])], features)[0]
    vectors = {k: decode_embedding(r["embedding"]).astype(float) for k, r in features[:-1]}
    x = vectors["0006"]
    cosine = {k: x @ v / np.sqrt((x @ x) * (v @ v)) for k, v in vectors.items()}
    assert [key for _, key, _ in found] == sorted(cosine, key=lambda k: (-cosine[k], k))
    assert [score for score, _, _ in found] == pytest.approx(sorted(cosine.values())[::-1])


def test_search_by_label_takes_the_highest_ppi(tmp_path, targets, predictions):
    queries = [Query(0, 6, label="Lion"), Query(1, 3, label="Owl")]
    found = search(tmp_path, targets, queries, predictions, "--by", "label")
    assert [key for _, key, _ in found[0]] == pandas_ranks(predictions, "ppi", True)["Lion"][:6]
    assert 1 not in found


def test_find_gives_the_records_of_the_ids(tmp_path, features):
    ids = write_json(tmp_path / "ids.json", ["0003", "0017", "x", "none"])
    found, _ = run_and_read(tmp_path, MRFindImages, "--ids", ids, *spread(tmp_path, features, 2))
    wanted = [(key, record) for key, record in features if key in ("0003", "0017", "x")]
    assert sorted(found, key=lambda pair: pair[0]) == wanted
