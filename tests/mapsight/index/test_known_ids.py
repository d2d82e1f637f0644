"""Which pictures an index has already, against sets."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapsight.index.build import bucket_of, write_ids
from mapsight.index.known_ids import KnownPlan, files_of, known_among
from mapsight.index.removed_ids import IdList
from mapsight.index.rows import order_of
from mr_jobs.drop_images import MRDropImages
from mr_jobs.match_images import MRMatchImages
from tests.support.index_world import listed
from tests.support.jobs import run_and_read

IDS = st.sets(st.integers(0, 60).map(lambda n: f"{n:016x}"))


def part(folder: Path, names, buckets: int) -> list[str]:
    """Files of ids as an index of these pictures has them."""
    rows = defaultdict(list)
    for name in names:
        rows[bucket_of(order_of(name), buckets)].append((name, 1, False))
    files = [write_ids(str(folder), bucket, rows[bucket])["file"] for bucket in range(buckets)]
    return [str(folder / file) for file in files]


@settings(deadline=None, max_examples=40)
@given(IDS, IDS, IDS, st.sets(st.integers(0, 60)), st.tuples(*[st.integers(1, 7)] * 3))
def test_known_are_those_that_a_part_shows(asked, first, second, gone, buckets):
    own, *sizes = buckets
    hidden = {f"{n:016x}": 1 for n in gone}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        parts = [(0, part(path, first, sizes[0])), (1, part(path, second, sizes[1]))]
        plan = KnownPlan(own, parts)
        removed = listed(path, hidden.items())
        by_bucket = defaultdict(list)
        for name in asked:
            by_bucket[plan.bucket(name)].append(name)
        found = [
            name for b, some in by_bucket.items() for name in known_among(some, b, plan, removed)
        ]
    assert sorted(found) == sorted(asked & ((first - hidden.keys()) | second))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, (1 << 64) - 1))
def test_a_bucket_meets_every_file_that_overlaps_it(own, others, order):
    bucket, files = bucket_of(order, own), list(range(others))
    assert bucket_of(order, others) in files_of(bucket, own, files)
    every = [name for b in range(own) for name in files_of(b, own, files)]
    assert set(every) == set(files) and len(every) <= own + others


@pytest.mark.parametrize("runner", ["inline", "local"])
def test_the_jobs(tmp_path, runner):
    names = [f"{n:016x}" for n in range(40)]
    lines = [f"{json.dumps(name)}\t{json.dumps({'part': 2})}" for name in names]
    lines += [f'"{names[0]}"\t{{"error": "x"}}', f'"{names[1]}"\t{{"orphan": "picture"}}']
    (tmp_path / "records").write_text("\n".join(lines) + "\n")
    plan = KnownPlan(3, [(0, part(tmp_path, names[:20], 2))])
    (tmp_path / "plan.json").write_text(plan.to_json())
    arguments = ["--plan", tmp_path / "plan.json", tmp_path / "records"]
    found, counters = run_and_read(tmp_path, MRMatchImages, *arguments, runner=runner)
    known = [name for _, name in found]
    assert sorted(known) == names[:20] and counters["images"] == {"known": 20}
    out = listed(tmp_path, ((name, 3) for name in known))
    assert out.hides(names[0], 2) and not IdList().hides(names[0], 2)
    arguments = ["--removed", out.path, tmp_path / "records"]
    left, _ = run_and_read(tmp_path, MRDropImages, *arguments, runner=runner)
    assert sorted(name for name, _ in left) == sorted([*names[20:], names[0], names[1]])
