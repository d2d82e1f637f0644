from __future__ import annotations

import re
from pathlib import Path

import pytest

from driver.pipeline import fingerprint as fingerprints
from driver.pipeline.fingerprint import code_digest, fingerprint

TREE = {
    "mr_jobs/work_hard.py": "import json\nclass A:\n    def f(self):\n"
    "        from mapsight.first import x\n",
    "mapsight/__init__.py": "",
    "mapsight/first.py": "import mapsight.second\nfrom mapsight import third, __version__\n",
    "mapsight/second.py": "import mapsight.first\n",
    "mapsight/third.py": "x = 1\n",
    "mapsight/unrelated.py": "y = 1\n",
    "mapsight/data/table.csv": "a,b\n",
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(fingerprints, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def forget():
    code_digest.cache_clear()
    yield
    code_digest.cache_clear()


def digest_after(tree: Path, name: str, *roots: str) -> str:
    with (tree / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    code_digest.cache_clear()
    return code_digest(*roots)


@pytest.mark.parametrize(
    "name",
    ["mr_jobs/work_hard.py", "mapsight/first.py", "mapsight/second.py", "mapsight/third.py"],
)
def test_code_that_a_job_imports_changes_its_digest(tree, name):
    before = code_digest("mr_jobs/work_hard.py")
    assert digest_after(tree, name, "mr_jobs/work_hard.py") != before


@pytest.mark.parametrize("name", ["mapsight/unrelated.py", "mapsight/data/table.csv"])
def test_other_code_does_not(tree, name):
    before = code_digest("mr_jobs/work_hard.py")
    assert digest_after(tree, name, "mr_jobs/work_hard.py") == before


def test_data_counts_where_it_is_named(tree):
    roots = ("mr_jobs/work_hard.py", "mapsight/data/table.csv")
    before = code_digest(*roots)
    assert digest_after(tree, "mapsight/data/table.csv", *roots) != before


def test_the_digest_does_not_depend_on_the_place(tree, tmp_path_factory, monkeypatch):
    before = code_digest("mr_jobs/work_hard.py")
    elsewhere = tmp_path_factory.mktemp("moved") / "project"
    tree.rename(elsewhere)
    monkeypatch.setattr(fingerprints, "ROOT", elsewhere)
    code_digest.cache_clear()
    assert code_digest("mr_jobs/work_hard.py") == before


def test_fingerprints_are_hex_and_know_no_order_of_keys():
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(None))
