"""What threads borrow, and its end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mapsight.serve.errors import Refusal
from mapsight.serve.lending import Lending


def test_one_that_is_lent_is_ended_when_it_comes_back():
    ended = list[str]()
    pool = Lending[str](ended.append)
    pool.add("a")
    pool.add("b")
    with pool.lent() as one:
        pool.close()
        assert ended == [{"a": "b", "b": "a"}[one]]
    assert sorted(ended) == ["a", "b"]
    pool.add("c")
    assert ended[-1] == "c"


def test_who_waits_is_told_of_the_end():
    pool = Lending[str]()
    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(lambda: pool.lent().__enter__())
        pool.close()
        with pytest.raises(Refusal, match="newer state"):
            waiting.result(5)


def test_one_is_lent_to_one_thread_at_a_time():
    pool, now, most = Lending[int](), list[int](), list[int]()
    pool.add(1)

    def use(_: int) -> None:
        with pool.lent() as one:
            now.append(one)
            most.append(len(now))
            threading.Event().wait(0.005)
            now.pop()

    with ThreadPoolExecutor(4) as executor:
        list(executor.map(use, range(8)))
    assert most == [1] * 8
