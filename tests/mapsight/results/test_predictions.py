from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mapsight.results.parquet_tables import find_predictions
from mapsight.results.predictions import (
    merged_records,
    write_csv,
    write_predictions,
    write_ranking,
)


def part(path: Path, pairs: list) -> str:
    lines = sorted(json.dumps(key) + "\t" + json.dumps(value) + "\n" for key, value in pairs)
    data = "".join(lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


@given(st.lists(st.text(alphabet="ab0z-", min_size=1, max_size=4)), st.integers(1, 5))
def test_parts_merge_into_one_order_however_keys_were_spread(tmp_path_factory, keys, count):
    folder = tmp_path_factory.mktemp("parts")
    parts = [part(folder / f"part-{i}", [(k, 1) for k in keys[i::count]]) for i in range(count)]
    merged = [json.dumps(key) for key, _ in merged_records(parts)]
    assert merged == sorted(json.dumps(key) for key in keys)


def test_compressed_parts_are_read(tmp_path):
    paths = [part(tmp_path / "part-0.gz", [("b", 2)]), part(tmp_path / "part-1", [("a", 1)])]
    assert list(merged_records(paths)) == [("a", 1), ("b", 2)]


def test_predictions_and_rejections_part_ways(tmp_path):
    records = [
        ("a", {"label": "Lion", "score": 0.5, "width": 3, "truth": ["Lion"], "shard": "x"}),
        ("b", {"source": "=b.jpg", "error": "corrupt", "detail": "bad"}),
        ("b", {"source": "b2.jpg", "error": "duplicate_id", "detail": "b"}),
    ]
    assert write_predictions(records, tmp_path) == (1, 2)
    frame = pd.read_parquet(tmp_path / "predictions.parquet")
    assert frame[["image_id", "label", "width"]].values.tolist() == [["a", "Lion", 3]]
    assert "shard" not in frame
    rows = list(csv.DictReader((tmp_path / "rejected.csv").open(encoding="utf-8")))
    assert [(r["image_id"], r["source"], r["error"]) for r in rows] == [
        ("b", "'=b.jpg", "corrupt"), ("b", "b2.jpg", "duplicate_id"),
    ]  # fmt: skip


def test_what_is_on_one_side_only_is_listed_with_its_side(tmp_path):
    records = [
        ("=a", {"orphan": "annotation"}),
        ("b", {"label": "Lion"}),
        ("b", {"orphan": "picture"}),
        ("c", {"source": "c.jpg", "error": "corrupt", "detail": "bad"}),
    ]
    assert write_predictions(records, tmp_path) == (1, 1)
    text = (tmp_path / "orphans.csv").read_text("utf-8")
    assert text == "image_id,orphan\n'=a,annotation\nb,picture\n"


def test_the_ranking_keeps_every_rank_and_the_top_of_each_group(tmp_path):
    records = [
        ([group, f"{rank:012d}"], {"image_id": f"{group}{rank}", "value": 1.0, "label": "Lion"})
        for group in ("*", "Lion")
        for rank in range(1, 6)
    ]
    sheets = write_ranking(records, tmp_path / "r.parquet", top=2)
    frame = pd.read_parquet(tmp_path / "r.parquet")
    assert frame["label"].tolist() == ["*"] * 5 + ["Lion"] * 5
    assert frame["rank"].tolist() == [1, 2, 3, 4, 5] * 2
    assert [row["image_id"] for row in sheets["Lion"]] == ["Lion1", "Lion2"]


def test_empty_cells_and_unicode_in_csv(tmp_path):
    write_csv(tmp_path / "x.csv", ("a", "b"), [{"a": None, "b": "ä,\n"}])
    assert (tmp_path / "x.csv").read_text("utf-8").startswith("a,b\n,")


def test_predictions_are_found_by_id(tmp_path):
    records = [(f"{n:05d}", {"label": "Lion", "author": f"a{n}", "width": n}) for n in range(9000)]
    write_predictions(records, tmp_path)
    table = str(tmp_path / "predictions.parquet")
    assert find_predictions([table], ["08999", "00007", "nobody", "00007"], ["author"]) == {
        "00007": {"author": "a7"},
        "08999": {"author": "a8999"},
    }
