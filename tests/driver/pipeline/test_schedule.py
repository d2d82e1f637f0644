from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driver.pipeline.schedule import side_by_side

NEEDS = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []}


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Steps by name, each with some of those before it that it needs."""
    names = [f"s{number}" for number in range(draw(st.integers(0, 8)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:number]), unique=True)) if number else []
        for number, name in enumerate(names)
    }


@given(graphs(), st.integers(1, 4))
def test_each_step_is_performed_once_after_what_it_needs(needs, at_once):
    done, running, most, lock = [], set(), [0], threading.Lock()

    def perform(name: str) -> None:
        with lock:
            assert set(needs[name]) <= set(done)
            running.add(name)
            most[0] = max(most[0], len(running))
        with lock:
            running.discard(name)
            done.append(name)

    side_by_side(list(needs), needs, perform, at_once, threading.Event())
    assert sorted(done) == sorted(needs)
    assert most[0] <= at_once
    if at_once == 1:
        assert done == list(needs)


def test_what_does_not_need_each_other_runs_at_the_same_time():
    meeting = threading.Barrier(2, timeout=20)

    def perform(name: str) -> None:
        if name in ("b", "c"):
            meeting.wait()

    side_by_side(list(NEEDS), NEEDS, perform, 2, threading.Event())


def test_an_error_stops_the_others_and_is_raised():
    stopping, stopped = threading.Event(), []

    def perform(name: str) -> None:
        if name == "c":
            raise ValueError("c cannot be done")
        if name == "b":
            stopped.append(stopping.wait(20))

    with pytest.raises(ValueError, match="c cannot be done"):
        side_by_side(list(NEEDS), NEEDS, perform, 3, stopping)
    assert stopped == [True]
    assert not stopping.is_set()  # another run may follow


def test_an_interrupt_stops_all():
    stopping, ended = threading.Event(), []

    def perform(name: str) -> None:
        if name == "a":
            time.sleep(0.1)
            raise KeyboardInterrupt
        ended.append((name, stopping.wait(20)))

    with pytest.raises(KeyboardInterrupt):
        side_by_side(list(NEEDS), NEEDS, perform, 2, stopping)
    assert ended == [("e", True)]
