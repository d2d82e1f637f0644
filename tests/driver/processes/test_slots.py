from __future__ import annotations

import os
import signal

from driver.processes.child import fork
from driver.processes.slots import CoreSlots


def test_a_process_takes_each_core_once_and_gives_it_back(tmp_path):
    slots = CoreSlots(tmp_path / "cores", 2)
    assert sorted([slots.take(), slots.take()]) == [0, 1]
    assert slots.take() is None
    slots.give_back(1)
    assert slots.take() == 1


def test_what_another_process_holds_is_not_free_until_it_ends(tmp_path):
    read, write = os.pipe()

    def hold() -> int:
        held = CoreSlots(tmp_path / "cores", 2)
        assert held.take() == 0
        os.write(write, b"held")
        signal.pause()
        return 0

    pid = fork(hold, "holder")
    assert os.read(read, 4) == b"held"
    slots = CoreSlots(tmp_path / "cores", 2)
    assert [slots.take(), slots.take()] == [1, None]
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert slots.take() == 0
