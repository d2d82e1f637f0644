"""What commands import before they say something: people wait for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.paths import ROOT

HEAVY = "tensorflow pandas matplotlib pyarrow numpy PIL fsspec mrjob ai_edge_litert s3fs psutil"
SCRIPT = f"""
import os, sys
from driver.run import main
from mapsight.application import without_pandas
class First:
    def write(self, text):
        names = {{name.split(".")[0] for name in sys.modules}}
        os.write(1, " ".join(sorted(names & set("{HEAVY}".split()))).encode())
        os._exit(0)
    writelines = write
    flush = isatty = lambda self: False
without_pandas()
sys.stdout = sys.stderr = First()
main(sys.argv[1:])
"""
FIRST = {
    "--help": "",
    "search --help": "",
    "--until nowhere": "",
    "status --workspace {workspace}": "fsspec",
    "--workspace {workspace}/new": "fsspec",
    "plan --images 9000000 --openimages": "fsspec numpy pyarrow",
    "search cat --workspace {workspace}/none": "fsspec numpy PIL pyarrow",
}
"""What may be loaded when a command writes its first line, by its arguments."""


@pytest.mark.parametrize("arguments", FIRST)
def test_the_first_line_does_not_wait_for_what_is_heavy(arguments, finished_once, tmp_path):
    words = arguments.format(workspace=finished_once / "workspace").split()
    environment = {k: v for k, v in os.environ.items() if k != "MAPSIGHT_OPENIMAGES"}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-c", SCRIPT, *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0 and not done.stderr
    assert {*done.stdout.split()} <= {*FIRST[arguments].split()}


def test_the_table_of_stages_brings_nothing_heavy():
    script = "import sys, driver.stage_table; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert not {*HEAVY.split()} & {*done.stdout.split()} and "driver" in done.stdout
