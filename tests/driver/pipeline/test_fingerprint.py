from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from driver.pipeline.fingerprint import (
    code_digest,
    definition_of,
    reached_definitions,
    reached_modules,
)
from driver.pipeline.stage import Stage
from driver.stage_table import STAGE_TABLE
from mapsight.files import fingerprint

JOB = "mr_jobs/work_hard.py"
TREE = {
    JOB: """\
import json

if not __package__:
    print(json)

from mapsight.first import steps

class MRWorkHard:
    DIRS = ["../mapsight"]

    def mapper(self, _, line):
        from mapsight.late import weigh

        yield steps(line), weigh(line)

if __name__ == "__main__":
    MRWorkHard.run()
""",
    "mapsight/__init__.py": "__version__ = '1'\n",
    "mapsight/first.py": """\
'''Take steps.'''

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import mapsight.second
from mapsight import second as again
from mapsight.room import handed_on

if TYPE_CHECKING:
    from mapsight.types_only import Line

def steps(line: Line) -> int:
    '''Count them.'''
    return handed_on(np.sum(line)) * again.FACTOR + mapsight.second.more()

def unreached():
    return 0
""",
    "mapsight/second.py": """\
import mapsight.first
FACTOR = 2
def more():
    return THIRD
THIRD = 3
""",
    "mapsight/late.py": "def weigh(line, *, grams=10):\n    return len(line) * grams\n",
    "mapsight/room/__init__.py": "'''A room.'''\nfrom mapsight.room.inner import handed_on\n",
    "mapsight/room/inner.py": "LIMIT = 7\ndef handed_on(n):\n    return min(n, LIMIT)\n",
    "mapsight/types_only.py": "Line = str\n",
    "mapsight/unrelated.py": "y = 1\n",
    "mapsight/data/table.csv": "a,b\n",
    "driver/work.py": """\
from mapsight.first import steps
def perform(run: Run):
    return steps("x")
def other():
    return 1
""",
}


def digest(folder: Path, *changes: tuple[str, str, str], roots: tuple[str, ...] = (JOB,)) -> str:
    """Return the digest of the roots in a tree that has in files one text for another."""
    tree = dict(TREE)
    for name, old, new in changes:
        assert old in tree[name]
        tree[name] = tree[name].replace(old, new)
    return digest_of_tree(folder, tree, *roots)


def digest_of_tree(folder: Path, tree: dict[str, str], *roots: str) -> str:
    base = folder / str(len(list(folder.iterdir())))
    for name, text in tree.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text(text, encoding="utf-8")
    return code_digest(*roots, base=base)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (JOB, "import json", "import json  # of Python"),
        ("mapsight/first.py", "return handed_on(", "# how many\n    return handed_on("),
        ("mapsight/first.py", "Count them.", "Return how many there are."),
        ("mapsight/first.py", "Take steps.", "Another text."),
        ("mapsight/first.py", "    '''Count them.'''\n", ""),
        ("mapsight/first.py", "def steps(line: Line) -> int:", "def steps(\n    line,\n):"),
        ("mapsight/first.py", "np.sum(line)", "(np . sum(line,))"),
        ("mapsight/first.py", "return 0", "return 1"),
        ("mapsight/first.py", "import numpy as np", "import numpy as np\nimport os"),
        ("mapsight/first.py", "from mapsight.room import", "from mapsight.room.inner import"),
        ("mapsight/second.py", "THIRD = 3", "__all__ = ['THIRD']\nTHIRD = 3\nFOURTH = 4"),
        ("mapsight/second.py", "FACTOR = 2", "FACTOR: int = 2\n'''How often.'''"),
        ("mapsight/__init__.py", "'1'", "'2'"),
        ("mapsight/types_only.py", "str", "bytes"),
        ("mapsight/unrelated.py", "1", "2"),
        ("mapsight/data/table.csv", "a,b", "a,c"),
    ],
)
def test_what_cannot_change_an_outcome_does_not_count(tmp_path, name, old, new):
    assert digest(tmp_path, (name, old, new)) == digest(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (JOB, '["../mapsight"]', '["../mapsight", "x"]'),
        (JOB, "print(json)", "print(None)"),
        (JOB, "MRWorkHard.run()", "MRWorkHard.walk()"),
        ("mapsight/first.py", "* again.FACTOR", "+ again.FACTOR"),
        ("mapsight/first.py", "import numpy as np", "import cupy as np"),
        ("mapsight/first.py", "again.FACTOR", "again.THIRD"),
        ("mapsight/second.py", "FACTOR = 2", "FACTOR = 3"),
        ("mapsight/second.py", "FACTOR = 2", "FACTOR = 2.0"),
        ("mapsight/second.py", "THIRD = 3", "THIRD = 4"),
        ("mapsight/second.py", "FACTOR = 2", "FACTOR = 2\nFACTOR += 1"),
        ("mapsight/second.py", "THIRD = 3", "if FACTOR:\n    THIRD = 3\nelse:\n    THIRD = 5"),
        ("mapsight/late.py", "grams=10", "grams=11"),
        ("mapsight/room/inner.py", "LIMIT = 7", "LIMIT = 8"),
        ("mapsight/room/inner.py", "LIMIT = 7", "LIMIT = 7\nprint(LIMIT)"),
        ("mapsight/room/__init__.py", "from", "import os\nos.umask(0)\nfrom"),
    ],
)
def test_what_can_change_an_outcome_counts(tmp_path, name, old, new):
    assert digest(tmp_path, (name, old, new)) != digest(tmp_path)


