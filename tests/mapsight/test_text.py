import csv
import doctest
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsight import text
from mapsight.text import amount, csv_safe, duration, percent, plain, shorten


def test_examples_in_docstrings():
    assert doctest.testmod(text).failed == 0


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Löwe, 虎", "Löwe, 虎"),
        ("a\r\nb", "a b"),
        ("\x1b[31mred\x07", "[31mred"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("\ud800", "\ufffd"),
        ("👩\u200d🚀", "👩\u200d🚀"),
    ],
)
def test_plain(given, expected):
    assert plain(given) == expected


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\t=", "\x00=", "＝"])
def test_formulas_are_disarmed(start):
    assert csv_safe(start + "cmd()").startswith("'")


@pytest.mark.parametrize("cell", ["", "Lion", "a=b", "/m/096mb", "x-1", "'quoted'"])
def test_other_cells_are_kept(cell):
    assert csv_safe(cell) == cell


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_survives_utf8_and_csv(any_text):
    safe = csv_safe(any_text)
    file = io.StringIO()
    csv.writer(file).writerow([safe, "end"])
    assert list(csv.reader([file.getvalue()])) == [[safe, "end"]]
    assert safe.encode().decode() == safe and len(safe.splitlines()) <= 1


@given(st.text(), st.integers(1, 20))
def test_shorten_keeps_within_its_width(any_text, width):
    assert len(shorten(any_text, width)) <= width


def test_numbers():
    assert (amount(983), amount(1234567), amount(3.14159, 2)) == ("983", "1,234,567", "3.14")
    assert (percent(0.5), percent(0), percent(None)) == ("50.0\u00a0%", "0\u00a0%", "–")


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "0.0 s"), (59.6, "1 min"), (3600, "1 h"), (90061, "1 d 1 h")]
)
def test_duration(seconds, expected):
    assert duration(seconds).replace("\u00a0", " ") == expected
