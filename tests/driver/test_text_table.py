"""Tables of text: columns as wide as their cells."""

from __future__ import annotations

import doctest

import pytest

from driver import text_table
from driver.text_table import table_lines

ROWS = [("name", "n", "note"), ("a", 12, ""), ("long name", 3, "last")]


def test_its_example_holds():
    assert doctest.testmod(text_table).failed == 0


def test_words_begin_together_and_numbers_end_together():
    lines = table_lines(ROWS, left=(0, 2))
    assert lines == ["name        n  note", "a          12", "long name   3  last"]


def test_no_column_need_be_of_words():
    assert table_lines(ROWS, left=()) == [
        "     name   n  note",
        "        a  12",
        "long name   3  last",
    ]


def test_rows_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        table_lines([("a", "b"), ("c",)])