def test_a_module_that_is_renamed_or_moved_changes_nothing(tmp_path):
    moved = {
        "mapsight/second.py": "mapsight/a/b/zz.py",
        "mapsight/room/inner.py": "mapsight/c.py",
        "mapsight/late.py": "mapsight/room/late.py",
        JOB: "mr_jobs/aa.py",
    }
    tree = {}
    for name, text in TREE.items():
        text = text.replace("from mapsight import second as", "from mapsight.a.b import zz as")
        for old, new in moved.items():
            text = text.replace(old[:-3].replace("/", "."), new[:-3].replace("/", "."))
        tree[moved.get(name, name)] = text
    assert digest_of_tree(tmp_path, tree, "mr_jobs/aa.py") == digest(tmp_path)


def test_of_a_definition_only_what_it_reaches_counts(tmp_path):
    roots = ("driver.work:perform",)
    before = digest(tmp_path, roots=roots)
    assert digest(tmp_path, ("driver/work.py", "return 1", "return 2"), roots=roots) == before
    assert digest(tmp_path, ("mapsight/late.py", "10", "11"), roots=roots) == before
    assert digest(tmp_path, ("mapsight/second.py", "2", "3"), roots=roots) != before


def test_what_a_failure_says_does_not_count_and_when_it_is_raised_does(tmp_path):
    text = "if run:\n        raise Failure(other())\n    return steps"
    raising = ("driver/work.py", "return steps", text)
    roots = ("driver.work:perform",)
    before = digest(tmp_path, raising, roots=roots)
    assert (
        digest(tmp_path, raising, ("driver/work.py", "return 1", "return 2"), roots=roots) == before
    )
    assert (
        digest(tmp_path, raising, ("driver/work.py", "if run", "if not run"), roots=roots) != before
    )


def test_two_functions_that_change_places_count(tmp_path):
    tree = {
        "mr_jobs/a.py": "from mapsight.b import f\nfrom mapsight.c import f as g\nprint(f(g(1)))\n",
        "mapsight/b.py": "def f(n):\n    return n + 1\n",
        "mapsight/c.py": "def f(n):\n    return n * 2\n",
    }
    other = {**tree, "mapsight/b.py": tree["mapsight/c.py"], "mapsight/c.py": tree["mapsight/b.py"]}
    roots = ("mr_jobs/a.py",)
    assert digest_of_tree(tmp_path, tree, *roots) != digest_of_tree(tmp_path, other, *roots)


def test_a_module_that_a_process_is_started_with_is_followed_by_its_name(tmp_path):
    call = ("mapsight/late.py", "grams=10", "grams='mapsight.unrelated'")
    changed = ("mapsight/unrelated.py", "1", "2")
    assert digest(tmp_path, call) != digest(tmp_path, call, changed)


def test_a_local_name_is_not_that_of_the_module(tmp_path):
    local = ("driver/work.py", 'return steps("x")', 'y = steps("x")\n    return y')
    same = ("driver/work.py", "def other", "y = 5\ndef other")
    roots = ("driver.work:perform",)
    assert digest(tmp_path, local, roots=roots) == digest(tmp_path, local, same, roots=roots)


def test_data_counts_where_it_is_named(tmp_path):
    roots = (JOB, "mapsight/data/table.csv")
    changed = ("mapsight/data/table.csv", "a,b", "a,c")
    assert digest(tmp_path, changed, roots=roots) != digest(tmp_path, roots=roots)


def test_a_table_counts_for_what_names_it(tmp_path):
    reads = ("mapsight/late.py", "grams=10", "grams='table.csv'")
    changed = ("mapsight/data/table.csv", "a,b", "a,c")
    assert digest(tmp_path, reads, changed) != digest(tmp_path, reads)
    reached = {
        stage.name: {*reached_definitions(definition_of(stage.perform))} for stage in STAGE_TABLE
    }
    parents = ("mapsight.labels.labeler", "parents")
    readers = {name for name, definitions in reached.items() if parents in definitions}
    assert {"fit", "classify", "vectors"} <= readers


def test_a_root_that_is_no_module_is_refused():
    with pytest.raises(ValueError, match="no module of this project"):
        code_digest("mr_jobs/nothing_here.py")


def jobs_are_reached(stage: Stage) -> bool:
    return {job.module for job in stage.jobs} <= {*reached_modules(definition_of(stage.perform))}


def test_a_stage_reaches_its_jobs_and_what_computes_and_no_other_part_of_the_driver():
    extract = next(stage for stage in STAGE_TABLE if stage.name == "extract")
    modules = reached_modules(definition_of(extract.perform))
    jobs = ["mr_jobs.extract_features", "mr_jobs.settle_ids"]
    assert [name for name in modules if name.startswith("mr_jobs.")] == jobs
    assert {stage.name for stage in STAGE_TABLE if not jobs_are_reached(stage)} == set()
    assert {"mapsight.features.decode", "mapsight.features.measures"} <= set(modules)
    others = {"driver.results.merge", "driver.commands.run", "driver.hadoop.yarn"}
    assert not others & set(modules)


def test_extract_is_not_done_again_for_a_reader_of_metadata():
    extract = next(stage for stage in STAGE_TABLE if stage.name == "extract")
    reached = {name for name, _ in reached_definitions(definition_of(extract.perform))}
    assert "mapsight.features.decode" in reached and "driver.stages.extract" in reached
    assert not {"mapsight.openimages.dataset", "driver.stages.plan"} & reached


def test_the_digests_of_all_stages_take_less_than_three_seconds_of_cpu():
    began = time.process_time()
    digests = {stage.code_digest for stage in STAGE_TABLE}
    assert len(digests) == len(STAGE_TABLE)
    assert time.process_time() - began < 3


def test_fingerprints_are_hex_and_know_no_order_of_keys():
    assert fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(None))
