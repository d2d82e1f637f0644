"""A server of its own process, told to stop."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.support.pictures import encoded, scribble
from tests.support.program import Program


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_well_and_leaves_nothing(served_once: Path, environment, tmp_path, number):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    program = Program({**environment, "TMPDIR": str(temporary)}, served_once)
    process = program.start("serve", "--port", "0")
    assert process.stderr is not None
    line = ""
    while "http://" not in line:
        line = process.stderr.readline()
        assert line, "it ended before it began"
    url = line.split()[2]
    files = {"file": ("a.png", encoded(scribble(5)))}
    assert httpx.post(f"{url}/api/v1/search", files=files, timeout=60).status_code == 200
    time.sleep(0.1)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 0
    assert told.endswith("stopped\n") and "run again" not in told
    assert list(temporary.glob("mapsight-*")) == []
