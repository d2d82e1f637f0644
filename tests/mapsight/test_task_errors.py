from __future__ import annotations

import doctest
import traceback

import pytest

from driver.nodes.failures import python_error
from mapsight import task_errors as where
from mapsight.task_errors import TaskError, at


def test_examples():
    assert doctest.testmod(where).failed == 0


def test_the_cause_is_the_error_itself():
    error = KeyError("7")
    with pytest.raises(TaskError) as raised, at("a.parquet"), at("picture 7"):
        raise error
    assert raised.value.__cause__ is error


def test_without_an_error_nothing_is_raised():
    with at("a.parquet"):
        pass


def test_an_end_from_outside_is_no_error():
    with pytest.raises(KeyboardInterrupt), at("a.parquet"):
        raise KeyboardInterrupt


def test_people_see_the_place_and_not_the_class_that_names_it():
    with pytest.raises(TaskError) as raised, at("a.parquet"):
        raise ValueError("too odd")
    log = "".join(traceback.format_exception(raised.value))
    assert python_error(log) == "a.parquet: ValueError: too odd"
