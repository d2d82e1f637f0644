"""Finding a key in a part that is sorted by key."""

from __future__ import annotations

import gzip
import json

import pytest

from mapsight.results import sorted_part
from mapsight.results.sorted_part import find_sorted

KEYS = sorted(json.dumps(f"{n}") for n in range(0, 2000, 2))
LINES = [f"{key}\t{json.dumps([key, n])}\n" for key in KEYS for n in range(1 + (key == '"88"'))]


@pytest.mark.parametrize("block", [16, 100, 1 << 20])
@pytest.mark.parametrize("name", ["part", "part.gz"])
def test_a_key_is_found_wherever_it_stands(tmp_path, monkeypatch, block, name):
    monkeypatch.setattr(sorted_part, "BLOCK", block)
    data = "".join(LINES).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    part = str(tmp_path / name)
    for n in (*range(0, 2000, 97), 0, 998, 999, 1998):
        key = json.dumps(str(n))
        expected = [[key, i] for i in range(1 + (n == 88))] if n % 2 == 0 else []
        assert find_sorted(part, str(n)) == expected
    assert find_sorted(part, "88") == [['"88"', 0], ['"88"', 1]]
    assert find_sorted(part, "") == find_sorted(part, "~") == []


def test_an_empty_part_has_no_key(tmp_path):
    (tmp_path / "part").touch()
    assert find_sorted(str(tmp_path / "part"), "x") == []


def test_few_blocks_are_read_of_a_large_part(tmp_path, monkeypatch):
    (tmp_path / "part").write_text("".join(f'"{n:07}"\t{n}\n' for n in range(100_000)))
    looks: list[int] = []
    look = sorted_part._key_from
    monkeypatch.setattr(sorted_part, "BLOCK", 1024)
    monkeypatch.setattr(sorted_part, "_key_from", lambda f, at: looks.append(at) or look(f, at))
    assert find_sorted(str(tmp_path / "part"), "0077777") == [77777]
    assert len(looks) <= 11
